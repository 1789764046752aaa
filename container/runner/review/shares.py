"""Shortens a difference so that no file of it, however long, keeps another from being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Every other line of a difference begins with another word, or with `+`, `-`, a space or a backslash.
_HEADING = b"diff --git "
CUT = "\n… the rest of this file's difference is left out: it is too long.\n"


def shorten(path: Path, most: int) -> bool:
    """Cut the longest parts of a difference in a file; return whether that was needed.

    Args:
        most: bytes that stay, beside a line where something was cut.
    """
    if path.stat().st_size <= most:
        return False
    with path.open("rb") as stream:
        lengths: dict[int, int] = {}
        for number, line in _numbered(stream):
            lengths[number] = lengths.get(number, 0) + len(line)
    share = share_of(lengths.values(), most)
    draft = path.with_suffix(".short")
    with path.open("rb") as stream, draft.open("wb") as kept:
        left, current = 0, -1
        for number, line in _numbered(stream):
            if number != current:
                current, left = number, share
            kept.write(line[:left])
            if left and len(line) > left:
                kept.write(CUT.encode())
            left = max(left - len(line), 0)
    draft.replace(path)
    return True


def share_of(lengths: Iterable[int], most: int) -> int:
    """Return how long each part may be, so that all together are no longer than `most`."""
    ordered, left = sorted(lengths), most
    for number, length in enumerate(ordered):
        share = left // (len(ordered) - number)
        if length > share:
            return share
        left -= length
    return most


def _numbered(stream: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield lines with the number of the file that they are about."""
    number = 0
    for line in stream:
        number += line.startswith(_HEADING)
        yield number, line
