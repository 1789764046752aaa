"""Limits how much of a repository's instructions the agent gets: the model reads them, which costs money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.rules.folder import fits
from runner.rules.frontmatter import joined, split

if TYPE_CHECKING:
    from runner.rules.instructions import Instructions

MAX_TEXT = 128 << 10
"""Of one file, in bytes: about 30,000 tokens."""
MAX_ALWAYS = 256 << 10
"""Of everything that holds for the whole session, in bytes."""
MAX_NESTED = 2 << 20
"""Of everything that holds for some files, and is read where the agent works on them, in bytes."""
_CUT = b"\n\n(The rest of this file is left out: it is too long.)\n"


class Bounds:
    """Cuts what is too long, and counts.

    Attributes:
        cut: files of which the beginning is brought.
    """

    def __init__(self) -> None:
        self.cut: list[str] = []
        self.left_out: list[str] = []
        self._always = MAX_ALWAYS
        self._nested = MAX_NESTED

    def fit(self, group: Instructions) -> dict[str, bytes]:
        """Return the texts for which there is room, as they are written, by path."""
        self.left_out += group.left_out
        fitting = {}
        for path, content in group.texts.items():
            text = self._shortened(path, content)
            if group.patterns:
                # What it imports holds for the same files: without, it would hold for the whole session.
                plain = split(text.decode(errors="replace"))[1]
                text = joined({"paths": list(group.patterns)}, plain).encode()
            if fits(path) and self._takes(len(text), nested=bool(group.patterns)):
                fitting[path] = text
            else:
                self.left_out.append(path)
        return fitting

    def _shortened(self, path: str, content: bytes) -> bytes:
        if len(content) <= MAX_TEXT:
            return content
        self.cut.append(path)
        start = content[:MAX_TEXT]
        return (start.rpartition(b"\n")[0] or start) + _CUT

    def _takes(self, size: int, *, nested: bool) -> bool:
        if size > (self._nested if nested else self._always):
            return False
        if nested:
            self._nested -= size
        else:
            self._always -= size
        return True
