"""One session from the clone to the push. What happened is in the report, whatever is raised."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError, PushRefused, SessionClosed, TaskStopped
from pullwright.models import Outcome
from runner.adoption import find_pushed, find_start, report_pushed
from runner.agent.answers import take_answers
from runner.agent.comments import select_comments
from runner.agent.prompt import conflicts_prompt
from runner.agent.verdict import judge
from runner.agent_work import AgentWork
from runner.checking import Checking, begin
from runner.git.checkpoint import CheckpointRef
from runner.git.command import GitError
from runner.git.leaks import redact
from runner.git.message import commit_message
from runner.log import logger
from runner.mending import Mending
from runner.preparation import Preparation
from runner.repository.profile import read_profile
from runner.rules.delivery import deliver
from runner.rules.source import base_files
from runner.stub import SUMMARY, run_stub
from runner.updating import Update
from runner.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest
    from runner.context import SessionContext
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.git.workspace import Collected, Workspace
    from runner.hosting import Landing
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile
    from runner.rules.delivery import HouseRules
    from runner.stopping import StopConditions
    from runner.tracking import Tracker

    # Says what came of the agent's work, given whether it changed anything.
    Judgement = Callable[[bool], tuple[Outcome, PullwrightError | None]]


class Session:
    """The work on one request."""

    def __init__(
        self,
        request: AgentRequest,
        context: SessionContext,
        report: Report,
        tracker: Tracker,
        stops: StopConditions,
        remote: Remote,
        landing: Landing,
    ) -> None:
        self._request = request
        self._context = context
        self._report = report
        self._tracker = tracker
        self._stops = stops
        self._remote = remote
        self._landing = landing
        self._checkpoint = CheckpointRef(remote)
        self._preparation = Preparation(request, context, report, tracker, stops, remote)
        self._is_adopted = False
        self._began = begin()

    def run(self) -> None:
        """Clone the repository, let the agent work, and push what it left, also after a failure.

        Raises:
            SessionClosed: the session is not ours any more; nothing was pushed.
            PullwrightError: a failure that is not in the report yet.
        """
        phase = self._context.phases.phase
        with phase("clone"):
            self._tracker.show("Cloning the repository")
            store, head, found = self._clone()
            if self._adopt(store, head):
                return
            self._remote.fetch_others(store, self._request.base)
            update = Update(
                *(self._request, self._context, self._report, self._tracker),
                *(self._remote, self._landing, self._checkpoint),
            )
            head, merge = update.run(store, head, found)
            workspace = self._preparation.check_out(store, head, found, merge)
            profile = read_profile(self._remote, store, head.tree)
            self._preparation.allow(profile)
        profile = self._preparation.set_up(workspace, profile)
        if profile.packages is not None:
            # With them there may be a program for the repository's tests.
            profile = profile.with_checks_of(store, head.tree)
        self._must_go_on()
        own = CheckpointRef(self._remote, f"refs/pullwright-sessions/{self._request.session_id}")
        work = Work(
            *(self._request, self._context, self._report, store, head, workspace, self._checkpoint, own),
            start=self._start(store, head),
            merge=merge,
            refuse_steering=profile.configuration.steering == "refuse",
        )
        try:
            with phase("agent"), self._context.egress.step("agent"):
                agent, judged = (
                    self._stub(workspace)
                    if self._request.stub
                    else self._agent(work, profile, self._house_rules(store, head), found)
                )
        except Exception:
            work.make_last_checkpoint()
            raise
        if self._context.signals.lost.is_set():
            raise SessionClosed("The session is closed or belongs to another task.")
        tree = self._deliver(work, profile, judged)
        if tree is None:
            return
        self._check(work, profile.with_checks_of(store, tree), tree)
        if agent is not None and not self._is_adopted:
            Mending(
                *(self._request, self._context, self._report, self._preparation, self._push, self._check)
            ).run(agent, tree)

    def _deliver(self, work: Work, profile: RepositoryProfile, judged: Judgement) -> str | None:
        """Take the agent's work in, judge and push it.

        Returns:
            The tree that the branch then has; None if the agent failed and left nothing.
        """
        phase = self._context.phases.phase
        with phase("collect"):
            try:
                collected = work.collect()
            except (GitError, PushRefused):
                # Why the agent was ended, if it was, is why there is nothing to take in.
                _, failure = judged(True)  # noqa: FBT003 - a callable has no names for its arguments
                if failure is not None:
                    self._report.fail(failure)
                raise
        # Another task of the session may have pushed work, to which nothing had to be added.
        has_changed = collected is not None or self._report.commit is not None
        self._report.outcome, failure = judged(has_changed)
        if failure is not None:
            self._report.fail(failure)
        if collected is None:
            if failure is not None:
                return None
            work.delete_checkpoint()
            return work.head.tree
        with phase("push"):
            tree, refused = self._push(work, collected, profile, failure, self._report.summary)
        if refused is not None:
            self._report.fail(refused)
        return tree

    def _start(self, store: Store, head: Head) -> Head:
        """Return where the branch stood before the session, whose earlier task may have pushed to it."""
        if not self._context.takes_over or store.session_of(head.commit) != self._request.session_id:
            return head
        report_pushed(self._remote, store, head, self._report)
        return find_start(self._remote, store, head, self._request.session_id)

    def _push(
        self,
        work: Work,
        collected: Collected,
        profile: RepositoryProfile,
        failure: PullwrightError | None,
        summary: str,
    ) -> tuple[str, PullwrightError | None]:
        """Bring the work onto the branch, and return the tree that it then has, or why it has not."""
        if self._context.is_spot and isinstance(failure, TaskStopped):
            # Half of the work on the branch would be read as the whole: the next task goes on from it.
            work.leave_for_next_task(collected)
            return collected.tree, None
        self._tracker.show("Pushing the work")
        ci = profile.ci(is_private=self._request.repository_is_private)
        try:
            work.push(collected, self._landing, ci, summary)
        except SessionClosed:
            raise
        except PullwrightError as error:
            logger.warning("the work did not come onto the branch", reason=error.sentence)
            if (tree := self._adopt_instead(work)) is not None:
                self._is_adopted = True
                return tree, None
            return collected.tree, error
        return collected.tree, None

    def _must_go_on(self) -> None:
        if self._context.signals.terminated.is_set():
            raise TaskStopped("The task was stopped before the agent had started.")

    def _adopt(self, store: Store, head: Head) -> bool:
        """Take what another task of this session has pushed, if it has: doing it twice would cost twice."""
        context, report = self._context, self._report
        if not context.takes_over or store.session_of(head.commit) != self._request.session_id:
            return False
        if context.was_stopped:
            # What it has pushed is no more than it had come to, and the agent goes on above it.
            return False
        report_pushed(self._remote, store, head, report)
        report.outcome = Outcome.CHANGED
        report.notices.append(
            "ECS started two tasks. The first had pushed the work; its cost and the checks are not known."
        )
        return True

    def _adopt_instead(self, work: Work) -> str | None:
        """Take what another task has pushed while this one worked, instead of this one's own work.

        Returns:
            Its tree; None if there is none, or if GitHub does not say.

        Raises:
            SessionClosed: the other task is the newer one.
        """
        context, report = self._context, self._report
        if context.record.is_lost():
            raise SessionClosed("The session is closed or belongs to another task.")
        if not context.takes_over:
            return None
        try:
            pushed = find_pushed(self._remote, work.store, work.head, report.session_id)
            if pushed is None:
                return None
            report_pushed(self._remote, work.store, pushed, report)
        except PullwrightError as error:
            logger.warning("what another task has pushed could not be read", reason=error.sentence)
            return None
        report.notices.append(
            "ECS started two tasks. The other one pushed its work first, and this one's is not used."
        )
        work.write_diff(pushed.tree)
        work.delete_checkpoint()
        return pushed.tree

    def _clone(self) -> tuple[Store, Head, Head | None]:
        """Return the repository, and the last checkpoint if an earlier session left one on this branch."""
        private = self._context.private
        with ThreadPoolExecutor(1, "find-checkpoint") as beside:
            exists = beside.submit(self._checkpoint.find, private)
            store, head = self._remote.clone(private / "repository.git")
        return store, head, self._checkpoint.fetch(store, head) if exists.result() else None

    def _house_rules(self, store: Store, head: Head) -> HouseRules:
        """Bring what the base branch says about how to work here, after setup: it could add files."""
        base = self._request.base
        files = base_files(self._remote, store, base, head.tree)
        rules = deliver(files, self._context.settings.work_dir / "claude", base)
        self._report.notices.extend(rules.notices)
        return rules

    def _check(self, work: Work, profile: RepositoryProfile, tree: str) -> None:
        """Check what was pushed, if the session has done what was wanted."""
        report, store, head = self._report, work.store, work.head
        if report.commit is None or report.outcome is not Outcome.CHANGED:
            return
        checking = Checking(
            *(self._request, self._context, report, self._tracker.show),
            should_stop=self._stops.of_checks,
            since=self._began,
        )
        report.check_notices = []
        if profile.checks or work.merge is not None:
            # GitHub made the commit of this tree, which is not fetched for the checks: theirs holds the same.
            message = commit_message(self._request, report.summary)
            head = replace(head, commit=work.commit(tree, message))
        checking.compare(profile, self._remote, store, head, tree)
        if not profile.checks:
            if report.attempts:
                # The last attempt has taken the check away, which is told of.
                report.take_attempt(())
            return
        checking.run(profile, store, replace(head, tree=tree))

    def _stub(self, workspace: Workspace) -> tuple[None, Judgement]:
        run_stub(self._request, workspace, lambda text, todos: self._tracker.show(text, todos=todos))
        self._report.summary = SUMMARY
        return None, lambda changed: (Outcome.CHANGED if changed else Outcome.NO_CHANGE, None)

    def _agent(
        self, work: Work, profile: RepositoryProfile, rules: HouseRules, found: Head | None
    ) -> tuple[AgentWork, Judgement]:
        report = self._report
        request, left_out = select_comments(self._request, profile.configuration.comments)
        notes = profile.notes()
        if left_out is not None:
            report.notices.append(left_out)
            notes = f"{notes}\n\n{left_out}".strip()
        if work.merge is not None:
            notes = f"{conflicts_prompt(request, work.merge.conflicts, token_hex(8))}\n\n{notes}".strip()
        self._tracker.show("Starting the agent")
        agent = AgentWork(request, self._context, report, self._tracker, self._stops, work, profile, rules)
        run = agent.run(notes, resumed=found is not None)
        report.summary, report.answers = take_answers(run.summary, request)
        report.conversation_id = run.conversation_id
        ended = run.end.ended
        logger.info("the agent has ended", exit_code=ended.exit_code, stop=ended.stop and ended.stop.name)
        if ended.exit_code and ended.stderr:
            logger.warning("the agent's last words on standard error", stderr=redact(ended.stderr))
        only_plans = self._request.plan == "only"
        return agent, lambda changed: judge(
            run.end, self._request.limits, changed=changed, only_plans=only_plans
        )
