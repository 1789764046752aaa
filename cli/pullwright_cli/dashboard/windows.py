"""A part of a text in the bucket, in whole lines: no text is read as a whole, however long it is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from pullwright.aws import code_of

if TYPE_CHECKING:
    from pullwright_cli.session import Session

PIECE = 128 * 1024
"""How much of a text one page shows, in bytes."""
_LONGEST_LINE = 1 << 20
"""A transcript has no longer one; of any other text, longer lines are shown in parts."""
_MISSING = frozenset({"NoSuchKey", "404"})
_BEYOND = "InvalidRange"


class Window(NamedTuple):
    """Lines of a text.

    Attributes:
        start: offset of the first byte in the text.
        end: offset after the last byte.
        size: bytes of the whole text.
    """

    content: bytes
    start: int
    end: int
    size: int

    @property
    def lines(self) -> list[bytes]:
        """The lines without their ends."""
        lines = self.content.split(b"\n")
        return lines if lines[-1] else lines[:-1]


def after(session: Session, name: str, start: int) -> Window | None:
    """Return the lines of an artifact from a place on; None if there is no such artifact."""
    window = _read(session, name, f"{start}-{start + PIECE - 1}")
    if window is not None and window.end < window.size and b"\n" not in window.content:
        window = _read(session, name, f"{start}-{start + PIECE + _LONGEST_LINE - 1}")
    if window is None or window.end >= window.size:
        return window
    kept = window.content.rfind(b"\n") + 1 or len(window.content)
    return window._replace(content=window.content[:kept], end=window.start + kept)


def before(session: Session, name: str, end: int | None) -> Window | None:
    """Return the lines of an artifact up to a place, or the last ones; None if there is no such artifact."""
    if end is None:
        window = _read(session, name, f"-{PIECE}")
    else:
        window = _read(session, name, f"{max(0, end - PIECE)}-{max(1, end) - 1}")
    if window is None or not window.start:
        return window
    cut = window.content.find(b"\n", 0, len(window.content) - 1) + 1
    return window._replace(content=window.content[cut:], start=window.start + cut)


def _read(session: Session, name: str, part: str) -> Window | None:
    """Read a range of bytes; nothing where the text is empty or has ended before it.

    Args:
        part: as in https://www.rfc-editor.org/rfc/rfc9110#name-byte-ranges, without the unit.
    """
    try:
        found = session.stack.client("s3").get_object(
            Bucket=session.stack.output("ArtifactsBucket"),
            Key=f"sessions/{session.id}/{name}",
            Range=f"bytes={part}",
        )
    except ClientError as error:
        if code_of(error) == _BEYOND:
            return Window(b"", 0, 0, 0)
        if code_of(error) in _MISSING:
            return None
        raise
    with contextlib.closing(found["Body"]) as body:
        content = body.read()
    # Who does not know ranges, or has nothing, gives the whole.
    whole = f"0-/{len(content)}"
    place, _, size = found.get("ContentRange", whole).removeprefix("bytes ").partition("/")
    start = int(place.partition("-")[0])
    return Window(content, start, start + len(content), int(size))
