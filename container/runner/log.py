"""The runner's log: JSON lines on standard output and, for the artifacts, in a file; no secret in either."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, TextIO

from aws_lambda_powertools import Logger

from pullwright.log import HIDDEN, scrub

if TYPE_CHECKING:
    from pathlib import Path

# awslogs keeps all of it; the file is uploaded as a whole, and again while the session runs.
MAX_FILE_CHARACTERS = 16 << 20
_FULL = '{"message": "the log is full; what follows is in CloudWatch"}\n'
# An event of CloudWatch holds 256 KiB, and awslogs cuts what is longer into pieces that are no JSON. A
# character takes up to four bytes. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
MAX_LINE_CHARACTERS = 60_000
_LONGEST_FIELD = 2_000
# https://www.rfc-editor.org/rfc/rfc7468, and OpenPGP's: https://www.rfc-editor.org/rfc/rfc9580#section-6.2
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
# Its last line may have a few characters only; something may stand before each, as a program's name.
_KEY_PART = re.compile(
    r"[A-Za-z0-9+/]{16,}={0,2}|^\s*[A-Za-z0-9+/]+={0,2}(?=\s*$)|[A-Za-z0-9+/]{2,}=+(?=\s*$)"
)
_LONGEST_KEY = 400


def bounded(line: str) -> str:
    """Return a line of the log as one event can hold it: JSON still, with its long fields cut.

    Args:
        line: as it was to be written, with its line end.
    """
    if len(line) <= MAX_LINE_CHARACTERS:
        return line
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = {"message": line}
    fields = record if isinstance(record, dict) else {"message": line}
    short = json.dumps({name: _shortened(value) for name, value in fields.items()})
    if len(short) >= MAX_LINE_CHARACTERS:
        short = json.dumps({"message": _shortened(line)})
    return f"{short}\n"


def _shortened(value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value)
    left_out = len(text) - _LONGEST_FIELD
    return value if left_out <= 0 else f"{text[:_LONGEST_FIELD]}… ({left_out} characters left out)"


class KeyLines:
    """Hides a private key that is written line by line: its lines alone look like nothing.

    It ends with its last line, or after as many as the longest keys have.
    """

    def __init__(self) -> None:
        self._left = 0

    def hide(self, line: str) -> str:
        """Return a line without the part of a key that it holds."""
        ended = _KEY_END.search(line)
        begins = _KEY_BEGIN.search(line, ended.end() if ended else 0)
        shown = line
        if self._left > 0:
            within = line[: ended.start()] if ended else line
            shown = _KEY_PART.sub(HIDDEN, within) + line[len(within) :]
            self._left = 0 if ended else self._left - 1
        if begins:
            self._left = _LONGEST_KEY
        return shown


class Tee:
    """A stream that takes secrets out and writes to standard output and to a file."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._file: TextIO | None = None
        self._room = MAX_FILE_CHARACTERS
        self._begun = ""
        self._keys = KeyLines()

    def copy_to(self, path: Path) -> None:
        """Write to this file too, from now on."""
        self.close_copy()
        self._room = MAX_FILE_CHARACTERS
        self._file = path.open("a", encoding="utf-8")

    def write(self, text: str) -> int:
        """Write what may be shown of a text, line by line: half a line may end with half a secret."""
        whole, end, rest = text.rpartition("\n")
        lines = (self._begun + whole + end).splitlines(keepends=True) if end else []
        self._begun = rest if end else self._begun + rest
        for line in lines:
            self._write(line)
        return len(text)

    def _write(self, line: str) -> None:
        # In this order: half a secret would not be known as one.
        shown = bounded(scrub(self._keys.hide(line)))
        self._out.write(shown)
        if self._file is not None and self._room > 0:
            # A line that does not fit ends the file, so that what is there can be read.
            self._room -= len(shown)
            self._file.write(shown if self._room >= 0 else _FULL)

    def flush(self) -> None:
        """Flush standard output and the file."""
        self._out.flush()
        if self._file is not None:
            self._file.flush()

    def close_copy(self) -> None:
        """End the copy in the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


tee = Tee(sys.stdout)
logger = Logger(service="runner", stream=tee)  # type: ignore[arg-type] # it only writes and flushes
