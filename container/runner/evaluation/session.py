"""One session of an evaluation: the agent's work as always, and what hidden tests say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pullwright.errors import InternalError, PullwrightError, SessionClosed, TaskStopped
from pullwright.evaluation import JUDGING_MINUTES, Judgement, judge
from pullwright.repository.configuration import Check
from runner.checking import Checking, begin
from runner.git.command import GitError
from runner.git.pinned import SOLUTION
from runner.git.store import Head
from runner.log import logger
from runner.report import Report
from runner.repository.profile import read_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.evaluation import HiddenTests
    from pullwright.models import AgentRequest
    from pullwright.results import CheckResult
    from runner.context import SessionContext
    from runner.git.pinned import PinnedRemote
    from runner.git.store import Store
    from runner.repository.profile import RepositoryProfile
    from runner.session import Session
    from runner.stopping import StopConditions
    from runner.tracking import Tracker

_SOLUTION_REF = "refs/evaluation/solution"
_LONGEST_OUTPUT = 4_000
_NO_COMMANDS = "The repository configures no check and none was found: the task has to name commands."


class EvaluationSession:
    """The work on one task, and its judgement.

    The tests are brought only when no process of the agent is left. Those of the solution's files that are no
    tests are brought last of all, so that not even the agent's work, when it is tested, could look at them.
    """

    def __init__(
        self,
        session: Session,
        request: AgentRequest,
        context: SessionContext,
        report: Report,
        tracker: Tracker,
        stops: StopConditions,
        remote: PinnedRemote,
    ) -> None:
        self._session = session
        more = {"minutes": request.limits.minutes + JUDGING_MINUTES}
        self._request = request.model_copy(update={"limits": request.limits.model_copy(update=more)})
        self._context = context
        self._report = report
        self._tracker = tracker
        self._stops = stops
        self._remote = remote
        self._began = begin()

    def run(self) -> None:
        """Let the agent work, then judge what it left, also if it failed.

        Raises:
            SessionClosed: the session is not ours any more.
            TaskStopped: the task was stopped.
        """
        try:
            self._session.run()
        except (SessionClosed, TaskStopped):
            raise
        except PullwrightError as error:
            self._report.fail(error)
        if self._stops.from_outside() is not None:
            return
        hidden = self._request.evaluation
        if hidden is None:
            raise InternalError("The session's request names no tests.")
        try:
            with self._context.phases.phase("judging"):
                self._report.judgement = self._judge(hidden)
        except (GitError, PullwrightError) as error:
            logger.exception("the work could not be judged")
            reason = error.sentence if isinstance(error, PullwrightError) else "a git command failed."
            self._report.judgement = Judgement.not_judged(f"The work could not be judged: {reason}")

    def _judge(self, hidden: HiddenTests) -> Judgement:
        store, remote = self._remote.store, self._remote
        if store is None:
            return Judgement.not_judged("The repository could not be cloned.")
        head = store.head()
        ref = remote.fetch_other(store, hidden.solution_commit, SOLUTION)
        tests = [entry for entry in store.find(ref) if entry[0] in hidden.paths]
        remote.fetch_blobs(store, sorted({blob for _, _, blob in tests}))
        work = store.head(self._report.commit).tree if self._report.commit else head.tree
        is_test = frozenset(hidden.paths).__contains__
        profile = self._profile(hidden, store, store.graft(head.tree, ref, is_test))
        if not profile.checks:
            return Judgement.not_judged(_NO_COMMANDS)
        of_work = self._run("the agent's work", profile, store, store.graft(work, ref, is_test))
        of_base = self._run("the commit before", profile, store, store.graft(head.tree, ref, is_test))
        solution = remote.fetch_commit(store, head, hidden.solution_commit, _SOLUTION_REF)
        of_solution = self._run("the original change", profile, store, solution.tree)
        judged = judge(_statuses(of_work), _statuses(of_base), _statuses(of_solution))
        output = next((it.output for it in of_work if it.name in judged.failed), "")
        return judged.model_copy(update={"output": output[-_LONGEST_OUTPUT:]})

    def _profile(self, hidden: HiddenTests, store: Store, tree: str) -> RepositoryProfile:
        profile = read_profile(self._remote, store, tree)
        if hidden.commands:
            checks = tuple(Check(name=it.name, command=it.command) for it in hidden.commands)
            profile = replace(profile, checks=checks)
        return profile

    def _run(self, what: str, profile: RepositoryProfile, store: Store, tree: str) -> Sequence[CheckResult]:
        """Run the commands in a fresh checkout of a tree."""
        base = store.head()
        message = f"Judged: {what}\n"
        commit = store.commit(tree, parent=base.commit, message=message, author=self._request.author)
        own = Report(
            self._report.session_id, self._report.task_arn, self._context.phases, self._context.clock
        )
        Checking(
            *(self._request, self._context, own, lambda step: self._tracker.show(f"Judging {what}: {step}")),
            should_stop=self._stops.of_checks,
            since=self._began,
        ).run(profile, store, Head(commit, tree))
        logger.info("judged", what=what, checks={check.name: check.status for check in own.checks})
        return own.checks


def _statuses(checks: Sequence[CheckResult]) -> dict[str, str]:
    return {check.name: check.status for check in checks}
