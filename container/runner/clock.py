"""The runner's clock, and how long each phase of a session takes.

Whatever lasts (credentials, limits, intervals) asks this clock, so that a test can move it by hours.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping


class Clock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment; the count never goes back."""
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event; False if it has not come in time."""
        return event.wait(seconds)

    def sleep(self, seconds: float) -> None:
        """Wait, whatever happens."""
        time.sleep(seconds)


CLOCK = Clock()


class Phases:
    """Seconds per phase, in the order in which the phases began; a repeated phase adds up."""

    def __init__(self, clock: Clock = CLOCK) -> None:
        self._clock = clock
        self.began = clock.monotonic()
        self._seconds: dict[str, float] = {}

    def go_on(self, seconds: float, phases: Mapping[str, float]) -> None:
        """Add what earlier tasks of the session took.

        Args:
            phases: seconds per phase.
        """
        self.began -= seconds
        for name, value in phases.items():
            self._seconds[name] = self._seconds.get(name, 0.0) + value

    @property
    def elapsed(self) -> float:
        """Seconds since the task started, and those of the tasks before it."""
        return self._clock.monotonic() - self.began

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds per phase, to the millisecond."""
        return {name: round(value, 3) for name, value in self._seconds.items()}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one phase, however it ends."""
        start = self._clock.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + self._clock.monotonic() - start
