"""Trees as the runner's checks of a branch see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.git.layout import Layout
from runner.git.tree import ABSENT, SYMLINK, Change

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "100644"


def a_layout(*files: str, links: Mapping[str, str] | None = None) -> Layout:
    """A tree with some files and links."""
    modes = {**dict.fromkeys(files, FILE), **dict.fromkeys(links or {}, SYMLINK)}
    return Layout(modes, links or {})


def changes_of(old: Layout, new: Layout, *edited: str) -> list[Change]:
    """What `git diff-tree` says of two trees.

    Args:
        old: the tree before.
        new: the tree after.
        edited: files with another content.
    """
    return [
        Change(path, old.modes.get(path, ABSENT), new.modes.get(path, ABSENT), "a" * 40, "b" * 40)
        for path in sorted({*old.modes, *new.modes})
        if old.modes.get(path) != new.modes.get(path)
        or old.targets.get(path) != new.targets.get(path)
        or path in edited
    ]
