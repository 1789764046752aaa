"""Which failure it was, by the result, the task's end and the state machine's error.

What the runner wrote comes first. Only when it wrote nothing is the rest asked, by error name and by the
code fields of ECS.
"""

import re
from dataclasses import dataclass

from pullwright import errors
from pullwright.errors import PullwrightError, error_class
from pullwright.models import Failure, Outcome
from pullwright.reporting.event import StateError, TaskEnd
from pullwright.results import AgentResult
from pullwright.text import one_line

EXECUTION_TIMED_OUT = "ExecutionTimedOut"
"""Our name for the whole execution's timeout, which Step Functions calls what it calls a state's own."""
NO_HEARTBEAT = "Pullwright: the runner's heartbeat stopped."
"""The reason with which the sweep stops a task that hangs."""
UNRECORDED = "DynamoDB."
"""How RecordSession's errors begin; other states reach the table by the SDK, with errors in `DynamoDb.`."""
_TIMED_OUT = "States.Timeout"
_TASK_FAILED = "States.TaskFailed"
_NO_SLOT = "DynamoDb.TransactionCanceledException"
_LAUNCH = ("ECS.", "AmazonECS.")
_TABLE = "DynamoDb."
FUNCTION_REFUSED = frozenset({"Lambda.TooManyRequestsException", "Lambda.ServiceException"})
_NEVER_STARTED = "TaskFailedToStart"
# AWS's documentation has either code beside "Your Spot Task was interrupted.":
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
_RECLAIMED = frozenset({"SpotInterruption", "TerminationNotice"})
QUOTA = "ECS.LimitExceededException"
"""What ECS would call a quota that is used up, if it did not answer with one of `NO_ROOM`."""
# Where AWS has a code, it stands before the colon. For want of capacity it has none, only these beginnings:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
_NO_PULL = frozenset(
    {"CannotPullContainerError", "CannotPullImageManifestError", "CannotPullECRContainerError"}
)
NO_ROOM = re.compile("RESOURCE:|Capacity is unavailable|reached the limit on the number of")
"""What ECS says when there is no room for a task; the state machine waits for it by the same words.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html and, for the quota of
vCPUs, https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""
_USED_UP = re.compile("reached the limit on the number of")
_STOPS = (errors.SessionStopped, errors.LabelRemoved)
# What a runner says whose session was ended by others: it got a signal, or the broker refused it.
_ENDED_BY_OTHERS = frozenset({errors.TaskStopped.__name__, errors.SessionClosed.__name__})
_EXITED = "EssentialContainerExited"
_BY_A_PERSON = "UserInitiated"
_KILLED = 137
_OUT_OF_MEMORY = "OutOfMemoryError"
_LONGEST_SENTENCE = 1_000
# Exit codes of the runner that mean something without a result; 2 it has for itself.
_EXITS: dict[int | None, PullwrightError] = {
    2: errors.InternalError("The task's environment is incomplete (exit code 2)."),
    errors.AwsUnavailable.exit_code: errors.AwsUnavailable(
        "The task could not reach AWS, the broker or GitHub (exit code 3)."
    ),
    errors.SessionClosed.exit_code: errors.SessionClosed(
        "The task found that the session was not its own (exit code 4)."
    ),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of how a session ended.

    Attributes:
        is_corrupt: it wrote something that cannot be read.
    """

    result: AgentResult | None = None
    is_corrupt: bool = False
    is_open: bool = True
    is_admitted: bool = True
    task: TaskEnd | None = None
    error: StateError | None = None


def classify(evidence: Evidence) -> tuple[Outcome, Failure | None]:
    """Return the outcome of a session, and why it failed if it did."""
    result = evidence.result
    if evidence.error is not None and evidence.error.Error == errors.TakenAlong.__name__:
        return Outcome.TAKEN_ALONG, None
    if result is not None and result.outcome is not Outcome.FAILED:
        return result.outcome, None
    return Outcome.FAILED, Failure.of(_failure(evidence)) if result is None else _reported(result, evidence)


