"""What passes as a picture: whole, of bounded size, and nothing else in it."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.previewing import png
from pullwright.previewing.png import problem_of

# The smallest transparent picture that libpng writes, as it stands on many pages.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
SIGNATURE = PNG[:8]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """Return a chunk as the standard has it."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int = 1, height: int = 1) -> bytes:
    """Return the first chunk of a picture."""
    return chunk(b"IHDR", struct.pack(">II5B", width, height, 8, 6, 0, 0, 0))


PIXELS = chunk(b"IDAT", zlib.compress(b"\0" * 5))
END = chunk(b"IEND")


def test_a_picture_is_taken() -> None:
    """One of libpng's, and the shortest."""
    assert problem_of(PNG) == ""
    assert problem_of(SIGNATURE + header() + PIXELS + END) == ""


@given(at=st.integers(0, len(PNG) - 1), bit=st.integers(0, 7))
def test_one_bit_makes_a_difference(at: int, bit: int) -> None:
    """Each chunk carries a checksum, and what stands around chunks is known."""
    changed = bytearray(PNG)
    changed[at] ^= 1 << bit
    assert problem_of(bytes(changed)) != ""


@given(st.integers(0, len(PNG) - 1))
def test_a_part_is_not_taken(size: int) -> None:
    """A picture that was cut is none."""
    assert problem_of(PNG[:size]) != ""


@given(st.binary(min_size=1, max_size=200))
def test_nothing_stands_behind_a_picture(data: bytes) -> None:
    """Another file's content may not ride on it."""
    assert problem_of(PNG + data) != ""
    assert problem_of(data + PNG) != ""
    assert problem_of(data) != ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg>", "no PNG"),
        (SIGNATURE + PIXELS + END, "no header"),
        (SIGNATURE + header(2_001, 1) + PIXELS + END, "2001 x 1 pixels"),
        (SIGNATURE + header(1, 0) + PIXELS + END, "1 x 0 pixels"),
        (SIGNATURE + header() + END, "not whole"),
        (SIGNATURE + header() + PIXELS, "not whole"),
        (SIGNATURE + header() + chunk(b"tEXt", b"Comment\0x") + PIXELS + END, "parts"),
        (SIGNATURE + header() + PIXELS + END + END, "not whole"),
        (SIGNATURE + header() + chunk(b"IDAT", b"\0" * png.MAX_BYTES) + END, "bytes"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    """In words that can stand in a comment."""
    assert said in problem_of(content)
