"""The artifacts of a session in a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FolderStore:
    """See `runner.artifacts.Store`. Files belong to the folder's owner, whoever runs this."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, _task: str) -> bytes | None:
        """Return a file's content; None if there is no such file."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def write(self, name: str, content: bytes, _kind: str) -> None:
        """Write a file."""
        path = self._folder / name
        draft = path.with_name(f".{name}")
        draft.write_bytes(content)
        give_to_owner(draft)
        draft.replace(path)


def give_to_owner(path: Path) -> None:
    """Give a file to whom its folder belongs to: in a container, root would keep it."""
    owner = path.parent.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)