def _reported(result: AgentResult, evidence: Evidence) -> Failure:
    """Return the failure that the runner reported, unless others know better why it was stopped."""
    failure = result.failure
    if failure is None:
        return Failure.of(errors.InternalError("The runner says that it failed, but not why."))
    # The name steers the state machine, alarms and figures, and a task can write any.
    kind = error_class(failure.error) or errors.InternalError
    failure = failure.model_copy(update={"error": kind.__name__, "failure_class": kind.failure_class})
    if failure.error not in _ENDED_BY_OTHERS or evidence.error is None:
        return failure
    if (stop := _stop(evidence.error)) is not None:
        return Failure.of(stop)
    if _is_of_an_earlier_task(result, evidence):
        return Failure.of(_failure(evidence))
    if evidence.error.Error in {_TIMED_OUT, EXECUTION_TIMED_OUT}:
        return Failure.of(_too_long())
    # ECS knows better than the runner, which was only told to end.
    task = TaskEnd.of(evidence.error.decoded) if evidence.error.Error == _TASK_FAILED else None
    return (
        Failure.of(_stopped(task)) if task is not None and task.StopCode not in {None, _EXITED} else failure
    )


def _is_of_an_earlier_task(result: AgentResult, evidence: Evidence) -> bool:
    """Return whether the result is that of an earlier task than the one that ended last."""
    error = evidence.error
    ended = TaskEnd.of(error.decoded) if error is not None and error.decoded else evidence.task
    return ended is not None and ended.TaskArn not in {None, result.task_arn}


def _failure(evidence: Evidence) -> PullwrightError:
    error = evidence.error if evidence.error is not None else StateError()
    if (stop := _stop(error)) is not None:
        return stop
    if error.Error == EXECUTION_TIMED_OUT:
        return _out_of_time(evidence)
    if not evidence.is_open:
        return _not_opened(error)
    if evidence.error is not None and not evidence.is_admitted:
        return _not_admitted(error)
    return _not_finished(error, evidence)


def _not_finished(error: StateError, evidence: Evidence) -> PullwrightError:
    if error.Error == _TIMED_OUT:
        return _too_long()
    task = TaskEnd.of(error.decoded) if error.Error == _TASK_FAILED and error.decoded else evidence.task
    if task is None and error.Error.startswith(_LAUNCH):
        if error.Error == QUOTA or NO_ROOM.search(_reasons(error)):
            return _no_room(_reasons(error), error.Error)
        return errors.TaskNotStarted(f"ECS did not start the task ({error.Error}).")
    if error.Error not in {"", _TASK_FAILED} and not error.Error.startswith(_LAUNCH):
        return errors.InternalError(f"The session's execution failed with {_short(error.Error)}.")
    return _ended(task if task is not None else TaskEnd(), is_corrupt=evidence.is_corrupt)


def _stop(error: StateError) -> PullwrightError | None:
    """Return the error with which a person stopped the execution; None if nobody did."""
    found = next((kind for kind in _STOPS if kind.__name__ == error.Error), None)
    if found is None:
        return None
    message = error.decoded.get("errorMessage") or error.Cause
    return found(one_line(str(message), _LONGEST_SENTENCE) or "Somebody stopped the session.")


def _reasons(error: StateError) -> str:
    """Return why RunTask started nothing: `Failures` of its answer, or the text of its error."""
    failures = error.decoded.get("Failures")
    reasons = [str(failure.get("Reason")) for failure in failures or [] if isinstance(failure, dict)]
    return " ".join(reasons) or error.Cause


def _no_room(reason: str, name: str) -> PullwrightError:
    if name == QUOTA or _USED_UP.search(reason):
        return errors.NoCapacity(
            "The AWS account's Fargate quota had no room for the task.",
            remedy="Start it again later. Ask the operator to raise the quota of Fargate vCPUs in Service "
            "Quotas, or to lower MaxConcurrentSessions to what it has room for.",
        )
    return errors.NoCapacity(
        f"Fargate had no room for the task ({name}).",
        remedy="Start it again later: AWS was short of capacity.",
    )


