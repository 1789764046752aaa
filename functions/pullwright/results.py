"""The public contracts that a task or ReportOutcome writes: what came of a session, and how far it is.

What a session is asked for stands in `pullwright.models`, with the rules that hold for both.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pullwright.evaluation import Judgement
from pullwright.fields import CONVERSATION_PATTERN, Stored
from pullwright.models import Failure, Outcome


class ThreadAnswer(Stored):
    """What the agent says in a thread of a review about what was asked there.

    Attributes:
        thread: id of one of the request's threads.
        is_done: nothing is left to decide there, so that it is resolved.
    """

    thread: str
    text: str
    is_done: bool = False


class TokenUsage(Stored):
    """Tokens of one session, all models together."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class SessionUsage(Stored):
    """`sessions/<id>/usage.json`: what the tasks of a session have used so far, all together.

    A task writes it with its checkpoints and at its end. Whoever goes on after it begins with these figures,
    so that each counts once and the limits hold for the session as a whole.

    Attributes:
        phases: seconds per phase.
    """

    tasks: int = 0
    cost_usd: float = Field(default=0.0, ge=0, strict=False)
    tokens: TokenUsage = TokenUsage()
    turns: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0, strict=False)
    phases: dict[str, float] = Field(default_factory=dict)
    started_at: datetime | None = Field(default=None, strict=False)


class CheckResult(Stored):
    """One command of the repository's own that the runner ran: its setup, or a check.

    Attributes:
        status: `not_run` when no time was left for it or the task was stopped.
        exit_code: negative if a signal ended it.
    """

    name: str
    command: str
    status: Literal["passed", "failed", "timed_out", "not_run"]
    exit_code: int | None = None
    seconds: float = Field(default=0.0, strict=False)
    output: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether it was run and did not pass."""
        return self.status in {"failed", "timed_out"}


class Attempt(Stored):
    """A commit of the session's work on which its checks were run.

    Attributes:
        failed: names of the checks that did not pass.
    """

    commit: str
    failed: tuple[str, ...] = Field(default=(), strict=False)


class SteeringFiles(Stored):
    """Changed files that other programs obey."""

    reason: str
    paths: tuple[str, ...] = Field(strict=False)
    count: int


class EgressTarget(Stored):
    """What processes of a session tried to reach in vain.

    Attributes:
        step: of the session: setup, agent, checks.
        target: a domain, or an address.
        count: how often.
    """

    step: str
    target: str
    count: int


class EgressResult(Stored):
    """Whether the session's processes were kept from the network, and what they missed.

    Attributes:
        state: `unavailable` where they were to be kept from it, and could not.
        reason: why they could not, or what went wrong on the way.
        refused: the most frequent ones.
        entries: what the repository's configuration allows; None where it has no say.
    """

    state: Literal["caged", "off", "unavailable"]
    reason: str | None = None
    refused: tuple[EgressTarget, ...] = Field(default=(), strict=False)
    entries: tuple[str, ...] | None = Field(default=None, strict=False)

    @property
    def is_missing(self) -> bool:
        """Return whether everything could be reached though the operator wanted otherwise."""
        return self.state == "unavailable"


class AgentResult(Stored):
    """`sessions/<id>/result.json`: the outcome as the runner reports it.

    Attributes:
        outcome: `changed` only if a commit of the agent's work is on the branch.
        summary: the agent's last words, Markdown.
        answers: what it says in the request's threads.
        commit: head of the branch after the push, when something was pushed.
        exit_code: the runner's own: 0, or that of the error's class.
        phases: seconds per phase (start, clone, agent, push …).
        setup: how the repository's setup command ended, if it has one.
        checks: what the repository's checks say about `commit`.
        attempts: the commits that the checks were run on, the last of them `commit`; several where the agent
            was asked to mend what they found.
        ci: whether the repository's workflows ran on the commit, or wait until somebody releases them.
        notices: what people should know besides, one sentence each.
        steering: what was pushed that other programs heed, for people to read.
        egress: what the session's processes could not reach; None if none ran.
        judgement: of a session of an evaluation.
    """

    schema_version: Literal[1] = 1
    session_id: str
    task_arn: str
    outcome: Annotated[Outcome, Field(strict=False)]
    failure: Failure | None = None
    summary: str = ""
    answers: tuple[ThreadAnswer, ...] = Field(default=(), strict=False)
    commit: str | None = None
    files_changed: int = 0
    additions: int = 0
    deletions: int = 0
    cost_usd: float = Field(default=0.0, strict=False)
    tokens: TokenUsage = TokenUsage()
    turns: int = 0
    conversation_id: str | None = None
    started_at: datetime = Field(strict=False)
    ended_at: datetime = Field(strict=False)
    exit_code: int
    phases: dict[str, float] = Field(default_factory=dict)
    setup: CheckResult | None = None
    checks: tuple[CheckResult, ...] = Field(default=(), strict=False)
    attempts: tuple[Attempt, ...] = Field(default=(), strict=False)
    ci: Literal["run", "hold"] | None = None
    notices: tuple[str, ...] = Field(default=(), strict=False)
    steering: tuple[SteeringFiles, ...] = Field(default=(), strict=False)
    egress: EgressResult | None = None
    judgement: Judgement | None = None

    @property
    def checks_passed(self) -> bool:
        """Whether no check failed; true if there are none."""
        return not any(check.has_failed for check in self.checks)


class AgentPlan(Stored):
    """`sessions/<id>/plan.json`: what the agent means to do, for the task that carries it out.

    Attributes:
        conversation: in which it was made; the CLI's record of it is then in `resumed.jsonl`.
        text: Markdown.
    """

    conversation: Annotated[str, StringConstraints(pattern=CONVERSATION_PATTERN)]
    text: str


class Todo(Stored):
    """One line of the agent's todo list."""

    text: str
    status: Literal["pending", "in_progress", "completed"]


class Progress(Stored):
    """What the tracking comment shows while a session is under way.

    Attributes:
        activity: what is happening now, one short line.
        plan: what the agent means to do, Markdown; empty if it was not asked for a plan.
    """

    activity: str
    plan: str = ""
    todos: tuple[Todo, ...] = Field(default=(), strict=False)
    elapsed_seconds: float = 0.0
    cost_usd: float = 0.0
    turns: int = 0


class Verdict(Stored):
    """What ReportOutcome answers to the state machine.

    Attributes:
        status: the session's final status, which is the execution's too.
        error: class name from `pullwright.errors`; empty when the session succeeded.
        lock_key: `pk` of the branch lock if this execution owns one, else empty.
        report_due: GitHub refused the report, so it still has to be made.
        ttl: when the closed record may go, Unix seconds.
    """

    status: Literal["SUCCEEDED", "FAILED"]
    outcome: Annotated[Outcome, Field(strict=False)]
    error: str = ""
    failure_class: str = ""
    sentence: str
    remedy: str = ""
    lock_key: str = ""
    report_due: bool = False
    ttl: int
