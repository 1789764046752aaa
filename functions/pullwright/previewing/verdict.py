"""What came of a preview, by what was noted, how its state failed, and how its task ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright import errors
from pullwright.errors import PullwrightError, error_class
from pullwright.previewing.exits import EXITS, KILLED
from pullwright.reporting.classify import FUNCTION_REFUSED
from pullwright.reporting.event import StateError, TaskEnd

if TYPE_CHECKING:
    from pullwright.previewing.store import PreviewRecord

TIME_UP = "Its time was up."
_TIME_UP = errors.TimeLimit.__name__
# How the task ended is asked from ECS then.
_TASK_ENDED = frozenset({"States.TaskFailed", errors.TaskLost.__name__})
_TIMED_OUT = "States.Timeout"
# Step Functions and LocalStack spell it differently.
_TABLE = ("DynamoDB.", "DynamoDb.")
_NEVER_STARTED = "TaskFailedToStart"
_NO_PULL = "CannotPull"
# The runner ends otherwise only by itself.
_BY_SIGNALS = frozenset({None, 0, KILLED, errors.TaskStopped.exit_code})
_OUT_OF_MEMORY = "OutOfMemoryError"
_WAYS_TO_GO = frozenset({"LabelRemoved", "SessionStopped", "PreviewReplaced", "PullRequestClosed"})
_PUSH = "Push again, or add the label again."
_AGAIN = "Add the label again; if it happens again, ask the operator."


def failure_of(
    record: PreviewRecord, ended: StateError | None, task: TaskEnd | None
) -> tuple[str, PullwrightError | None]:
    """Return why a preview ended, and the error if it did not end as it should.

    Args:
        ended: what a state failed with, TimeLimit if its time was up; None if both branches came to their
            end.
        task: how the task ended; None if there was none.
    """
    if record.withdrawn in _WAYS_TO_GO:
        return record.withdrawn_cause, None
    name = "" if ended is None else ended.Error
    if name == _TIME_UP and record.healthy_at:
        return TIME_UP, None
    failure = _out_of_time(record, task) if name == _TIME_UP else _failure(name, ended, task, record)
    return failure.sentence, failure


def _out_of_time(record: PreviewRecord, task: TaskEnd | None) -> PullwrightError:
    """Return why nothing was served in all its time, by how far it had got."""
    if not record.plan:
        return errors.TimeLimit("Its time was up before it could be prepared.", remedy=_AGAIN)
    if task is None:
        return errors.TimeLimit("Its time was up before its task had started.", remedy=_AGAIN)
    return errors.PreviewNeverHealthy("Its time was up before it was healthy.")


def _failure(
    name: str, ended: StateError | None, task: TaskEnd | None, record: PreviewRecord
) -> PullwrightError:
    kind = error_class(name)
    if kind is not None and ended is not None and name not in _TASK_ENDED:
        return kind.unpacked(str(ended.decoded.get("errorMessage", ended.Cause)))
    if name == _TIMED_OUT or name in FUNCTION_REFUSED or name.startswith(_TABLE):
        return errors.AwsUnavailable(f"AWS did not do what the preview needed ({name}).")
    if name.startswith(("ECS.", "AmazonECS.")):
        return errors.TaskNotStarted(f"ECS did not start the task ({name}).")
    if name and name not in _TASK_ENDED:
        return errors.InternalError(f"The preview's execution failed with {name[:100]}.")
    return _of_task(task or TaskEnd(), was_healthy=bool(record.healthy_at))


def _of_task(task: TaskEnd, *, was_healthy: bool) -> PullwrightError:
    reason = f"{task.Reason or ''} {task.StoppedReason or ''}"
    if task.StopCode == _NEVER_STARTED:
        kind = errors.ImagePullFailed if _NO_PULL in reason else errors.TaskNotStarted
        return kind("ECS could not start the preview's task.")
    if _OUT_OF_MEMORY in reason:
        return errors.OutOfMemory(
            "The preview's task used up its memory.", remedy="Ask the operator to raise PreviewMemory."
        )
    if task.StopCode == "UserInitiated" and task.ExitCode in _BY_SIGNALS:
        return errors.TaskStopped("Somebody stopped the preview's task.", remedy="Add the label again.")
    when = " after it was healthy" if was_healthy else ""
    if task.ExitCode is None or (known := EXITS.get(task.ExitCode)) is None:
        code = "" if task.ExitCode is None else f" with exit code {task.ExitCode}"
        return errors.TaskLost(f"The preview's task ended{code}{when}.", remedy=_PUSH)
    return type(known)(f"{known.sentence[:-1]}{when}.", remedy=known.remedy)
