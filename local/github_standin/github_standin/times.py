"""Time as GitHub writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def stamp(seconds: float) -> str: ...
@overload
def stamp(seconds: None) -> None: ...
def stamp(seconds: float | None) -> str | None:
    """Return Unix seconds as `2026-01-31T12:00:00Z`, or None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
