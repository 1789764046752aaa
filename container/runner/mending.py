"""Work whose checks failed goes back to the agent that did it, before anybody is asked to look at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pullwright.errors import InternalError, PullwrightError, SessionClosed, TaskStopped
from pullwright.figures import money
from runner.agent.answers import take_answers
from runner.agent.process import Stop
from runner.agent.verdict import judge
from runner.git.command import GitError
from runner.git.store import Head
from runner.log import logger

if TYPE_CHECKING:
    from typing import Protocol

    from pullwright.models import AgentRequest, ResolvedLimits
    from pullwright.results import ThreadAnswer
    from runner.agent.run import AgentRun
    from runner.agent_work import AgentWork
    from runner.context import SessionContext
    from runner.git.workspace import Collected
    from runner.preparation import Preparation
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile
    from runner.work import Work

    class Push(Protocol):
        """Brings work onto the branch; returns the tree that it then has, and why not if it did not."""

        def __call__(  # noqa: D102 - the class says it
            self,
            work: Work,
            collected: Collected,
            profile: RepositoryProfile,
            failure: PullwrightError | None,
            summary: str,
        ) -> tuple[str, PullwrightError | None]: ...

    class Check(Protocol):
        """Runs the checks of a tree that was pushed, into the report."""

        def __call__(self, work: Work, profile: RepositoryProfile, tree: str) -> None: ...  # noqa: D102 - the class says it


MOST_ATTEMPTS = 3
"""How often the agent works at most: once at the request, and twice at what checks have found."""
PUSHED_REF = "refs/pushed/head"


def find_obstacle(report: Report, limits: ResolvedLimits, stop: Stop | None) -> str | None:
    """Return why the agent is not asked to mend what checks found; None if it is.

    Args:
        stop: why the agent would be stopped at once, if it would.
    """
    stopped = {
        Stop.OVERTIME: f"the session's {limits.minutes:g} minutes are used up",
        Stop.DISK_FULL: "the task's disk is full",
    }
    if len(report.attempts) >= MOST_ATTEMPTS:
        return f"it has tried {MOST_ATTEMPTS - 1} times"
    if stop is not None:
        return stopped.get(stop, "the task was stopped")
    if report.cost_usd >= limits.usd:
        return f"the session's {money(limits.usd)} are used up"
    return f"the session's {limits.turns} turns are used up" if report.turns >= limits.turns else None


@dataclass(frozen=True, slots=True)
class Mending:
    """Gives what checks found back to the agent, in the same conversation, as often as limits allow.

    What was pushed stays whatever comes of it: a further attempt that fails is a notice, and only a task
    that is stopped in the middle of one fails the session, for the next task to go on.
    """

    request: AgentRequest
    context: SessionContext
    report: Report
    preparation: Preparation
    push: Push
    check: Check

    def run(self, agent: AgentWork, tree: str) -> None:
        """Have failed checks mended until they pass, or something is in the way.

        Args:
            agent: whose work was pushed.
            tree: what the branch holds since then.

        Raises:
            SessionClosed: the session is not ours any more.
            TaskStopped: the task was stopped on the way.
        """
        report, limits = self.report, self.request.limits
        attempt: tuple[AgentWork, str] | None = (agent, tree)
        while attempt is not None and report.failure is None and any(c.has_failed for c in report.checks):
            obstacle = find_obstacle(report, limits, self.preparation.stops.of_work())
            if obstacle is not None:
                self._note(f"The agent was not asked to mend the checks that still fail: {obstacle}.")
                return
            try:
                attempt = self._attempt(*attempt)
            except (SessionClosed, TaskStopped):
                raise
            except (GitError, PullwrightError) as error:
                logger.exception("an attempt to mend checks failed")
                failure = (
                    error if isinstance(error, PullwrightError) else InternalError("A git command failed.")
                )
                self._ended_early(failure)
                return

    def _attempt(self, agent: AgentWork, tree: str) -> tuple[AgentWork, str] | None:
        """Let the agent work once more, push what it changed, and have it checked.

        Returns:
            The agent and the tree of the branch; None if there is to be no further attempt.
        """
        context, report, phase = self.context, self.report, self.context.phases.phase
        agent = self._begin(agent, tree)
        work = agent.work
        try:
            with phase("agent"), context.egress.step("agent"):
                run = agent.mend(report.conversation_id or "")
        except Exception:
            work.make_last_checkpoint()
            raise
        if context.signals.lost.is_set():
            raise SessionClosed("The session is closed or belongs to another task.")
        if run is None:
            self._note("The agent was not asked to mend the checks that fail: its conversation was not kept.")
            return None
        summary = self._take_words(run)
        with phase("collect"):
            collected = work.collect()
        _, failure = judge(run.end, self.request.limits, changed=collected is not None)
        if isinstance(failure, TaskStopped):
            report.fail(failure)
        elif failure is not None:
            self._ended_early(failure)
        if collected is None:
            if failure is None:
                work.delete_checkpoint()
                self._note("Asked to mend the checks that fail, the agent changed nothing.")
            return None
        with phase("push"):
            tree, refused = self.push(work, collected, agent.profile, failure, summary)
        if refused is not None:
            self._ended_early(refused)
            return None
        self.check(work, agent.profile.with_checks_of(work.store, tree), tree)
        return None if failure is not None else (agent, tree)

    def _begin(self, agent: AgentWork, tree: str) -> AgentWork:
        """Prepare the agent's folder anew as the branch now stands: nothing in it has outlived the checks."""
        report, preparation, before = self.report, self.preparation, agent.work
        number = len(report.attempts)
        preparation.tracker.show(f"Mending what checks found ({number} of {MOST_ATTEMPTS - 1})")
        with self.context.phases.phase("clone"):
            # GitHub made the commit.
            head = preparation.remote.fetch_commit(
                before.store, Head(before.head.commit, tree), report.commit or "", PUSHED_REF
            )
            workspace = preparation.check_out(before.store, head)
        profile = preparation.run_setup(workspace, agent.profile)
        return replace(agent, work=before.above(head, workspace), profile=profile)

    def _take_words(self, run: AgentRun) -> str:
        """Add what the agent says to what it has said before, and return it."""
        report = self.report
        summary, answers = take_answers(run.summary, self.request)
        report.summary = f"{report.summary}\n\n**After checks had failed:**\n\n{summary}".strip()
        by_thread: dict[str, ThreadAnswer] = {a.thread: a for a in (*report.answers, *answers)}
        report.answers = tuple(by_thread.values())
        return summary

    def _ended_early(self, failure: PullwrightError) -> None:
        number = len(self.report.attempts)
        self._note(f"The agent's attempt {number} to mend failed checks ended early: {failure.sentence}")

    def _note(self, sentence: str) -> None:
        self.report.notices.append(sentence)
