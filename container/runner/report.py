"""What will stand in `result.json`, gathered while the session runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pullwright.models import Failure, Outcome
from pullwright.results import (
    AgentResult,
    Attempt,
    CheckResult,
    EgressResult,
    SessionUsage,
    SteeringFiles,
    ThreadAnswer,
    TokenUsage,
)
from runner import exit_codes
from runner.clock import CLOCK, Clock

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.errors import PullwrightError
    from pullwright.evaluation import Judgement
    from runner.clock import Phases

_LONGEST_SUMMARY = 60_000


@dataclass
class Report:
    """The result so far. Until something says otherwise, the session has failed.

    Attributes:
        check_notices: those of the last run of the checks, which the next one replaces.
    """

    session_id: str
    task_arn: str
    phases: Phases
    clock: Clock = CLOCK
    started_at: datetime = field(init=False)
    outcome: Outcome = Outcome.FAILED
    failure: Failure | None = None
    summary: str = ""
    answers: tuple[ThreadAnswer, ...] = ()
    commit: str | None = None
    files_changed: int = 0
    additions: int = 0
    deletions: int = 0
    cost_usd: float = 0.0
    tokens: TokenUsage = field(default_factory=TokenUsage)
    turns: int = 0
    conversation_id: str | None = None
    setup: CheckResult | None = None
    checks: tuple[CheckResult, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    check_notices: list[str] = field(default_factory=list)
    ci: Literal["run", "hold"] | None = None
    notices: list[str] = field(default_factory=list)
    steering: tuple[SteeringFiles, ...] = ()
    egress: EgressResult | None = None
    judgement: Judgement | None = None
    before: SessionUsage = field(default_factory=SessionUsage)

    def __post_init__(self) -> None:
        """Set when the session started."""
        self.started_at = self.clock.now()

    def go_on(self, before: SessionUsage) -> None:
        """Add what earlier tasks of the session have used."""
        self.before = before
        self.cost_usd, self.tokens, self.turns = before.cost_usd, before.tokens, before.turns
        self.started_at = before.started_at or self.started_at
        self.phases.go_on(before.seconds, before.phases)

    def begin_again(self) -> None:
        """Count what was used until now as used before: the agent is started once more in this task."""
        self.before = self.usage.model_copy(update={"tasks": self.before.tasks})

    def use(self, cost_usd: float, tokens: TokenUsage, turns: int) -> None:
        """Set what the agent has used so far.

        Args:
            cost_usd: of the whole session, that of earlier tasks too.
        """
        earlier = self.before.tokens.model_dump()
        self.cost_usd, self.turns = cost_usd, self.before.turns + turns
        self.tokens = TokenUsage(
            **{name: earlier[name] + count for name, count in tokens.model_dump().items()}
        )

    @property
    def usage(self) -> SessionUsage:
        """What the session's tasks have used until now."""
        return SessionUsage(
            tasks=self.before.tasks + 1,
            cost_usd=round(self.cost_usd, 6),
            tokens=self.tokens,
            turns=self.turns,
            seconds=self.phases.elapsed,
            phases=self.phases.seconds,
            started_at=self.started_at,
        )

    def take_attempt(self, checks: tuple[CheckResult, ...]) -> None:
        """Record what the checks say about the last commit."""
        self.checks = checks
        failed = tuple(check.name for check in checks if check.has_failed)
        self.attempts += (Attempt(commit=self.commit or "", failed=failed),)

    def fail(self, error: PullwrightError) -> None:
        """Record a failure; the first one is why the session failed, later ones only follow from it."""
        self.outcome = Outcome.FAILED
        if self.failure is None:
            self.failure = Failure.of(error)

    @property
    def exit_code(self) -> int:
        """The runner's exit code."""
        return exit_codes.of(self.failure.error if self.failure else None)

    def result(self) -> AgentResult:
        """Return the result as it is kept."""
        return AgentResult(
            session_id=self.session_id,
            task_arn=self.task_arn,
            outcome=self.outcome,
            failure=self.failure,
            summary=self.summary[:_LONGEST_SUMMARY],
            answers=self.answers,
            commit=self.commit,
            files_changed=self.files_changed,
            additions=self.additions,
            deletions=self.deletions,
            cost_usd=round(self.cost_usd, 6),
            tokens=self.tokens,
            turns=self.turns,
            conversation_id=self.conversation_id,
            started_at=self.started_at,
            ended_at=self.clock.now(),
            exit_code=self.exit_code,
            phases=self.phases.seconds,
            setup=self.setup,
            checks=self.checks,
            ci=self.ci,
            attempts=self.attempts,
            notices=(*self.notices, *self.check_notices),
            steering=self.steering,
            egress=self.egress,
            judgement=self.judgement,
        )
