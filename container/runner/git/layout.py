"""The names in a tree, and where its links lead."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from runner.git.names import folded, is_git_folder, same
from runner.git.tree import SYMLINK, above

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from runner.git.store import Store

LONGEST_TARGET = 4096
"""Of a link, in bytes: Linux takes no longer one."""
# More than any system follows for one path: Linux 40, macOS 32, Windows 63.
_MOST_LINKS = 100


class Way(Enum):
    """Where a link must not lead."""

    OUTSIDE = "points outside the repository"
    GIT = "points outside the repository's files, into git's own folder"
    ENDLESS = "leads through other links without an end"


@dataclass(frozen=True, slots=True)
class Walk:
    """The way that a link leads.

    Attributes:
        links: the links on it, the first one included.
        end: path where it ends, which may not exist; or why it must not be followed.
    """

    links: tuple[str, ...]
    end: str | Way


class Layout:
    """A tree's names.

    Args:
        modes: of everything in the tree but folders, by path.
    """

    def __init__(self, modes: Mapping[str, str], targets: Mapping[str, str]) -> None:
        self.modes = modes
        self.targets = targets

    @classmethod
    def read(cls, store: Store, tree: str) -> Self:
        """Read a tree.

        Args:
            store: where it is, with its links' targets.
            tree: its hash, or a ref.
        """
        found = store.find(tree)
        links = {path: name for path, mode, name in found if mode == SYMLINK}
        names = sorted(set(links.values()))
        sizes = store.sizes(names) if names else {}
        # A longer one leads nowhere that is known, as an absolute one does.
        contents = dict.fromkeys(names, "/")
        short = [name for name in names if sizes[name] <= LONGEST_TARGET]
        contents |= {name: content.decode(errors="surrogateescape") for name, content in store.blobs(short)}
        return cls(
            {path: mode for path, mode, _ in found}, {path: contents[name] for path, name in links.items()}
        )

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder but the root."""
        found: set[str] = set()
        for path in self.modes:
            for folder in above(path):
                if folder in found:
                    break
                found.add(folder)
        return frozenset(found)

    @cached_property
    def named(self) -> dict[str, list[str]]:
        """Paths of files, links and folders by the folded form of their last part."""
        names: dict[str, list[str]] = defaultdict(list)
        for path in (*self.modes, *self.folders):
            names[folded(path.rpartition("/")[2])].append(path)
        return dict(names)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """What is in each folder; the root is the empty path."""
        inside: dict[str, list[str]] = defaultdict(list)
        for path in (*self.modes, *self.folders):
            inside[path.rpartition("/")[0]].append(path)
        return dict(inside)

    def follow(self, path: str, *, loosely: bool = False) -> Walk:
        """Follow a link as the kernel does: link by link, and `..` from where that led.

        Args:
            loosely: names that differ in case or composition only are one, as on macOS and Windows.
        """
        folder, _, name = path.rpartition("/")
        at = folder.split("/") if folder else []
        pending = deque([name])
        met: list[str] = []
        while pending:
            part = pending.popleft()
            if part in {"", "."}:
                continue
            if part == "..":
                if not at:
                    return Walk(tuple(met), Way.OUTSIDE)
                at.pop()
                continue
            if is_git_folder(part):
                return Walk(tuple(met), Way.GIT)
            here = "/".join([*at, part])
            if loosely:
                here = self._loose_links.get(_same_path(here), here)
            if here not in self.targets:
                at.append(part)
                continue
            met.append(here)
            if len(met) > _MOST_LINKS:
                return Walk(tuple(met), Way.ENDLESS)
            target = self.targets[here]
            if target.startswith("/"):
                return Walk(tuple(met), Way.OUTSIDE)
            at = here.split("/")[:-1]
            pending.extendleft(reversed(target.split("/")))
        return Walk(tuple(met), "/".join(at))

    @cached_property
    def _loose_links(self) -> dict[str, str]:
        return {_same_path(path): path for path in self.targets}


def is_at_or_below(path: str, places: frozenset[str] | set[str]) -> bool:
    """Return whether a path is one of some places or in one of them; the empty place is the root."""
    return "" in places or path in places or any(folder in places for folder in above(path))


def clashing(layout: Layout, added: Iterable[str]) -> tuple[str, str] | None:
    """Find a new name that is another one's on macOS or Windows.

    Args:
        layout: of the tree with the new names.
        added: new paths of files, links and folders.

    Returns:
        The new path and the other one.
    """
    new: dict[str, str] = {}
    for path in added:
        if (other := new.setdefault(_same_path(path), path)) != path:
            return path, other
    for path in (*layout.modes, *layout.folders) if new else ():
        if (other := new.get(_same_path(path), path)) != path:
            return other, path
    return None


def _same_path(path: str) -> str:
    return "/".join(map(same, path.split("/")))
