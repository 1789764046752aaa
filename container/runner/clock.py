"""How long each phase of a session takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Phases:
    """Seconds per phase, in the order in which the phases began; a repeated phase adds up."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._seconds: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the task started."""
        return time.monotonic() - self.began

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds per phase, to the millisecond."""
        return {name: round(value, 3) for name, value in self._seconds.items()}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measures one phase, however it ends."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - start
