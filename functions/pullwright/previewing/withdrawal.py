"""Ends previews that are not wanted any more, so that their machines end by their own way.

An execution that is stopped reaches no Catch, and would leave everything to the sweep. So the reason is noted
in the record, where RoutePreview sees it while the preview starts, and the task of one that is served is
stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError, error_class

if TYPE_CHECKING:
    from pullwright.previewing.store import PreviewRecord, PreviewStore
    from pullwright.reporting.tasks import Tasks


def withdraw(record: PreviewRecord, store: PreviewStore, tasks: Tasks, *, error: str, cause: str) -> bool:
    """End one preview; return False if it has ended, or was to end before.

    Safe to repeat: the task is stopped again, the first reason stays.

    Args:
        error: class name from `pullwright.errors`.

    Raises:
        AwsUnavailable: AWS did not do it.
    """
    is_first = store.withdraw(record.preview_id, error=error, cause=cause)
    if record.is_open and record.execution_arn:
        tasks.silence(record.execution_arn, None, "The preview is not needed any more.")
    return is_first


def withdrawn(record: PreviewRecord) -> PullwrightError | None:
    """Return why a preview is not wanted any more; None if it is."""
    if not record.withdrawn:
        return None
    return (error_class(record.withdrawn) or PullwrightError)(record.withdrawn_cause)
