"""Decoded JSON of others, of which nothing is sure but that it is JSON."""

from __future__ import annotations

import json
from typing import Any


def as_object(value: object) -> dict[str, Any]:
    """Return a decoded value if it is an object, and an empty one if it is not."""
    return value if isinstance(value, dict) else {}


def decode_object(text: Any) -> dict[str, Any]:
    """Decode a JSON object; what is no JSON, or another value, counts as an empty one."""
    try:
        return as_object(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return {}
