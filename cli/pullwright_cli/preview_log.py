"""What the parts of a preview have logged: its functions, its machine, and its task."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright_cli.logbook import Logbook, Place
from pullwright_cli.session import tasks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright_cli.previews import Found
    from pullwright_cli.session import Deployed

SOURCES = ("functions", "states", "preview")
_FUNCTIONS = ("prepare-preview", "route-preview", "remove-preview")
_STREAM = "preview/preview"
"""Of the streams of tasks: the template's prefix and the container's name."""
_MOST_STREAMS = 100
_BEFORE, _AFTER = timedelta(minutes=1), timedelta(minutes=10)


class PreviewLogbook(Logbook):
    """The logs of one preview."""

    def __init__(self, stack: Deployed, sources: Sequence[str], found: Found) -> None:
        super().__init__(stack, sources, found.session)
        self._prefix = stack.output("LogGroupName").rpartition("/")[0]
        self._preview, self._record = found.session, found.record

    def span(self) -> tuple[datetime | None, datetime | None]:
        """Return from when to when the preview may have been logged."""
        began, ended = self._record.started_at, self._record.ended_at
        return (
            datetime.fromisoformat(began) - _BEFORE if began else None,
            datetime.fromisoformat(ended) + _AFTER if ended else None,
        )

    def _places(self) -> list[Place]:
        places = []
        if "functions" in self._sources:
            places += [Place("functions", name, f"{self._prefix}/{name}") for name in _FUNCTIONS]
        # What the branch's own program writes does not hold the preview's id: its tasks' streams do it.
        if "preview" in self._sources and (streams := self._streams()):
            places.append(Place("preview", "task", f"{self._prefix}/preview", streams))
        return places

    def _streams(self) -> tuple[str, ...]:
        try:
            tasks = tasks_of(self._preview.events())
        except errors.ExecutionForgotten:
            return ()
        return tuple(f"{_STREAM}/{task.rpartition('/')[2]}" for task in tasks)[-_MOST_STREAMS:]
