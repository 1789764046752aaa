"""RemovePreview: from every way out, takes away what a preview has and says how it ended."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pullwright.errors import PullwrightError
from pullwright.metrics import preview_ended
from pullwright.previewing.comment import tell
from pullwright.previewing.models import PreviewVerdict
from pullwright.previewing.store import FAILED, SUCCEEDED
from pullwright.previewing.texts import render_failed, render_gone
from pullwright.previewing.verdict import failure_of
from pullwright.record import moment
from pullwright.reporting.event import StateError

if TYPE_CHECKING:
    from pullwright.previewing.routes import Routes
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewRecord
    from pullwright.reporting.event import TaskEnd
    from pullwright.reporting.tasks import Tasks
    from pullwright.settings import RemovePreviewSettings

# The newer preview has the comment; of somebody else's repository nothing is said anywhere.
_SAID_NOWHERE = frozenset({"PreviewReplaced", "OwnerNotAllowed", "InvalidRequest"})
_STREAM = "preview/preview"


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
    """Stop the task, take away rule, target group, host and slot, say how it ended, and close the record.

    Safe to repeat. The route goes before the task, so that nobody is sent to one that is stopping.

    Args:
        seconds: how long to wait for the task's end.

    Raises:
        AwsUnavailable: AWS did not do it; to be asked again.
        GitHubUnavailable, GitHubRateLimited: GitHub does not take the comment now; to be asked again.
    """
    store = services.store
    record = store.read(event.preview_id)
    routes.remove(event.preview_id)
    task = tasks.stop(event.execution_arn, None, seconds=seconds)
    if record.host:
        store.free_host(record.host, event.preview_id)
    store.free_slot(event.preview_id)
    if record.preview_status in {SUCCEEDED, FAILED}:
        # It was told before, by an attempt whose answer was lost.
        told = {"status": record.preview_status, "error": record.error, "sentence": record.sentence}
        return PreviewVerdict.model_validate(told)
    why, failure = failure_of(record, event.ended, task)
    if not event.is_too_late:
        try:
            _tell(event, services, record, why, failure, task)
        except PullwrightError:
            # Its slot is given back: the sweep finds it by this.
            store.note_untold(event.preview_id, is_untold=True)
            raise
    status = SUCCEEDED if failure is None else FAILED
    error = "" if failure is None else type(failure).__name__
    fields = {"preview_status": status, "error": error, "sentence": why}
    store.close(event.preview_id, fields, now=now, kept_days=services.settings.retention_days)
    _measure(record, error, now)
    return PreviewVerdict.model_validate({"status": status, "error": error, "sentence": why})


def _measure(record: PreviewRecord, error: str, now: datetime) -> None:
    began, healthy = moment(record.started_at), moment(record.healthy_at)
    if began is None or healthy is None:
        preview_ended(error or "withdrawn", healthy_seconds=None, hours=None)
        return
    hours = (now - healthy).total_seconds() / 3_600
    seconds = (healthy - began).total_seconds()
    preview_ended(error or "served", healthy_seconds=seconds, hours=hours)


def _tell(
    event: RemovePreviewEvent,
    services: PreviewServices[RemovePreviewSettings],
    record: PreviewRecord,
    why: str,
    failure: PullwrightError | None,
    task: TaskEnd | None,
) -> None:
    name = record.withdrawn if failure is None else type(failure).__name__
    if name in _SAID_NOWHERE:
        return
    if failure is None:
        tell(services.app, record, partial(render_gone, why=why))
        return
    stream = "" if task is None or task.TaskArn is None else task.TaskArn.rpartition("/")[2]
    log = f"{services.settings.preview_log_group} {_STREAM}/{stream}" if stream else ""
    text = partial(render_failed, why=why, remedy=failure.remedy, preview_id=event.preview_id, log=log)
    tell(services.app, record, text)
