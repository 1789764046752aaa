"""What stands on the pages: texts of others with nothing hidden in them, links that lead where they say."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pullwright_cli.terminal import dollars, duration

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_LINK = 2_000
_KIB = 1024


class _Visible(dict[int, str]):
    """A table for `str.translate`: characters that are drawn as nothing, or turn others around, by number."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        hidden = character not in "\n\t" and unicodedata.category(character) in {
            "Cc",
            "Cf",
            "Co",
            "Cs",
            "Zl",
            "Zp",
        }
        self[code] = f"[U+{code:04X}]" if hidden else character
        return self[code]


_VISIBLE = _Visible()


def visible(value: Any) -> str:
    """Return a text whose invisible characters show; colours of terminals are left out.

    Characters that change the direction can make a change look like another one (https://trojansource.codes).
    """
    text = "" if value is None else str(value)
    return _COLOURS.sub("", text.replace("\r\n", "\n")).translate(_VISIBLE)


def link(value: Any) -> str:
    """Return an address on the web that a page may lead to; empty for everything else."""
    text = str(value or "")
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return text if is_web and text.isprintable() and " " not in text and len(text) <= _LONGEST_LINK else ""


def clock(value: Any) -> str:
    """Return a time as `27 Nov 2026, 09:05` in UTC; the text itself where it is none."""
    moment = _moment(value)
    return visible(value) if moment is None else f"{moment.day} {moment.strftime('%b %Y, %H:%M')}"


def took(began: Any, ended: Any, *, is_open: bool = False) -> str:
    """Return how long something took; empty where that is not known.

    Args:
        is_open: it has not ended: whole minutes so far, so that a live page changes once a minute at most.
    """
    first, last = _moment(began), _moment(ended)
    if first is not None and last is None and is_open:
        seconds = (datetime.now(UTC) - first).total_seconds()
        return f"{_minutes(seconds)} so far" if seconds >= 0 else ""
    return "" if first is None or last is None else duration(max(0.0, (last - first).total_seconds()))


def _minutes(seconds: float) -> str:
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def size(number: int) -> str:
    """Return a number of bytes as people say it."""
    if number < _KIB:
        return f"{number} B"
    return f"{number / _KIB:.0f} KiB" if number < _KIB**2 else f"{number / _KIB**2:.1f} MiB"


def money(value: Any) -> str:
    """Return an amount of money, in cents from a dollar on; empty if it is not known."""
    return f"${value:,.2f}" if isinstance(value, int | float) and value >= 1 else dollars(value)


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
