"""The transcript: the CLI's lines as they came, within bounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_LINE_BYTES = 1 << 20
MAX_BYTES = 64 << 20


class Transcript:
    """Writes lines to a file until it is full; a line too long is replaced by a note of its size."""

    def __init__(
        self, path: Path, *, max_bytes: int = MAX_BYTES, max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        self._file = path.open("ab")
        self._room = max_bytes
        self._longest = max_line_bytes

    def write(self, line: bytes) -> None:
        """Keep one line."""
        if self._file.closed or self._room <= 0:
            return
        if len(line) > self._longest:
            line = _note("a line was too long", bytes=len(line))
        if len(line) > self._room:
            line = _note("the transcript is full")
            self._room = 0
        self._room -= len(line)
        self._file.write(line if line.endswith(b"\n") else line + b"\n")
        # What was written stays readable if this process dies.
        self._file.flush()

    def close(self) -> None:
        """End it."""
        self._file.close()


def _note(what: str, **facts: int) -> bytes:
    return json.dumps({"type": "pullwright", "subtype": "omitted", "reason": what, **facts}).encode()
