"""What changed between two trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SYMLINK = "120000"
GITLINK = "160000"
ABSENT = "000000"
_NUMSTAT_FIELDS = 3
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs.

    Attributes:
        path: as git has it, bytes that are no UTF-8 kept by surrogates.
        old_mode: `000000` if it did not exist.
        mode: `000000` if it does not exist any more.
        blob: hash of the new content.
        old_blob: hash of the old one.
    """

    path: str
    old_mode: str
    mode: str
    blob: str
    old_blob: str = ""


def parse_changes(raw: bytes) -> list[Change]:
    """Read the output of `diff-tree -r -z --raw --no-renames`.

    https://git-scm.com/docs/diff-format: `:<mode> <mode> <hash> <hash> <status>`, NUL, path, NUL.
    """
    fields = raw.decode(errors="surrogateescape").split("\0")[:-1]
    changes = []
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, mode, old_blob, blob, _ = meta.removeprefix(":").split(" ")
        changes.append(Change(path=path, old_mode=old_mode, mode=mode, blob=blob, old_blob=old_blob))
    return changes


def parse_numstat(raw: bytes) -> tuple[int, int]:
    """Add up the output of `diff-tree -r -z --numstat --no-renames`: lines added, lines deleted."""
    added = deleted = 0
    for entry in raw.decode(errors="replace").split("\0"):
        fields = entry.split("\t", 2)
        # Binary files have `-` for both numbers.
        if len(fields) == _NUMSTAT_FIELDS and fields[0].isdecimal():
            added += int(fields[0])
            deleted += int(fields[1])
    return added, deleted


def present(changes: Sequence[Change]) -> list[Change]:
    """Return the changes that have a new content."""
    return [change for change in changes if change.mode not in {ABSENT, GITLINK}]


def above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the nearest first, without the root."""
    while path := path.rpartition("/")[0]:
        yield path


def shown(path: str) -> str:
    """Return a path as it may stand in a sentence."""
    return f"`{printable(path).replace('`', '?')}`"


def listed(paths: Sequence[str]) -> str:
    """Return the first of several paths as they may stand in a sentence."""
    names = ", ".join(shown(path) for path in paths[:_MOST_LISTED])
    return names if len(paths) <= _MOST_LISTED else f"{names} and {len(paths) - _MOST_LISTED} more"


def printable(path: str) -> str:
    """Return a path without what cannot be printed."""
    return "".join(c if c.isprintable() else "?" for c in path)
