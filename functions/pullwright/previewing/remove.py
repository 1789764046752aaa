"""RemovePreview: from every way out, takes away what a preview has and says how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pullwright.errors import TimeLimit
from pullwright.json_object import as_object
from pullwright.metrics import preview_ended
from pullwright.previewing.comment import siblings, tell
from pullwright.previewing.models import PreviewVerdict
from pullwright.previewing.store import FAILED, SUCCEEDED
from pullwright.previewing.texts import failed, gone
from pullwright.previewing.verdict import failure_of
from pullwright.record import moment
from pullwright.reporting.event import StateError

if TYPE_CHECKING:
    from pullwright.previewing.routes import Routes
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewRecord
    from pullwright.previewing.texts import Text
    from pullwright.reporting.event import TaskEnd
    from pullwright.reporting.tasks import Tasks
    from pullwright.settings import RemovePreviewSettings

# The newer preview has the comment; of somebody else's repository nothing is said anywhere.
_SAID_NOWHERE = frozenset({"PreviewReplaced", "OwnerNotAllowed", "InvalidRequest"})
_OVER = frozenset({SUCCEEDED, FAILED})
_TIMED_OUT = "States.Timeout"


class RemovePreviewEvent(BaseModel):
    """What the state machine passes to RemovePreview.

    Attributes:
        ended: what a state failed with; None if both branches came to their end.
        is_too_late: whether its end need not be told any more.
    """

    model_config = ConfigDict(frozen=True)

    preview_id: str
    execution_arn: str
    started_at: datetime
    prepared: Any = None
    ended: StateError | None = None
    is_too_late: bool = False


def remove_preview(
    event: RemovePreviewEvent,
    services: PreviewServices[RemovePreviewSettings],
    tasks: Tasks,
    routes: Routes,
    *,
    now: datetime,
    seconds: float,
) -> PreviewVerdict:
    """Stop the task, take away rule, target group, host and slot, close the record and say how it ended.

    Safe to repeat. The route goes before the task, so that nobody is sent to one that is stopping. The record
    is closed before host and comment are looked at: what a function that outlived its execution writes into
    it is either seen here, or that function finds the record closed and has the sweep look again.

    Args:
        seconds: how long to wait for the task's end.

    Raises:
        AwsUnavailable: AWS did not do it; to be asked again.
        GitHubUnavailable, GitHubRateLimited: GitHub does not take the comment now; to be asked again.
    """
    store, preview_id = services.store, event.preview_id
    record = store.read(preview_id)
    routes.remove(preview_id)
    task = tasks.stop(event.execution_arn, None, seconds=seconds)
    was_open = record.preview_status not in _OVER
    # Noted first: whatever ends this function from here on, the sweep finds the preview.
    store.free_slot(preview_id, is_untold=was_open)
    if was_open:
        fields = _ending(event, record, task, now)
        record = store.close(preview_id, fields, now=now, kept_days=services.settings.retention_days)
        _measure(record, now)
    if record.host:
        store.free_host(record.host, preview_id)
    if was_open or preview_id in store.untold():
        if not event.is_too_late:
            _tell(services, record)
        store.note_untold(preview_id, is_untold=False)
    told = {"status": record.preview_status, "error": record.error, "sentence": record.sentence}
    return PreviewVerdict.model_validate(told)


def _ending(
    event: RemovePreviewEvent, record: PreviewRecord, task: TaskEnd | None, now: datetime
) -> dict[str, str]:
    """Return what the record says of a preview's end."""
    ended = event.ended
    if ended is not None and ended.Error == _TIMED_OUT and _is_time_up(event, now):
        ended = StateError(Error=TimeLimit.__name__)
    why, failure = failure_of(record, ended, task)
    arn = "" if task is None else task.TaskArn or ""
    fields = {"sentence": why, "task_id": arn.rpartition("/")[2]}
    if failure is None:
        return {**fields, "preview_status": SUCCEEDED, "error": ""}
    return {
        **fields,
        "preview_status": FAILED,
        "error": type(failure).__name__,
        "remedy": failure.remedy,
    }


def _is_time_up(event: RemovePreviewEvent, now: datetime) -> bool:
    """Tell the end of a task's time from a function that did not answer: both are States.Timeout."""
    seconds = as_object(event.prepared).get("seconds")
    return isinstance(seconds, int) and now - event.started_at >= timedelta(seconds=seconds)


def _measure(record: PreviewRecord, now: datetime) -> None:
    began, healthy = moment(record.started_at), moment(record.healthy_at)
    if began is None or healthy is None:
        preview_ended(record.error or "withdrawn", healthy_seconds=None, hours=None)
        return
    hours = (now - healthy).total_seconds() / 3_600
    seconds = (healthy - began).total_seconds()
    preview_ended(record.error or "served", healthy_seconds=seconds, hours=hours)


def _tell(services: PreviewServices[RemovePreviewSettings], record: PreviewRecord) -> None:
    if (record.error or record.withdrawn) in _SAID_NOWHERE:
        return
    if any(other.is_newer_than(record) for other in siblings(services.store, record)):
        # The comment is about the newer one by now.
        return
    text = _failed(services, record) if record.error else gone(why=record.sentence)
    tell(services.app, services.store, record, text)


def _failed(services: PreviewServices[RemovePreviewSettings], record: PreviewRecord) -> Text:
    text = partial(failed, why=record.sentence, remedy=record.remedy, preview_id=record.preview_id)
    if not record.task_id or services.log is None:
        return text()
    return text(log=services.log.place(record.task_id), lines=services.log.last_lines(record.task_id))
