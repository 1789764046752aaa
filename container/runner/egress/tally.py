"""Counts what was refused."""

from __future__ import annotations

import threading

MOST_NAMES = 100
OTHERS = "others"
"""Stands for all names above the most that are counted one by one."""


class Tally:
    """Counts what was refused, by name, until it is taken; safe for several threads."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Count one."""
        with self._lock:
            if name not in self._counts and len(self._counts) >= MOST_NAMES:
                name = OTHERS
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, int]:
        """Return the counts so far, and begin anew."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken
