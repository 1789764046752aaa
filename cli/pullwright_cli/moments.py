"""Times as people give them: `2h`, `3d`, `2026-11-01`, or with a time of day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from pullwright_cli.errors import CliError

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str, now: datetime | None = None, option: str = "--since") -> datetime | None:
    """Return the moment that a text names, in UTC where it has no zone; None for an empty one.

    Args:
        option: that it was given with.

    Raises:
        CliError: it names none.
    """
    if not text:
        return None
    if found := _AGO.fullmatch(text):
        return (now or datetime.now(UTC)) - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"{option}: {text!r} is no time: write 30m, 2h, 3d or 2026-11-01T09:00", 2) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)


def time_of_day(option: str, text: str) -> str:
    """Return a time of day as HH:MM; empty for an empty one.

    Args:
        option: that it was given with.

    Raises:
        CliError: it names none.
    """
    if not text:
        return ""
    try:
        return time.fromisoformat(text).strftime("%H:%M")
    except ValueError:
        raise CliError(f"{option}: {text} is no time of day; write it as HH:MM, such as 19:30", 2) from None
