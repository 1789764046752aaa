"""Tells a picture from other bytes: what a preview's browser makes is foreign until it was looked at.

https://www.w3.org/TR/png-3/#5DataRep
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 4_000_000
"""So that a picture fits into one request to a function, in base64
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), and below GitHub's limit of 5 MB
(https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-anonymized-urls)."""
MAX_WIDTH, MAX_HEIGHT = 2_000, 10_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">II5B")
# Of those that the standard knows, what tells how pixels look; no text and nothing of somebody's own.
_KINDS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"}
)


def problem_of(content: bytes) -> str:
    """Return why bytes are no picture that is taken; empty if they are one."""
    if len(content) > MAX_BYTES:
        return f"the picture has more than {MAX_BYTES:,} bytes"
    if not content.startswith(_SIGNATURE):
        return "it is no PNG"
    try:
        kinds = [kind for kind, _ in _chunks(content)]
        _, header = next(_chunks(content))
    except (ValueError, StopIteration):
        return "the PNG is damaged"
    if kinds[0] != b"IHDR" or len(header) != _HEADER.size:
        return "the PNG has no header"
    if not _KINDS.issuperset(kinds):
        return "the PNG has parts that no screenshot has"
    is_whole = b"IDAT" in kinds and kinds[-1] == b"IEND" and kinds.count(b"IEND") == 1
    return _size_problem(header) if is_whole else "the PNG is not whole"


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and data of each part.

    Raises:
        ValueError: one is cut, or its checksum is wrong.
    """
    at = len(_SIGNATURE)
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        kind, data, checksum = content[at + 4 : at + 8], content[at + 8 : end], content[end : end + 4]
        if zlib.crc32(kind + data).to_bytes(4, "big") != checksum:
            raise ValueError(kind)
        yield kind, data
        at = end + 4


def _size_problem(header: bytes) -> str:
    width, height, *_ = _HEADER.unpack(header)
    if not (0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT):
        return f"the picture has {width} x {height} pixels; {MAX_WIDTH} x {MAX_HEIGHT} are taken at most"
    return ""
