"""Decides the outcome of the agent's work from its exit code, its last line, its money and its diff.

None of them alone says it: the CLI ends with 0 after it was denied every tool, and calls an error of the
model's service `success` in its subtype.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import (
    AgentFailed,
    AgentStuck,
    DiskLimit,
    ModelRefused,
    ModelUnavailable,
    MoneyLimit,
    NothingUsable,
    PullwrightError,
    TaskStopped,
    TimeLimit,
    TurnLimit,
)
from pullwright.models import Outcome
from pullwright.text import one_line
from runner.agent.process import Ended, Stop
from runner.agent.refusals import refusal
from runner.gateway import GIVE_UP, Trouble

if TYPE_CHECKING:
    from pullwright.models import ResolvedLimits
    from runner.agent.stream import ResultLine

_REFUSED = frozenset({401, GIVE_UP, 403, 404})
_TOO_MANY = 429
_SERVER_ERROR = 500
_SHOWN_TOOLS = 8


@dataclass(frozen=True, slots=True)
class AgentEnd:
    """Everything that says how the agent ended.

    Attributes:
        result: the CLI's last line, if it came.
        budget_spent: the gateway refused a call for want of money.
        trouble: the model's service's last error, if it had one.
        stuck: why the agent counts as stuck, if it does.
    """

    ended: Ended
    result: ResultLine | None
    budget_spent: bool = False
    trouble: Trouble | None = None
    stuck: str | None = None


def judge(
    end: AgentEnd, limits: ResolvedLimits, *, changed: bool, only_plans: bool = False
) -> tuple[Outcome, PullwrightError | None]:
    """Decide the outcome.

    Args:
        changed: whether its work tree differs from the branch's head.
        only_plans: whether a plan is all that it was asked for.

    Returns:
        The outcome, and the failure if it is one.
    """
    result = end.result
    if end.ended.exit_code == 0 and result is not None and result.good:
        if changed or only_plans:
            return Outcome.CHANGED if changed else Outcome.PLANNED, None
        if result.permission_denials:
            tools = sorted(
                {one_line(str(denial.get("tool_name")), 40) for denial in result.permission_denials}
            )
            names = ", ".join(tools[:_SHOWN_TOOLS])
            return Outcome.FAILED, NothingUsable(f"The agent was denied {names} and changed nothing.")
        return Outcome.NO_CHANGE, None
    return Outcome.FAILED, _failure(end, limits)


def _failure(end: AgentEnd, limits: ResolvedLimits) -> PullwrightError:
    subtype = end.result.subtype if end.result else None
    stopped = {
        Stop.TERMINATED: TaskStopped("The task was stopped before the agent had ended."),
        Stop.OVERTIME: TimeLimit(f"The session's {limits.minutes:g} minutes are used up."),
        Stop.DISK_FULL: DiskLimit("The agent filled the task's disk and was ended."),
        Stop.STUCK: AgentStuck(end.stuck or "The agent got nowhere."),
    }
    if end.ended.stop in stopped:
        return stopped[end.ended.stop]
    if end.budget_spent or subtype == "error_max_budget_usd":
        return MoneyLimit(f"The session's ${limits.usd:.2f} do not suffice for the next call of the model.")
    if end.ended.stop is Stop.OVERTURNS or subtype == "error_max_turns":
        return TurnLimit(f"The session's {limits.turns} turns are used up.")
    if end.result is not None and end.result.terminal_reason == "api_error":
        status = end.result.api_error_status
        # The gateway tells the CLI this one in the place of those that it would repeat in vain.
        trouble = end.trouble
        if trouble is not None and status in {None, GIVE_UP, trouble.status}:
            return refusal(trouble) or _service_failure(trouble.status)
        return _service_failure(status)
    return AgentFailed(f"Claude Code {_how_it_ended(end)}.")


def _service_failure(status: int | None) -> PullwrightError:
    if status is None:
        return ModelUnavailable("The model's service could not be reached.")
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return ModelUnavailable(f"The model's service is overloaded or failing (status {status}).")
    if status in _REFUSED:
        return ModelRefused(f"The model's service refused the request (status {status}).")
    return AgentFailed(f"The model's service could not use the agent's request (status {status}).")


def _how_it_ended(end: AgentEnd) -> str:
    code = end.ended.exit_code
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    if end.result is None:
        return f"{how} and without a result"
    reason = end.result.terminal_reason or end.result.subtype or "an error"
    return f"{how}: {reason}"
