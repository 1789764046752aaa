"""What people read: text that cannot move the cursor, columns, and colours where somebody looks."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STYLES = {"green": "32", "red": "31", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}
_COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "RUNNING": "cyan", "QUEUED": "yellow"}
_MINUTE, _HOUR = 60, 3600


def print_json(value: Any) -> None:
    """Print a value for programs."""
    print(json.dumps(value, indent=2, default=str))


def print_commands(lines: Sequence[str], *, as_json: bool) -> None:
    """Print what a command would run, for --dry-run."""
    if as_json:
        print_json({"commands": list(lines)})
    else:
        print("\n".join(lines))


def plain(value: Any) -> str:
    """Return a value on one line; what came from elsewhere must not steer the terminal."""
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else " " for char in text)


def is_coloured() -> bool:
    """Whether colours are wanted: on a terminal, and not where NO_COLOR is set (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def styled(text: str, style: str) -> str:
    """Return a text in a colour, where colours are wanted."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and is_coloured() else text


def status_style(status: str) -> str:
    """Return the colour of a status."""
    return _COLOURS.get(status, "")


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[Any]], styles: Mapping[int, str] | None = None
) -> None:
    """Print columns; on a terminal the last one is cut to its width.

    Args:
        styles: colours of rows, by their place.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for place, row in enumerate([list(headers), *cells], start=-1):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print(styled(line[:columns], "bold" if place < 0 else (styles or {}).get(place, "")))


def print_fields(fields: Sequence[tuple[str, Any]]) -> None:
    """Print what is known, a name before each; what is not known is left out."""
    known = [(name, plain(value)) for name, value in fields if value not in (None, "")]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        print(f"{styled(name.ljust(width), 'bold')}  {value}")


def duration(seconds: float | None) -> str:
    """Return a duration as people say it; empty if it is not known."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:02.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:02.0f} min"


def dollars(usd: Any) -> str:
    """Return an amount of money; empty if it is not known."""
    return "" if usd is None else f"${float(usd):.4f}"


def ago(text: Any) -> str:
    """Return how long ago a time in ISO 8601 was; the text itself where it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return plain(text)
    seconds = (datetime.now(UTC) - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))).total_seconds()
    return f"{seconds / 86_400:.0f} d ago" if seconds > 2 * 86_400 else f"{duration(max(seconds, 0))} ago"
