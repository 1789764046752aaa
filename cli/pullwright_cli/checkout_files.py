"""The files of a checkout, as GitHub would give those of its commit: links are not followed."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pullwright.workers.source import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class CheckoutFiles:
    """See `pullwright.workers.source.Source`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def root(self) -> Entry:
        """Return the checkout itself."""
        return Entry("", Kind.FOLDER)

    def entries(self, folder: Entry) -> Mapping[str, Entry]:
        """Return what a folder holds, without git's own."""
        prefix = f"{folder.path}/" if folder.path else ""
        with os.scandir(self._folder / folder.path) as found:
            return {it.name: _entry(it, f"{prefix}{it.name}") for it in found if it.name != ".git"}

    def read(self, entry: Entry) -> bytes:
        """Return a file's content."""
        return (self._folder / entry.path).read_bytes()


def _entry(found: os.DirEntry[str], path: str) -> Entry:
    status = found.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return Entry(path, Kind.LINK)
    if stat.S_ISREG(status.st_mode):
        return Entry(path, Kind.FILE, status.st_size)
    is_submodule = os.path.lexists(os.path.join(found.path, ".git"))  # noqa: PTH118 - scandir gives texts
    return Entry(path, Kind.SUBMODULE if is_submodule else Kind.FOLDER)
