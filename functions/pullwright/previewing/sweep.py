"""Removes what executions left that ended without RemovePreview: stopped, timed out, or failed.

When a preview's slot is given back, it is noted that its end is to be told, until it is; so whatever still
has something is found by either. Those that ended before they had a slot, or a record, are found among the
executions that ended badly. A function that ran on when its execution was stopped may have done something
after all was removed: it took a slot, noted that the end is to be told again, or made a target group, whose
tag names the preview.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pullwright.errors import InvalidRequest, PullwrightError, SessionStopped, TimeLimit
from pullwright.executions import session_of_execution
from pullwright.log import logger
from pullwright.opening.request import read_input
from pullwright.previewing.models import PreviewRequest
from pullwright.previewing.remove import RemovePreviewEvent, remove_preview
from pullwright.previewing.store import STARTING
from pullwright.record import DUE_FOR
from pullwright.reporting.event import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pullwright.previewing.routes import Routes
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewStore
    from pullwright.reconciling.executions import ExecutionEnd, Executions
    from pullwright.reporting.tasks import Tasks
    from pullwright.settings import RemovePreviewSettings

# Longer than the table or GitHub are likely to fail.
_UNRECORDED_FOR = timedelta(hours=3)
_LAST_SECONDS = 45.0
_TIMED_OUT = "TIMED_OUT"
_ENDED_BADLY = frozenset({"FAILED", "ABORTED", _TIMED_OUT})


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
            has_left = preview_id in grouped | untold
            if _end(preview_id, services.store, executions, has_left=has_left) is None:
                continue
            with _leased(services.store, preview_id, now, seconds_left()) as is_ours:
                # Another sweep may have done it before this one had the lease.
                end = _end(preview_id, services.store, executions, has_left=has_left) if is_ours else None
                if end is not None:
                    event = _event(preview_id, services.store, executions, end, now)
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


@contextmanager
def _leased(store: PreviewStore, preview_id: str, now: datetime, seconds: float) -> Iterator[bool]:
    """Have a preview for this sweep alone, as two that tell its end would make two comments."""
    until = now + timedelta(seconds=seconds)
    is_ours = store.lease(preview_id, now=now, until=until)
    try:
        yield is_ours
    finally:
        if is_ours:
            store.give_back(preview_id, until=until)


def _end(
    preview_id: str, store: PreviewStore, executions: Executions, *, has_left: bool
) -> ExecutionEnd | None:
    """Return how the execution of a preview ended of which something is left; None if there is nothing to do.

    Args:
        has_left: whether it has a target group, or its end was still to be told.
    """
    record = store.read(preview_id)
    if record.preview_status and not (record.is_open or has_left or preview_id in store.holders()):
        return None
    end = executions.end_of(record.execution_arn or executions.arn_of(preview_id))
    # A group of a preview that has no record here may be another deployment's.
    is_ours = bool(record.preview_status) or (end is not None and end.status in _ENDED_BADLY)
    return end if is_ours else None


def _event(
    preview_id: str, store: PreviewStore, executions: Executions, end: ExecutionEnd, now: datetime
) -> RemovePreviewEvent:
    """Return what the state machine would have passed to RemovePreview."""
    record = store.read(preview_id)
    arn = record.execution_arn or executions.arn_of(preview_id)
    if not record.preview_status:
        _begin(preview_id, store, arn, end)
    return RemovePreviewEvent(
        preview_id=preview_id,
        execution_arn=arn,
        started_at=end.started_at or datetime.now(UTC),
        ended=_ended(end),
        is_too_late=end.stopped_at is not None and now - end.stopped_at > DUE_FOR,
    )


def _begin(preview_id: str, store: PreviewStore, arn: str, end: ExecutionEnd) -> None:
    """Write the record of a preview whose execution could not, so that its end is told."""
    try:
        request = read_input(PreviewRequest, end.request)
    except InvalidRequest:
        # It is told nowhere for whom it was; the record says that it ended.
        request = None
    began = end.started_at or datetime.now(UTC)
    fields = {"preview_status": STARTING, "execution_arn": arn, "started_at": began.isoformat()}
    store.update(preview_id, fields | ({} if request is None else _asked(request)))


def _asked(request: PreviewRequest) -> dict[str, Any]:
    return {
        "preview_repository": request.repository,
        "pull_request": request.pull_request,
        "session": request.session,
        "installation_id": request.installation_id,
    }


def _ended(end: ExecutionEnd) -> StateError:
    if end.status == _TIMED_OUT:
        return StateError(Error=TimeLimit.__name__)
    if end.status == "ABORTED":
        error = end.error or SessionStopped.__name__
        return StateError(Error=error, Cause=end.cause or "Somebody stopped the preview's execution.")
    return StateError(Error=end.error, Cause=end.cause)
