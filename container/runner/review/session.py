"""One session that only comments, from the clone to its findings. Nothing is pushed, and nothing is run."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from pullwright.egress import Domains
from pullwright.errors import InternalError, SessionClosed, TaskStopped
from pullwright.models import Outcome
from pullwright.reviewing.models import Answer, Remark
from runner.agent.comments import select_comments
from runner.agent.run import run_agent
from runner.agent.stuck import StuckGuard
from runner.agent.tools import READING
from runner.agent.verdict import judge
from runner.git.leaks import redact
from runner.git.protected import with_base
from runner.git.workspace import Workspace
from runner.log import logger
from runner.repository.profile import read_profile
from runner.review.answer import Asking, findings_of
from runner.review.changes import fetch_changes, first_added
from runner.review.prompt import RULES, build_prompt
from runner.rules.delivery import deliver
from runner.rules.source import base_files

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.models import AgentRequest
    from runner.context import SessionContext
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile
    from runner.review.changes import Changes
    from runner.stopping import StopConditions
    from runner.tracking import Tracker

FOLDER = "review"
"""Where the difference lies for the agent, in the folder where repositories are cloned."""
STUB_SUMMARY = (
    "Stub session: no model was asked. Its one finding is about the first line that was added, if any."
)
STUB_TEXT = "Stub session: no model was asked, and this comment is about the first line that was added."


class ReviewSession:
    """The reading of one pull request.

    Args:
        remote: of the repository that the pull request goes to.
    """

    def __init__(
        self,
        request: AgentRequest,
        context: SessionContext,
        report: Report,
        tracker: Tracker,
        stops: StopConditions,
        remote: Remote,
    ) -> None:
        self._request = request
        self._context = context
        self._report = report
        self._tracker = tracker
        self._stops = stops
        self._remote = remote

    def run(self) -> None:
        """Clone the repository, let the agent read, and keep what it found.

        Raises:
            SessionClosed: the session is not ours any more.
            PullwrightError: a failure that is not in the report yet.
        """
        request, context, report = self._request, self._context, self._report
        if request.head_commit is None:
            raise InternalError("The session's request names no commit to read.")
        phase = context.phases.phase
        with phase("clone"):
            self._tracker.show("Cloning the repository")
            store, base = self._remote.clone(context.private / "repository.git")
            self._remote.fetch_others(store, request.base)
            changes = fetch_changes(self._remote, store, base, request.head_commit)
            diff, text = self._diff(changes)
        if context.signals.terminated.is_set():
            raise TaskStopped("The task was stopped before the agent had started.")
        with phase("agent"), context.egress.step("agent"):
            answer = self._stub(text) if request.stub else self._agent(changes, base, diff, text)
        if context.signals.lost.is_set():
            raise SessionClosed("The session is closed or belongs to another task.")
        if answer is None:
            return
        report.summary = redact(answer.summary)
        with phase("findings"):
            found = findings_of(
                *(answer, changes.lines),
                session_id=request.session_id,
                head_commit=request.head_commit,
            )
            context.artifacts.put_findings(found)
        report.outcome = Outcome.COMMENTED
        logger.info(
            "findings", count=len(found.findings), left_out=found.left_out, resolved=len(found.resolved)
        )

    def _diff(self, changes: Changes) -> tuple[Path, str]:
        """Write the difference for people, and for the agent in a copy; return that and the text."""
        kept = self._context.diff
        if changes.write_diff(kept):
            self._report.notices.append(
                "The change is too long to be read whole: the agent saw the beginning of each file's."
            )
        self._report.files_changed = len(changes.store.changes(changes.before, changes.head.tree))
        self._report.additions, self._report.deletions = changes.store.count_lines(
            changes.before, changes.head.tree
        )
        folder = self._context.settings.work_dir / FOLDER
        folder.mkdir(mode=0o755)
        copy = folder / kept.name
        copy.write_bytes(kept.read_bytes())
        return copy, copy.read_text(errors="replace")

    def _stub(self, diff: str) -> Answer:
        self._tracker.show("Reading the changes")
        place = first_added(diff)
        # What an earlier stub has said about a line that is not the first any more is dealt with.
        earlier = tuple(thread.finding for thread in self._request.threads if thread.finding is not None)
        remarks = (
            () if place is None else (Remark(path=place[0], line=place[1], severity="low", text=STUB_TEXT),)
        )
        return Answer(summary=STUB_SUMMARY, findings=remarks, resolved=earlier)

    def _agent(self, changes: Changes, base: Head, diff: Path, text: str) -> Answer | None:
        """Let the agent read, and return its answer; None if it failed, which the report then says."""
        context, report = self._context, self._report
        store = changes.store
        profile = read_profile(self._remote, store, base.tree)
        if profile.notice is not None:
            report.notices.append(profile.notice)
        request, left_out = select_comments(self._request, profile.configuration.comments)
        # Of what is said of the repository, what is about setting up and checking does not count here.
        notes = replace(profile, checks=()).notes()
        if left_out is not None:
            report.notices.append(left_out)
            notes = f"{notes}\n\n{left_out}".strip()
        rules = deliver(
            base_files(self._remote, store, request.base, base.tree),
            context.settings.work_dir / "claude",
            request.base,
        )
        report.notices.extend(rules.notices)
        workspace = self._workspace(store, changes)
        # Who only reads reaches the model and nothing else.
        context.egress.allow(Domains(), None)
        self._tracker.show("Starting the agent")
        asking = Asking(in_words=request.issue is not None)
        run = run_agent(
            request,
            workspace,
            # What skills and agents of the repository could make use of is not there.
            replace(rules, tools=()),
            tracker=self._tracker,
            transcript=context.transcript,
            api_key=context.host.model_api_key,
            should_stop=self._stops.of_work,
            elapsed=lambda: context.phases.elapsed,
            guard=StuckGuard(clock=context.clock),
            open_port=context.egress.open_port,
            tools=self._tools(profile),
            prompt=build_prompt(request, secrets.token_hex(8), diff, text, notes),
            system_prompt=RULES,
            reply=asking.reply,
            patience=context.settings.model_patience_seconds,
            report=report,
        )
        report.conversation_id = run.conversation_id
        ended = run.end.ended
        logger.info("the agent has ended", exit_code=ended.exit_code, stop=ended.stop and ended.stop.name)
        if ended.exit_code and ended.stderr:
            logger.warning("the agent's last words on standard error", stderr=redact(ended.stderr))
        _, failure = judge(run.end, self._request.limits, changed=True)
        if failure is not None:
            report.summary = run.summary
            report.fail(failure)
            return None
        answer, notice = asking.read(run.summary)
        report.notices.extend([notice] if notice else [])
        return answer

    def _tools(self, profile: RepositoryProfile) -> tuple[str, ...]:
        """Return what the agent may use: what reads, as far as repository and worker allow it."""
        allowed = [profile.tools, *([self._request.tools] if self._request.tools is not None else [])]
        return tuple(tool for tool in READING if all(tool in tools for tools in allowed))

    def _workspace(self, store: Store, changes: Changes) -> Workspace:
        context, request = self._context, self._request
        # Whoever opened the pull request: what steers tools comes from the base branch.
        start = with_base(self._remote, store, request.base, changes.head.tree)
        store.share_objects(context.settings.work_dir / "objects")
        name = request.repository.partition("/")[2]
        workspace = Workspace.create(
            context.settings.work_dir, context.private, name=name, user=context.egress.user
        )
        workspace.check_out(changes.head, request.branch, request.author)
        if start != changes.head.tree:
            workspace.put_back(start)
        return workspace
