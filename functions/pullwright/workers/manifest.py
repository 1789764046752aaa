"""The stored form of a repository's workers: canonical JSON, packed into parts that fit the table.

Standard library only, as the webhook reads the part that says what starts them.
"""

import json
import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from pullwright.workers.routing import Worker, as_value, as_worker

SCHEMA_VERSION = 1
"""Of all that is stored; whoever adds a field to a worker raises it."""
# An item of the table holds 400 KB, with its names.
CHUNK_BYTES = 300_000
_GZIP = zlib.MAX_WBITS | 16
MOST_BYTES = 32 << 20
"""Of the JSON of a repository's workers."""


class BrokenManifest(Exception):  # noqa: N818 - it is what is stored that is broken
    """What is stored is not what was written, or a newer release wrote it."""


class Packed(NamedTuple):
    """A value as it is stored.

    Attributes:
        chunks: parts of the compressed JSON, in order.
        sha256: hexadecimal, over the JSON.
        size: of the JSON, bytes.
    """

    chunks: tuple[bytes, ...]
    sha256: str
    size: int


def pack(value: Any) -> Packed:
    """Pack a value: the same value gives the same bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    packed = zlib.compress(text, wbits=_GZIP)
    chunks = tuple(packed[at : at + CHUNK_BYTES] for at in range(0, len(packed), CHUNK_BYTES))
    return Packed(chunks, sha256(text).hexdigest(), len(text))


def unpack(chunks: Sequence[bytes], expected_sha256: str) -> Any:
    """Return the value that was packed.

    Raises:
        BrokenManifest: a chunk is missing, or something else was changed.
    """
    try:
        text = _decompressed(b"".join(chunks))
    except zlib.error as error:
        raise BrokenManifest(f"it cannot be unpacked ({error})") from None
    if sha256(text).hexdigest() != expected_sha256:
        raise BrokenManifest("its checksum differs")
    return json.loads(text)


def _decompressed(packed: bytes) -> bytes:
    """Unpack to what a repository's workers can be at most: what is stored may have been changed."""
    decompressor = zlib.decompressobj(wbits=_GZIP)
    text = decompressor.decompress(packed, MOST_BYTES)
    if not decompressor.eof or decompressor.unused_data:
        raise BrokenManifest("it ends too early or too late")
    return text


def pack_routes(workers: Sequence[Worker]) -> Packed:
    """Pack what the webhook needs to know of workers: one chunk, or they say too much for the table."""
    return pack([as_value(worker) for worker in workers])


def unpack_routes(packed: bytes, expected_sha256: str) -> tuple[Worker, ...]:
    """Return what the webhook needs to know of workers.

    Raises:
        BrokenManifest: it is not what was written.
    """
    try:
        return tuple(as_worker(value) for value in unpack((packed,), expected_sha256))
    except (TypeError, KeyError, AttributeError) as error:
        raise BrokenManifest(f"it says something else ({type(error).__name__})") from None
