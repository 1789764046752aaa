"""What sessions cost, summed up from their records, or from the totals of months, which outlive them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pullwright.months import MONTHLY
from pullwright.table import decoded
from pullwright_cli.listing import STATUSES, Filter, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from pullwright_cli.session import Deployed

MONTH = "month"
_NONE = "none"
_EVERY = 1_000_000
_UNNAMED = dict.fromkeys(("repository", "worker", "requested_by", "model"))
"""What an item of a month leaves out where a session had none."""
GROUPS: dict[str, Callable[[dict[str, Any]], str]] = {
    "repository": lambda row: row["repository"] or _NONE,
    "worker": lambda row: row["worker"] or _NONE,
    "person": lambda row: row["requested_by"] or _NONE,
    "model": lambda row: row["model"] or _NONE,
    "day": lambda row: (row["created_at"] or _NONE)[:10],
    MONTH: lambda row: (row["created_at"] or _NONE)[:7],
}
_IN_ORDER = ("day", MONTH)
_COUNTS = ("sessions", "failed", "cost_usd", "turns", "cost_unknown")


def cost(
    stack: Deployed, by: str, repository: str, since: datetime | None, *, whole_months: bool = False
) -> dict[str, Any]:
    """Return what the sessions cost that began since then, by group: the dearest first, days in order.

    Args:
        whole_months: from the totals of months, the month of `since` included.
    """
    if whole_months and since is not None:
        since = since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = sessions(stack, Filter(repository=repository, since=since, limit=_EVERY))
    if whole_months:
        # Those that run are in no total yet, nor are those that ended under a release without totals.
        rows = [row for row in rows if row["counted_in"] is None]
    counted = [(row, _counts(row)) for row in rows]
    if whole_months:
        counted += _totals(stack, repository, since)
    return {
        "by": by,
        "since": since.isoformat() if since else None,
        "source": "months" if whole_months else "records",
        **_grouped(counted, by),
    }


def summed(rows: list[dict[str, Any]], by: str) -> dict[str, Any]:
    """Return sums of sessions by group, and of them all."""
    return _grouped([(row, _counts(row)) for row in rows], by)


def _grouped(counted: list[tuple[dict[str, Any], dict[str, Any]]], by: str) -> dict[str, Any]:
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row, counts in counted:
        groups[GROUPS[by](row)].append(counts)
    sums = [{"key": key, **_sum(members)} for key, members in groups.items()]
    sums.sort(key=lambda group: group["key"] if by in _IN_ORDER else (-group["cost_usd"], group["key"]))
    return {"groups": sums, "total": _sum(counts for _, counts in counted)}


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    # Only those that were admitted had a task.
    has_ended = row["status"] in STATUSES[2:] and row["admitted_at"]
    return {
        "sessions": 1,
        "failed": int(row["status"] == "FAILED"),
        "cost_usd": row["cost_usd"] or 0,
        "turns": row["turns"] or 0,
        "cost_unknown": int(bool(has_ended) and row["cost_usd"] is None),
    }


def _totals(
    stack: Deployed, repository: str, since: datetime | None
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the totals of months, each as a row with the month as its time, and what it counts.

    One query of `by_status`, where they stand by month.
    """
    pages = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.output("SessionsTable"),
            IndexName="by_status",
            KeyConditionExpression="#s = :monthly AND heartbeat_at >= :first",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={
                ":monthly": {"S": MONTHLY},
                ":first": {"S": f"{since:%Y-%m}" if since else "0"},
            },
        )
    )
    for page in pages:
        for item in map(decoded, page["Items"]):
            if repository and item.get("repository") != repository:
                continue
            yield (
                {**_UNNAMED, **item, "created_at": item["heartbeat_at"]},
                {
                    "sessions": int(item["session_count"]),
                    "failed": int(item["failed_count"]),
                    "cost_usd": float(item["cost_usd"]),
                    "turns": int(item["turns"]),
                    "cost_unknown": int(item["unknown_count"]),
                },
            )


def _sum(counts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    summed = dict.fromkeys(_COUNTS, 0)
    for members in counts:
        summed = {name: summed[name] + members[name] for name in _COUNTS}
    return {**summed, "cost_usd": round(summed["cost_usd"], 6)}
