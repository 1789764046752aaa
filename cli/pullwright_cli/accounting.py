"""What sessions cost, summed up from their records."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pullwright_cli.listing import STATUSES, Filter, sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pullwright_cli.session import Deployed

_NONE = "none"
_EVERY = 1_000_000
GROUPS: dict[str, Callable[[dict[str, Any]], str]] = {
    "repository": lambda row: row["repository"] or _NONE,
    "worker": lambda row: row["worker"] or _NONE,
    "person": lambda row: row["requested_by"] or _NONE,
    "model": lambda row: row["model"] or _NONE,
    "day": lambda row: (row["created_at"] or _NONE)[:10],
    "month": lambda row: (row["created_at"] or _NONE)[:7],
}
_IN_ORDER = ("day", "month")


def cost(stack: Deployed, by: str, repository: str, since: datetime | None) -> dict[str, Any]:
    """Return what the sessions cost that began since then, by group: the dearest first, days in order."""
    rows = sessions(stack, Filter(repository=repository, since=since, limit=_EVERY))
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[GROUPS[by](row)].append(row)
    summed = [{"key": key, **_sum(members)} for key, members in groups.items()]
    summed.sort(key=lambda group: group["key"] if by in _IN_ORDER else (-group["cost_usd"], group["key"]))
    return {"by": by, "since": since.isoformat() if since else None, "groups": summed, "total": _sum(rows)}


def _sum(rows: list[dict[str, Any]]) -> dict[str, Any]:
    # Only those that were admitted had a task.
    ended = [row for row in rows if row["status"] in STATUSES[2:] and row["admitted_at"]]
    return {
        "sessions": len(rows),
        "failed": sum(row["status"] == "FAILED" for row in rows),
        "cost_usd": round(sum(row["cost_usd"] or 0 for row in rows), 6),
        "turns": sum(row["turns"] or 0 for row in rows),
        "cost_unknown": sum(row["cost_usd"] is None for row in ended),
    }
