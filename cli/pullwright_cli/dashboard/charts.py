"""Where the bars of a chart stand; templates draw them as SVG."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP = 20
_HEIGHT = 120
_GAP = 4
_LEAST = 0.6


class Column(NamedTuple):
    """A day's cost as a column; lengths are in units of the drawing."""

    day: str
    usd: float
    sessions: int
    x: int
    y: float
    width: int
    height: float


class Columns(NamedTuple):
    """A chart of days.

    Attributes:
        most: what the highest column stands for, in dollars.
    """

    columns: list[Column]
    width: int
    height: int
    most: float


def by_day(groups: Sequence[dict[str, Any]], days: int, today: date) -> Columns:
    """Return a column for each of so many days, also for those on which nothing was spent."""
    found = {group["key"]: group for group in groups}
    names = [(today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1)]
    spent = [found.get(name, {"cost_usd": 0.0, "sessions": 0}) for name in names]
    most = max((day["cost_usd"] for day in spent), default=0)
    columns = []
    for place, (name, day) in enumerate(zip(names, spent, strict=True)):
        height = round(_HEIGHT * day["cost_usd"] / most, 2) if most else 0
        columns.append(
            Column(
                name,
                day["cost_usd"],
                day["sessions"],
                x=place * _STEP + _GAP // 2,
                y=round(_HEIGHT - height, 2),
                width=_STEP - _GAP,
                height=height,
            )
        )
    return Columns(columns, days * _STEP, _HEIGHT, most)


def shares(groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return groups, each with its cost in percent of the dearest as `share`."""
    most = max((group["cost_usd"] for group in groups), default=0)
    return [{**group, "share": round(100 * group["cost_usd"] / most, 1) if most else 0} for group in groups]


def timeline(states: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Return states, each with the begin and the length of its bar in percent of the whole time."""
    begins = [datetime.fromisoformat(state["entered_at"]).astimezone(UTC) for state in states]
    ends = [
        now if state["seconds"] is None else begin + timedelta(seconds=state["seconds"])
        for state, begin in zip(states, begins, strict=True)
    ]
    whole = max(((end - begins[0]).total_seconds() for end in ends), default=0) or 1
    bars = []
    for state, begin, end in zip(states, begins, ends, strict=True):
        width = max(_LEAST, 100 * (end - begin).total_seconds() / whole)
        x = min(100 * (begin - begins[0]).total_seconds() / whole, 100 - width)
        bars.append({**state, "x": round(max(0, x), 2), "width": round(min(width, 100), 2)})
    return bars
