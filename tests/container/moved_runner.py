"""The runner with a clock that a file moves: `python moved_runner.py FILE`, which holds seconds."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from runner.__main__ import main
from runner.clock import Clock

if TYPE_CHECKING:
    import threading


class MovedClock(Clock):
    """The machine's clock, and as many seconds more as a file says; pauses are over at once, and count."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slept = 0.0

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._moved())

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic() + self._moved()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait on the moved clock."""
        end = self.monotonic() + seconds
        while self.monotonic() < end:
            if event.wait(0.05):
                return True
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self._slept += seconds

    def _moved(self) -> float:
        return self._slept + (float(self._path.read_text()) if self._path.exists() else 0.0)


if __name__ == "__main__":
    sys.exit(main(MovedClock(Path(sys.argv[1]))))
