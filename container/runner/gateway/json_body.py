"""Decodes a request's body as JSON, in no more memory than was counted beforehand.

See docs/decisions/0003-gateway-counts-before-it-decodes.md.
"""

import re
from typing import Any

import orjson

from runner.gateway.refusal import Refusal, malformed

MAX_BODY = 12 * 1024 * 1024
MAX_DECODING = 36 * 1024 * 1024

# The decoder's own copy of the text, and the strings that come of it; later, the encoder's output.
_PER_BYTE = 2
# CPython keeps all characters of a string in as many bytes as its widest one takes.
_PER_WIDE_BYTE = 4
# The most that was measured is 115: objects in objects, each with one member.
_PER_PIECE = 160

# Strings of plain characters, other strings (without an end, too), and what stands before or between values.
_PIECES = re.compile(
    rb'("[ -!#-\[\]-~]*+(?:\\[^u][ -!#-\[\]-~]*+)*+")|"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{,]', re.DOTALL
)


def memory_to_decode(raw: bytes) -> int:
    """Return how many bytes the decoding of a body takes at most, beside the body itself."""
    needed = len(raw) * _PER_BYTE
    for piece in _PIECES.finditer(raw):
        needed += _PER_PIECE
        if piece.lastindex is None:
            needed += (piece.end() - piece.start()) * _PER_WIDE_BYTE
        if needed > MAX_DECODING:
            break
    return needed


def decode(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a request's body.

    Raises:
        Refusal: it is none, or decoding it would take too much memory.
    """
    if memory_to_decode(raw) > MAX_DECODING:
        raise Refusal(413, "request_too_large", "The request's body has too many values to be checked.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise malformed(f"The request's body is not valid JSON in UTF-8: {error}.") from None
    if not isinstance(body, dict):
        raise malformed("The request's body is not a JSON object.")
    return body


def encode(value: object) -> bytes:
    """Return a decoded value as compact JSON in UTF-8.

    Raises:
        Refusal: it is nested too deeply.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise malformed("The request's body is nested too deeply.") from None
