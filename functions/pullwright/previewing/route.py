"""RoutePreview: finds the task, routes its host to it once it is healthy, and shows it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pullwright.errors import (
    PreviewNotReady,
    PreviewReplaced,
    SessionClosed,
    TaskLost,
)
from pullwright.previewing.comment import tell_open
from pullwright.previewing.models import PreparedPreview, PreviewRoute
from pullwright.previewing.store import SERVING
from pullwright.previewing.texts import serving
from pullwright.previewing.waiting import check_time, step_of, tell_step
from pullwright.previewing.withdrawal import withdraw, withdrawn
from pullwright.record import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pullwright.previewing.routes import Routes
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewRecord, PreviewStore
    from pullwright.reporting.tasks import Tasks
    from pullwright.settings import RoutingSettings

OVERLAP_SECONDS = 20.0
"""How long an older preview goes on when a newer one has its host: requests reach it until all nodes of the
load balancer know the change, for which AWS gives no limit. Some seconds were seen:
https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3739."""
_INTERFACE, _ADDRESS = "ElasticNetworkInterface", "privateIPv4Address"


class RoutePreviewEvent(BaseModel):
    """What the state machine passes to RoutePreview."""

    model_config = ConfigDict(frozen=True)

    preview_id: str
    execution_arn: str
    prepared: PreparedPreview


def route_preview(
    event: RoutePreviewEvent,
    services: PreviewServices[RoutingSettings],
    tasks: Tasks,
    routes: Routes,
    *,
    now: datetime,
    pause: Callable[[float], None],
) -> PreviewRoute:
    """Look once whether a preview is ready, and show it if it is.

    Safe to repeat: the state machine asks again as long as it is not ready.

    Args:
        pause: waits so many seconds.

    Raises:
        PreviewNotReady: it is not; to be asked again.
        PreviewBuildTooLong, PreviewNeverHealthy: it has had its time.
        TaskLost: its task has ended; RemovePreview says how.
        PullwrightError: it is not wanted any more, or cannot be routed.
    """
    prepared, store = event.prepared, services.store
    record = store.read(event.preview_id)
    if (reason := withdrawn(record)) is not None:
        raise reason
    task = tasks.newest(event.execution_arn)
    address = None if task is None else _address(task)
    if task is None or address is None:
        if tasks.has_stopped(event.execution_arn):
            # One that was stopped from outside ends well, so that nothing else would end the preview.
            raise TaskLost("The preview's task ended before it was healthy.")
        raise PreviewNotReady("The preview's task does not run yet.")
    group = routes.register(event.preview_id, address, prepared.port, prepared.health)
    routes.admit(prepared.host, group)
    if not routes.is_healthy(group):
        at = step_of(task, record, services.log, partial(routes.answer, group), now)
        tell_step(at, record, services)
        check_time(task, prepared, at, now)
        raise PreviewNotReady("The preview does not answer its health check yet.")
    began = moment(record.started_at) or now
    healthy = moment(record.healthy_at) or now
    url = routes.url(prepared.host)
    fields = {
        "preview_status": SERVING,
        "healthy_at": healthy.isoformat(),
        "ends_at": (began + timedelta(seconds=prepared.seconds)).isoformat(),
        "url": url,
    }
    if not store.update_open(event.preview_id, fields, unless_withdrawn=True):
        raise withdrawn(store.read(event.preview_id)) or SessionClosed("The preview has ended.")
    routes.take_over(prepared.host, group)
    record = store.read(event.preview_id)
    tell_open(services.app, store, record, serving(record))
    older = _older(event.preview_id, began, prepared.host, store)
    if any(other.preview_status == SERVING for other in older):
        pause(max(0.0, OVERLAP_SECONDS - (now - healthy).total_seconds()))
    for other in older:
        cause = f"A newer preview, {event.preview_id}, took its place."
        withdraw(other, store, tasks, error=PreviewReplaced.__name__, cause=cause)
    return PreviewRoute(url=url, healthy_seconds=(healthy - began).total_seconds())


def _older(preview_id: str, began: datetime, host: str, store: PreviewStore) -> list[PreviewRecord]:
    """Return the earlier previews of a host; a later one takes this one's place, not the other way."""
    others = (store.read(other) for other in store.host_holders(host) - {preview_id})
    return [other for other in others if not other.is_newer(preview_id, began)]


def _address(task: Mapping[str, Any]) -> str | None:
    """Return a task's own address; None before it has one.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Attachment.html
    """
    if task.get("desiredStatus") == "STOPPED":
        return None
    return next(
        (
            str(detail["value"])
            for attachment in task.get("attachments") or []
            if attachment.get("type") == _INTERFACE
            for detail in attachment.get("details") or []
            if detail.get("name") == _ADDRESS
        ),
        None,
    )
