"""What is stored of a repository's workers, read: `manifest` writes it.

Standard library only, and apart from the writing: the webhook starts cold, and reads what starts the workers.
"""

import json
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from pullwright.json_object import as_object
from pullwright.workers.routing import Worker, as_worker

SCHEMA_VERSION = 1
"""Of all that is stored; whoever adds a field to a worker raises it."""
GZIP = zlib.MAX_WBITS | 16
MOST_BYTES = 32 << 20
"""Of the JSON of a repository's workers."""


class BrokenManifest(Exception):  # noqa: N818 - it is what is stored that is broken
    """What is stored is not what was written, or a newer release wrote it."""


def read_routes(item: dict[str, Any]) -> tuple[Worker, ...]:
    """Read what starts the workers of a repository.

    Args:
        item: the record of the repository, as DynamoDB gives it.

    Raises:
        BrokenManifest: something is missing or was changed.
    """
    version = as_object(item.get("schema_version")).get("N")
    if version != str(SCHEMA_VERSION):
        raise BrokenManifest(f"it has the schema version {version}, and this release knows {SCHEMA_VERSION}")
    packed, expected = as_object(item.get("routes")).get("B"), as_object(item.get("routes_sha256")).get("S")
    if packed is None and expected == "":
        # No good set has been seen yet.
        return ()
    if not isinstance(packed, str) or not isinstance(expected, str):
        raise BrokenManifest("a part is missing")
    try:
        return unpack_routes(b64decode(packed, validate=True), expected)
    except Base64Error:
        raise BrokenManifest("it is not what the table gives") from None


def unpack_routes(packed: bytes, expected_sha256: str) -> tuple[Worker, ...]:
    """Return what the webhook needs to know of workers.

    Raises:
        BrokenManifest: it is not what was written.
    """
    try:
        return tuple(as_worker(value) for value in unpack((packed,), expected_sha256))
    except (TypeError, KeyError, AttributeError) as error:
        raise BrokenManifest(f"it says something else ({type(error).__name__})") from None


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
    decompressor = zlib.decompressobj(wbits=GZIP)
    text = decompressor.decompress(packed, MOST_BYTES)
    if not decompressor.eof or decompressor.unused_data:
        raise BrokenManifest("it ends too early or too late")
    return text
