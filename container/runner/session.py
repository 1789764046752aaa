"""One session from the clone to the push. What happened is in the report, whatever is raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import GitHubUnavailable, PullwrightError, PushRefused, SessionClosed, TaskStopped
from pullwright.models import Outcome
from runner.agent.process import Stop
from runner.agent.run import run_agent
from runner.agent.verdict import judge
from runner.git.command import GitError
from runner.git.message import commit_message
from runner.git.remote import Remote
from runner.git.tree import check
from runner.git.workspace import Workspace
from runner.log import logger
from runner.stub import SUMMARY, run_stub

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from pullwright.models import AgentRequest
    from runner.artifacts import Artifacts
    from runner.clock import Phases
    from runner.git.store import Head, Store
    from runner.git.workspace import Collected
    from runner.record import SessionRecord
    from runner.report import Report
    from runner.tracking import Tracker
    from runner.user import User

    # Told whether anything changed, it says what came of the agent's work.
    Judgement = Callable[[bool], tuple[Outcome, PullwrightError | None]]


@dataclass(frozen=True, slots=True)
class Signals:
    """What can end a session from outside.

    Attributes:
        terminated: SIGTERM came.
        lost: the session belongs to another task or is closed.
    """

    terminated: threading.Event
    lost: threading.Event


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a session works with.

    Attributes:
        work_dir: where repositories are cloned.
        private: the runner's own folder in it.
        user: the agent's user.
        github_token: gives a valid installation token.
        model_api_key: gives the model's key, if there is one.
    """

    work_dir: Path
    private: Path
    user: User
    record: SessionRecord
    artifacts: Artifacts
    github_token: Callable[[], str]
    model_api_key: Callable[[], str | None]
    signals: Signals
    phases: Phases

    @property
    def transcript(self) -> Path:
        """The CLI's lines."""
        return self.private / "transcript.jsonl"

    @property
    def diff(self) -> Path:
        """What the agent changed."""
        return self.private / "diff.patch"


class Session:
    """Works on one request.

    Args:
        request: what is asked for.
        around: what it works with.
        report: takes what happens.
        tracker: shows what happens.
    """

    def __init__(self, request: AgentRequest, around: Surroundings, report: Report, tracker: Tracker) -> None:
        self._request = request
        self._around = around
        self._report = report
        self._tracker = tracker
        self._remote = Remote(request.git_url, request.branch, around.github_token)

    def run(self) -> None:
        """Clones, lets the agent work, and pushes what it left, also after a failure.

        Raises:
            SessionClosed: the session is not ours any more; nothing was pushed.
            PullwrightError: a failure that is not in the report yet.
        """
        phase = self._around.phases.phase
        with phase("clone"):
            self._tracker.show("Cloning the repository")
            store, head = self._remote.clone(self._around.private / "repository.git")
            workspace = self._workspace(store, head)
        if self._around.signals.terminated.is_set():
            raise TaskStopped("The task was stopped before the agent had started.")
        with phase("agent"):
            judged = self._stub(workspace) if self._request.stub else self._agent(workspace)
        if self._around.signals.lost.is_set():
            raise SessionClosed("The session is closed or belongs to another task.")
        with phase("collect"):
            collected = self._collect(workspace, store, head)
        outcome, failure = judged(collected is not None)
        self._report.outcome = outcome
        if failure is not None:
            self._report.fail(failure)
        if collected is not None:
            with phase("push"):
                self._push(store, head, collected)

    def _workspace(self, store: Store, head: Head) -> Workspace:
        around, request = self._around, self._request
        store.share_objects(around.work_dir / "objects")
        name = request.repository.partition("/")[2]
        workspace = Workspace.create(around.work_dir, around.private, name=name, user=around.user)
        workspace.check_out(head, request.branch, request.author)
        return workspace

    def _stub(self, workspace: Workspace) -> Judgement:
        run_stub(self._request, workspace, lambda text, todos: self._tracker.show(text, todos=todos))
        self._report.summary = SUMMARY
        return lambda changed: (Outcome.CHANGED if changed else Outcome.NO_CHANGE, None)

    def _agent(self, workspace: Workspace) -> Judgement:
        around, report = self._around, self._report
        self._tracker.show("Starting the agent")
        run = run_agent(
            self._request,
            workspace,
            tracker=self._tracker,
            transcript=around.transcript,
            api_key=around.model_api_key(),
            should_stop=self._should_stop,
        )
        report.summary, report.turns = run.summary, run.turns
        report.cost_usd, report.tokens = run.cost_usd, run.tokens
        report.conversation_id = run.conversation_id
        ended = run.end.ended
        logger.info("the agent has ended", exit_code=ended.exit_code, stop=ended.stop and ended.stop.name)
        if ended.exit_code and ended.stderr:
            logger.warning("the agent's last words on standard error", stderr=ended.stderr)
        return lambda changed: judge(run.end, self._request.limits, changed=changed)

    def _should_stop(self) -> Stop | None:
        if self._around.signals.lost.is_set():
            return Stop.LOST
        if self._around.signals.terminated.is_set():
            return Stop.TERMINATED
        if self._around.phases.elapsed > self._request.limits.minutes * 60:
            return Stop.OVERTIME
        return None

    def _collect(self, workspace: Workspace, store: Store, head: Head) -> Collected | None:
        """Brings the agent's work into the runner's repository and keeps its diff at once."""
        collected = workspace.collect(head)
        if collected is None:
            return None
        try:
            store.receive(collected.pack)
        except GitError as error:
            logger.warning("the work was not taken in", stderr=error.stderr)
            raise PushRefused("The agent left files that git does not accept from others.") from error
        report = self._report
        report.files_changed = len(store.changes(head.tree, collected.tree))
        report.additions, report.deletions = store.count_lines(head.tree, collected.tree)
        store.write_diff(head.tree, collected.tree, self._around.diff)
        self._around.artifacts.put_file(self._around.diff)
        return collected

    def _push(self, store: Store, head: Head, collected: Collected) -> None:
        """Pushes the work, if it may be pushed and the session is still ours."""
        self._tracker.show("Pushing the work")
        try:
            check(store.changes(head.tree, collected.tree), store)
        except PushRefused as error:
            self._report.fail(error)
            return
        message = commit_message(self._request, self._report.summary)
        commit = store.commit(
            collected.tree, parent=head.commit, message=message, author=self._request.author
        )
        self._around.record.beat()
        branch = self._request.branch
        try:
            rejection = self._remote.push(store, commit, f"refs/heads/{branch}")
        except GitHubUnavailable as error:
            self._report.fail(error)
            return
        if rejection is None:
            self._report.commit = commit
            return
        failure = rejection.failure(branch)
        logger.warning("the push was rejected", reason=rejection.reason)
        self._keep_aside(store, commit)
        self._report.fail(failure)

    def _keep_aside(self, store: Store, commit: str) -> None:
        """Tries to keep work that the branch did not take in a ref that is ours alone."""
        ref = f"refs/pullwright/{self._request.branch}"
        try:
            rejection = self._remote.push(store, commit, ref, force=True)
        except PullwrightError:
            return
        logger.info("the work is kept aside", ref=ref, kept=rejection is None)
