"""The base branch's files as paths, with links followed inside of its own tree."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from typing import TYPE_CHECKING

from runner.git.tree import GITLINK, SYMLINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # Contents by blob; what is too large to read is missing.
    Read = Callable[[Sequence[str]], dict[str, bytes]]

_MOST_LINKS = 20
_DEEPEST = 8
_NAMES = (".claude", "CLAUDE.md", "AGENTS.md")


class BaseFiles:
    """The files of one tree.

    Args:
        entries: path, mode and blob of everything in the tree.
    """

    def __init__(self, entries: Sequence[tuple[str, str, str]], read: Read) -> None:
        self._read = read
        self._files = {path: blob for path, mode, blob in entries if mode not in {SYMLINK, GITLINK}}
        self._links = {path: blob for path, mode, blob in entries if mode == SYMLINK}
        self._modes = {path: mode for path, mode, _ in entries}
        self._paths = sorted([*self._files, *self._links])
        self._targets: dict[str, str] = {}

    @property
    def paths(self) -> list[str]:
        """Paths of all files and links, sorted."""
        return self._paths

    def is_program(self, path: str) -> bool:
        """Return whether a file may be executed."""
        return self._modes[path] == "100755"

    def contents(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Contents of files by path; what is too large is missing."""
        read = self._read(sorted({self._files[path] for path in paths}))
        return {path: read[self._files[path]] for path in paths if self._files[path] in read}

    def resolve(self, path: str) -> str | None:
        """Follow all links of a path.

        Args:
            path: from the tree's root; may hold `..`.

        Returns:
            The path of a file or a folder, the root's being empty; None if there is none or a link leads
            out of the tree.
        """
        waiting = list(reversed(path.split("/")))
        done: list[str] = []
        links = 0
        while waiting:
            part = waiting.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                # As the kernel has it, only a folder that is there has one above it.
                if not done or not self._below("/".join([*done, ""])):
                    return None
                done.pop()
                continue
            here = "/".join([*done, part])
            if here not in self._links:
                done.append(part)
                continue
            links += 1
            target = self._target(here)
            if links > _MOST_LINKS or target.startswith("/"):
                return None
            waiting.extend(reversed(target.split("/")))
        found = "/".join(done)
        return found if found in self._files or self._below(found + "/" if found else "") else None

    def file(self, path: str) -> str | None:
        """Return the file that a path leads to, or None if it leads to none."""
        found = self.resolve(path)
        return found if found in self._files else None

    def walk(self, folder: str, depth: int = _DEEPEST) -> Iterator[tuple[str, str]]:
        """Yield all files below a folder, those behind links included.

        Args:
            folder: may be a link itself.
            depth: how many links to folders are followed, one inside of the other.

        Yields:
            A file's path from the folder, and its own path in the tree.
        """
        found = self.resolve(folder)
        if found is None or found in self._files:
            return
        start = f"{found}/" if found else ""
        for path in self._below(start):
            name = path.removeprefix(start)
            if path in self._files:
                yield name, path
            elif (file := self.file(path)) is not None:
                yield name, file
            elif depth:
                yield from ((f"{name}/{rest}", file) for rest, file in self.walk(path, depth - 1))

    def holders(self) -> dict[str, set[str]]:
        """Folders that hold instructions, and by which names; the root is empty."""
        found: dict[str, set[str]] = {}
        for path in self._paths:
            if not any(name in path for name in _NAMES):
                continue
            folder, _, name = path.rpartition("/")
            parts = path.split("/")
            if ".claude" in parts:
                # The folder itself may be a link.
                found.setdefault("/".join(parts[: parts.index(".claude")]), set()).add(".claude")
            elif name in _NAMES:
                found.setdefault(folder, set()).add(name)
        return found

    def _below(self, start: str) -> list[str]:
        first = bisect_left(self._paths, start)
        # No path has this character: it is no valid one, and sorts behind all that are.
        return self._paths[first : bisect_left(self._paths, start + "\U0010ffff")]

    def _target(self, link: str) -> str:
        if link not in self._targets:
            blob = self._links[link]
            self._targets[link] = self._read([blob]).get(blob, b"/").decode(errors="surrogateescape")
        return self._targets[link]


def folder_of(path: str) -> str:
    """Return the folder that a path is in; empty for the root."""
    return posixpath.dirname(path)
