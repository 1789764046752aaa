"""What a preview is at while it is not healthy: said at each step, and given up after its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pullwright.errors import PreviewBuildTooLong, PreviewNeverHealthy, PullwrightError
from pullwright.log import logger
from pullwright.previewing.comment import tell_open
from pullwright.previewing.steps import Begun, Step, is_later
from pullwright.previewing.texts import building

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pullwright.previewing.models import PreparedPreview
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewRecord
    from pullwright.previewing.task_log import TaskLog
    from pullwright.settings import RoutingSettings

_LONGER = "Give it more seconds by `start_timeout` of `preview` in .pullwright/config.yaml."


def step_of(
    task: Mapping[str, Any],
    record: PreviewRecord,
    log: TaskLog | None,
    answer: Callable[[], str],
    now: datetime,
) -> PreviewRecord:
    """Return a preview's record with the step that it is at by now; no step comes back.

    Args:
        task: as ECS describes it.
        answer: asks what the load balancer says of the server's answers.
    """
    started = task.get("startedAt")
    if not isinstance(started, datetime):
        return record
    told = None if log is None else log.step(str(task["taskArn"]).rpartition("/")[2])
    begun = told or Begun(Step.CLONE, started)
    said = answer() if begun.step is Step.START else ""
    if said:
        begun = Begun(Step.HEALTH, now)
    known = {"step_answer": said} if said else {}
    if is_later(begun.step, record.step):
        known |= {"step": begun.step.value, "step_at": begun.at.isoformat()}
    return record.model_copy(update=known)


def tell_step(
    record: PreviewRecord, before: PreviewRecord, services: PreviewServices[RoutingSettings]
) -> None:
    """Say which step a preview is at, once for each; that it cannot be said now ends no preview."""
    if record.step == before.step:
        return
    fields = {"step": record.step, "step_at": record.step_at, "step_answer": record.step_answer}
    if not services.store.update_open(record.preview_id, fields):
        return
    try:
        tell_open(services.app, services.store, record, building(record))
    except PullwrightError as error:
        logger.warning("what the preview is at cannot be said now", error=error.sentence)


def check_time(
    task: Mapping[str, Any], prepared: PreparedPreview, record: PreviewRecord, now: datetime
) -> None:
    """Refuse to wait for a task any longer than build and start may take.

    Raises:
        PreviewBuildTooLong, PreviewNeverHealthy: by the step that it is at.
    """
    started, most = task.get("startedAt"), prepared.start_seconds
    if not isinstance(started, datetime) or now - started <= timedelta(seconds=most):
        return
    if record.step == Step.BUILD:
        raise PreviewBuildTooLong(f"The build took longer than {most} seconds.")
    if record.step == Step.CLONE:
        raise PreviewNeverHealthy(f"Its commit was still being cloned after {most} seconds.", remedy=_LONGER)
    said = f" The load balancer says: {record.step_answer}." if record.step_answer else ""
    raise PreviewNeverHealthy(
        f"The path {prepared.health} on port {prepared.port} did not answer with a status from 200 to 399 "
        f"within {most} seconds.{said}"
    )
