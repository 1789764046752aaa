"""Which of our failures it was, from the result, the task's end and the state machine's error.

What the runner wrote comes first. Only when it wrote nothing is the rest asked, by error name and by the
code fields of ECS.
"""

from dataclasses import dataclass

from pullwright import errors
from pullwright.errors import PullwrightError
from pullwright.models import AgentResult, Failure, Outcome
from pullwright.reporting.event import StateError, TaskEnd

TIMED_OUT = "States.Timeout"
_TASK_FAILED = "States.TaskFailed"
_NO_SLOT = "DynamoDb.TransactionCanceledException"
_LAUNCH = ("ECS.", "AmazonECS.")
_TABLE = ("DynamoDb.", "DynamoDB.")
_NEVER_STARTED = "TaskFailedToStart"
_EXITED = "EssentialContainerExited"
_KILLED = 137
_OUT_OF_MEMORY = "OutOfMemoryError"
_LONGEST_SENTENCE = 1_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of how a session ended.

    Attributes:
        result: what the runner wrote.
        is_corrupt: it wrote something that cannot be read.
        is_open: OpenPullRequest had done its part.
        is_admitted: the session had a slot.
        task: how the task ended.
        error: what a state failed with.
    """

    result: AgentResult | None = None
    is_corrupt: bool = False
    is_open: bool = True
    is_admitted: bool = True
    task: TaskEnd | None = None
    error: StateError | None = None


def classify(evidence: Evidence) -> tuple[Outcome, Failure | None]:
    """The outcome of a session, and why it failed if it did."""
    result = evidence.result
    if result is not None and result.outcome is not Outcome.FAILED:
        return result.outcome, None
    return Outcome.FAILED, _failure(evidence).failure if result is None else _told(result, evidence)


def error_class(name: str) -> type[PullwrightError] | None:
    """The class of our errors that has a name; None for names of others."""
    found = None if name.startswith("_") else getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, PullwrightError) and found is not PullwrightError:
        return found
    return None


def _told(result: AgentResult, evidence: Evidence) -> Failure:
    """The runner's own word, unless it was stopped by us because its time was over."""
    failure = result.failure
    if failure is None:
        return errors.InternalError("The runner says that it failed, but not why.").failure
    name = evidence.error.Error if evidence.error is not None else ""
    if failure.error == errors.TaskStopped.__name__ and name == TIMED_OUT:
        return _too_long().failure
    return failure


def _failure(evidence: Evidence) -> PullwrightError:
    error = evidence.error if evidence.error is not None else StateError()
    if not evidence.is_open:
        return _not_opened(error)
    if error.Error == TIMED_OUT and evidence.is_admitted:
        return _too_long()
    if evidence.error is not None and not evidence.is_admitted:
        return _not_admitted(error)
    task = TaskEnd.of(error.decoded) if error.Error == _TASK_FAILED and error.decoded else evidence.task
    if task is None and error.Error.startswith(_LAUNCH):
        return errors.TaskNotStarted(f"ECS did not start the task ({error.Error}).")
    if error.Error not in {"", _TASK_FAILED} and not error.Error.startswith(_LAUNCH):
        return errors.InternalError(f"The session's execution failed with {_short(error.Error)}.")
    return _ended(task if task is not None else TaskEnd(), is_corrupt=evidence.is_corrupt)


def _not_opened(error: StateError) -> PullwrightError:
    """OpenPullRequest failed: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html."""
    found = error_class(error.Error)
    if found is not None:
        message = error.decoded.get("errorMessage")
        return found(str(message)[:_LONGEST_SENTENCE] if message else f"It ended with {error.Error}.")
    if error.Error == TIMED_OUT:
        return errors.InternalError("Opening the pull request took too long.")
    return errors.InternalError(f"Opening the pull request failed with {_short(error.Error)}.")


def _not_admitted(error: StateError) -> PullwrightError:
    if error.Error == _NO_SLOT:
        return errors.NoCapacity("No slot came free: too many other sessions were running all the time.")
    if error.Error == TIMED_OUT or error.Error.startswith(_TABLE):
        return errors.AwsUnavailable(f"AWS could not admit the session ({_short(error.Error)}).")
    return errors.InternalError(f"Admitting the session failed with {_short(error.Error)}.")


def _ended(task: TaskEnd, *, is_corrupt: bool) -> PullwrightError:
    if task.StopCode == _NEVER_STARTED:
        # The reason begins with a code; what follows names accounts and addresses, which are not for GitHub.
        code = (task.StoppedReason or "").partition(":")[0]
        why = f" ({code})" if code.isalpha() else ""
        return errors.TaskNotStarted(f"ECS could not start the task{why}.")
    if task.ExitCode == _KILLED and (task.Reason or "").startswith(_OUT_OF_MEMORY):
        return errors.OutOfMemory("The task was killed because it used all of its memory.")
    if task.StopCode not in {None, _EXITED}:
        return errors.TaskStopped(f"The task was stopped before it was done ({_short(task.StopCode or '')}).")
    if is_corrupt:
        return errors.TaskLost("The task ended, but the result that it left cannot be read.")
    how = "" if task.ExitCode is None else f" with exit code {task.ExitCode}"
    return errors.TaskLost(f"The task ended{how} without leaving a result.")


def _too_long() -> PullwrightError:
    return errors.TimeLimit("The session's time was up, and the task had to be stopped.")


def _short(name: str) -> str:
    return name[:100] or "an unnamed error"
