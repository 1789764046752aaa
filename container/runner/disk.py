"""Watches the disk: there is no quota in a task, and a full disk would cost the agent's work."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RESERVE_BYTES = 512 << 20
_LOOK_SECONDS = 0.5


class DiskWatch:
    """Says when too little is left for collecting and pushing the work.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        # A disk that is small from the start is no reason to refuse.
        self._reserve = min(RESERVE_BYTES, self._free() // 4)
        self._files = self._free_files() // 20
        self._looked = clock()
        self._full = False

    def full(self) -> bool:
        """Return whether the reserve has been touched; looks twice a second at most."""
        if self._clock() - self._looked >= _LOOK_SECONDS:
            self._looked = self._clock()
            self._full = self._free() < self._reserve or self._free_files() < self._files
        return self._full

    def _free(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def _free_files(self) -> int:
        return os.statvfs(self._folder).f_favail
