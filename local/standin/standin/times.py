"""Times in lists of requests."""

from __future__ import annotations

from datetime import UTC, datetime


def fine_stamp(seconds: float) -> str:
    """Return Unix seconds as `2026-01-31T12:00:00.123Z`."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
