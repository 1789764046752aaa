"""A folder that the runner's user fills and the agent's reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_PATH = 1_000
_LONGEST_NAME = 255


def fits(path: str) -> bool:
    """Return whether the file system takes a path from a repository."""
    encoded = os.fsencode(path)
    return len(encoded) <= _LONGEST_PATH and all(len(part) <= _LONGEST_NAME for part in encoded.split(b"/"))


def make(folder: Path) -> None:
    """Make a folder, and those above it, which everybody may enter."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for parent in reversed(missing):
        parent.mkdir()
        parent.chmod(0o755)


def write(path: Path, content: bytes, *, program: bool = False) -> None:
    """Write a file that everybody may read."""
    make(path.parent)
    path.write_bytes(content)
    path.chmod(0o755 if program else 0o644)


def link(path: Path, target: Path) -> None:
    """Make a link that holds wherever the folder is moved to."""
    make(path.parent)
    path.symlink_to(os.path.relpath(target, path.parent))
