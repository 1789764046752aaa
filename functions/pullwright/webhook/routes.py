"""What starts the workers that a repository defines, as it is stored."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from pullwright.json_object import as_object
from pullwright.workers.manifest import SCHEMA_VERSION, BrokenManifest, unpack_routes
from pullwright.workers.routing import Worker


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
