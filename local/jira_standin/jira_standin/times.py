"""Time as Jira writes it."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(seconds: float) -> str:
    """Return Unix seconds as `2026-01-31T12:00:00.000+0000`."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def reset_stamp(seconds: float) -> str:
    """Return Unix seconds as the header `X-RateLimit-Reset` has them: `2026-01-31T12:00Z`."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")
