"""Trees as the runner's checks of a branch see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import FileMode

from runner.git.layout import Layout
from runner.git.store import Store
from runner.git.tree import ABSENT, SYMLINK, Change

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "100644"


def a_layout(*files: str, links: Mapping[str, str] | None = None) -> Layout:
    """Return a tree with some files and links."""
    modes = {**dict.fromkeys(files, FILE), **dict.fromkeys(links or {}, SYMLINK)}
    return Layout(modes, links or {})


def changes_of(old: Layout, new: Layout, *edited: str) -> list[Change]:
    """Return what `git diff-tree` says of two trees."""
    return [
        Change(path, old.modes.get(path, ABSENT), new.modes.get(path, ABSENT), "a" * 40, "b" * 40)
        for path in sorted({*old.modes, *new.modes})
        if old.modes.get(path) != new.modes.get(path)
        or old.targets.get(path) != new.targets.get(path)
        or path in edited
    ]


class Repository:
    """A real one."""

    def __init__(self, folder: Path) -> None:
        """Make an empty one."""
        self._repository = pygit2.init_repository(folder)
        self.store = Store(folder / ".git")

    def tree(self, files: Mapping[str, bytes | str]) -> str:
        """Make a tree and say its hash.

        Args:
            files: contents by path; a text is a link's target.
        """
        index = pygit2.Index()
        for path, content in files.items():
            mode, data = (SYMLINK, content.encode()) if isinstance(content, str) else (FILE, content)
            blob = self._repository.create_blob(data)
            index.add(pygit2.IndexEntry(path, blob, FileMode(int(mode, 8))))
        return str(index.write_tree(self._repository))
