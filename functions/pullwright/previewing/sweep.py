"""Removes what executions left that ended without RemovePreview: stopped, timed out, or failed.

A preview's slot is given back last but for the comment, so whatever still has something has its slot too, and
one whose comment GitHub did not take is noted. Those that ended before they had a slot are found among the
executions that ended badly. A RoutePreview that ran on when its execution was stopped may have made a target
group after all was removed; its tag names the preview.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError, SessionStopped
from pullwright.executions import session_of_execution
from pullwright.log import logger
from pullwright.previewing.remove import RemovePreviewEvent, remove_preview
from pullwright.record import DUE_FOR
from pullwright.reporting.event import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pullwright.previewing.routes import Routes
    from pullwright.previewing.services import PreviewServices
    from pullwright.reconciling.executions import ExecutionEnd, Executions
    from pullwright.reporting.tasks import Tasks
    from pullwright.settings import RemovePreviewSettings

# Longer than the table or GitHub are likely to fail.
_UNRECORDED_FOR = timedelta(hours=3)
_LAST_SECONDS = 45.0
_TIMED_OUT = "TIMED_OUT"


def sweep(
    services: PreviewServices[RemovePreviewSettings],
    tasks: Tasks,
    routes: Routes,
    executions: Executions,
    *,
    now: datetime,
    seconds_left: Callable[[], float],
    hint: str | None = None,
) -> list[str]:
    """Remove what ended executions left; leave alone what runs.

    Args:
        hint: ARN of an execution that has ended, which alone is looked at; None looks at all.

    Returns:
        The previews that were removed.

    Raises:
        AwsUnavailable: AWS did not say what there is; the next sweep asks again.
    """
    removed: list[str] = []
    grouped = routes.previews() if hint is None else frozenset()
    untold = services.store.untold() if hint is None else frozenset()
    for preview_id in _candidates(services, executions, grouped | untold, hint, now):
        if seconds_left() < _LAST_SECONDS:
            break
        try:
            event = _event(preview_id, services, executions, now, has_group=preview_id in grouped)
            if event is None and preview_id in untold:
                # The machine, or an earlier sweep, has told it meanwhile.
                services.store.note_untold(preview_id, is_untold=False)
            if event is not None:
                remove_preview(event, services, tasks, routes, now=now, seconds=seconds_left() / 4)
                removed.append(preview_id)
        except PullwrightError as error:
            # One that cannot be removed now holds up no other.
            logger.warning("a preview cannot be removed now", preview=preview_id, error=error.sentence)
    return removed


def _candidates(
    services: PreviewServices[RemovePreviewSettings],
    executions: Executions,
    left: frozenset[str],
    hint: str | None,
    now: datetime,
) -> Iterable[str]:
    if hint is not None:
        return [session_of_execution(hint)]
    ended = map(session_of_execution, executions.ended_badly_since(now - _UNRECORDED_FOR))
    return sorted({*services.store.holders(), *left, *ended})


def _event(
    preview_id: str,
    services: PreviewServices[RemovePreviewSettings],
    executions: Executions,
    now: datetime,
    *,
    has_group: bool,
) -> RemovePreviewEvent | None:
    """Return what the state machine would have passed to RemovePreview; None if nothing is left to do."""
    record = services.store.read(preview_id)
    # A group of a preview that has no record is another deployment's.
    has_left = preview_id in services.store.holders() or (has_group and record.preview_status)
    if not record.is_open and not has_left:
        return None
    arn = record.execution_arn or executions.arn_of(preview_id)
    end = executions.end_of(arn)
    if end is None:
        return None
    return RemovePreviewEvent(
        preview_id=preview_id,
        execution_arn=arn,
        started_at=end.started_at or datetime.now(UTC),
        ended=_ended(end),
        is_too_late=end.stopped_at is not None and now - end.stopped_at > DUE_FOR,
    )


def _ended(end: ExecutionEnd) -> StateError:
    if end.status == _TIMED_OUT:
        return StateError(Error="States.Timeout")
    if end.status == "ABORTED":
        error = end.error or SessionStopped.__name__
        return StateError(Error=error, Cause=end.cause or "Somebody stopped the preview's execution.")
    return StateError(Error=end.error, Cause=end.cause)
