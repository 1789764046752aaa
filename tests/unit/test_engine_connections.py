"""How the engine ends a connection whose answer is to be lost."""

from __future__ import annotations

import os
from pathlib import Path

from pullwright_engine.connections import hang_up


def _open_files() -> set[str]:
    # The listing itself is open while it is made.
    return {file.name for file in Path("/proc/self/fd").iterdir() if file.exists()}


def test_nothing_stays_open(tmp_path: Path) -> None:
    """Looking for a connection among files and pipes leaves as many of them open as there were."""
    with (tmp_path / "file").open("w"):
        ends = os.pipe()
        before = _open_files()
        for _ in range(3):
            hang_up(1, 2)
        assert len(_open_files()) == len(before)
        for end in ends:
            os.close(end)
