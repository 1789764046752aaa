"""The stored form of a repository's workers: canonical JSON, packed into parts that fit the table."""

import json
import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from pullwright.workers.routing import Worker, as_value
from pullwright.workers.unpacking import GZIP

# An item of the table holds 400 KB, with its names.
CHUNK_BYTES = 300_000


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
    packed = zlib.compress(text, wbits=GZIP)
    chunks = tuple(packed[at : at + CHUNK_BYTES] for at in range(0, len(packed), CHUNK_BYTES))
    return Packed(chunks, sha256(text).hexdigest(), len(text))


def pack_routes(workers: Sequence[Worker]) -> Packed:
    """Pack what the webhook needs to know of workers: one chunk, or they say too much for the table."""
    return pack([as_value(worker) for worker in workers])