def _not_opened(error: StateError) -> PullwrightError:
    """Return why OpenPullRequest failed."""
    found = error_class(error.Error)
    if found is not None:
        message = error.decoded.get("errorMessage")
        return found.unpacked(str(message) if message else f"It ended with {error.Error}.")
    if error.Error in FUNCTION_REFUSED:
        return errors.AwsUnavailable(f"AWS did not run what opens the pull request ({_short(error.Error)}).")
    if error.Error.startswith(UNRECORDED):
        return errors.AwsUnavailable(f"AWS could not record the session ({_short(error.Error)}).")
    if error.Error == _TIMED_OUT:
        return errors.InternalError("Opening the pull request took too long.")
    return errors.InternalError(f"Opening the pull request failed with {_short(error.Error)}.")


def _not_admitted(error: StateError) -> PullwrightError:
    if error.Error in {_NO_SLOT, errors.NoCapacity.__name__}:
        return errors.NoCapacity("No slot came free: too many other sessions were running all the time.")
    if error.Error == _TIMED_OUT or error.Error.startswith(_TABLE):
        return errors.AwsUnavailable(f"AWS could not admit the session ({_short(error.Error)}).")
    return errors.InternalError(f"Admitting the session failed with {_short(error.Error)}.")


def _ended(task: TaskEnd, *, is_corrupt: bool) -> PullwrightError:
    if task.StopCode == _NEVER_STARTED:
        return _never_started(task.StoppedReason or "")
    if (task.Reason or "").startswith(_OUT_OF_MEMORY) and task.ExitCode in {None, _KILLED}:
        return errors.OutOfMemory("The task was killed because it used all of its memory.")
    if task.StopCode not in {None, _EXITED}:
        return _stopped(task)
    if is_corrupt:
        return errors.TaskLost("The task ended, but the result that it left cannot be read.")
    if (failure := _EXITS.get(task.ExitCode)) is not None:
        return failure
    how = "" if task.ExitCode is None else f" with exit code {task.ExitCode}"
    why = ": it was killed" if task.ExitCode == _KILLED else ""
    return errors.TaskLost(f"The task ended{how} without leaving a result{why}.")


def _stopped(task: TaskEnd) -> PullwrightError:
    if task.StopCode in _RECLAIMED:
        return errors.SpotInterrupted("AWS took back the spare capacity that the task ran on.")
    if task.StoppedReason == NO_HEARTBEAT:
        return errors.TaskLost("The task gave no sign of life any more and was stopped.")
    if task.StopCode == _BY_A_PERSON:
        return errors.TaskStopped("Somebody stopped the task before it was done.")
    return errors.TaskStopped(f"The task was stopped before it was done ({_short(task.StopCode or '')}).")


def _never_started(reason: str) -> PullwrightError:
    # The reason begins with a code; what follows names accounts and addresses, which are not for GitHub.
    code = reason.partition(":")[0]
    if code in _NO_PULL:
        return errors.ImagePullFailed(f"ECS could not pull the agent's image ({code}).")
    if NO_ROOM.search(reason):
        return _no_room(reason, _NEVER_STARTED)
    why = f" ({code})" if code.isalpha() else ""
    return errors.TaskNotStarted(f"ECS could not start the task{why}.")


def _out_of_time(evidence: Evidence) -> PullwrightError:
    """Return the time limit's error, by how far the session had got."""
    again = "Start it again; if it happens again, ask the operator."
    if not evidence.is_open:
        return errors.TimeLimit("The session's time was up before its pull request was open.", remedy=again)
    if not evidence.is_admitted:
        return errors.TimeLimit("The session's time was up while it waited for a slot.", remedy=again)
    if evidence.task is None:
        return errors.TimeLimit("The session's time was up before its task had started.", remedy=again)
    return _too_long()


def _too_long() -> PullwrightError:
    return errors.TimeLimit("The session's time was up, and the task had to be stopped.")


def _short(name: str) -> str:
    return name[:100] or "an unnamed error"
