"""The lines of a file's difference, and where a line of one version is in another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github_standin.git.repository import GitRepository

Side = Literal["LEFT", "RIGHT"]
_HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class DiffLine:
    """One line of a file's difference.

    Attributes:
        position: lines below the file's first hunk header, as GitHub counts them.
        left: its number before the change, unless it was added.
        right: its number after the change, unless it was removed.
        hunk: the hunk's header with its lines up to this one.
        hunk_number: which hunk of the file.
    """

    position: int
    left: int | None
    right: int | None
    hunk: str
    hunk_number: int


def diff_lines(patch: str | None) -> Iterator[DiffLine]:
    """Yield the lines of a patch, the headers of later hunks being counted but not yielded.

    Args:
        patch: hunks without the file's header; None for a binary file.
    """
    left = right = hunk_number = 0
    hunk: list[str] = []
    for position, text in enumerate((patch or "").split("\n") if patch else ()):
        if header := _HEADER.match(text):
            left, right = int(header[1]), int(header[3])
            hunk_number, hunk = hunk_number + 1, [text]
            continue
        hunk.append(text)
        if text.startswith("\\"):
            continue
        on_left, on_right = not text.startswith("+"), not text.startswith("-")
        yield DiffLine(
            position, left if on_left else None, right if on_right else None, "\n".join(hunk), hunk_number
        )
        left += on_left
        right += on_right


def find_line(patch: str | None, side: Side, number: int) -> DiffLine | None:
    """Return the line with this number on one side of a difference, if it is part of a hunk."""
    return next(
        (line for line in diff_lines(patch) if (line.left if side == "LEFT" else line.right) == number),
        None,
    )


def moved(git: GitRepository, path: str, number: int, before: str, after: str) -> int | None:
    """Return where a line of a file is in another commit, or None if it was changed or is gone.

    Args:
        number: in the version of `before`.
        before: full hash of a commit, as `after`.
    """
    if before == after:
        return number
    flags = ("--unified=0", "--no-color", "--no-renames")
    text = git.run_fixed("diff", *flags, before, after, "--", path).decode(errors="replace")
    shift = 0
    for header in re.finditer(rf"^{_HEADER.pattern}", text, re.MULTILINE):
        start, removed = int(header[1]), int(header[2] or 1)
        added = int(header[4] or 1)
        # Of a hunk that only adds, the start is the line before it.
        first = start + 1 if removed == 0 else start
        if number < first:
            break
        if number < first + removed:
            return None
        shift += added - removed
    return number + shift
