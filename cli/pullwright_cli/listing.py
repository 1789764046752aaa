"""Which sessions there are: queries of the table's indexes, never a scan."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright.table import decoded, session_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pullwright_cli.session import Deployed

STATUSES = ("QUEUED", "RUNNING", "SUCCEEDED", "FAILED")
_TEXTS = (
    *("status", "outcome", "repository", "pull_request_url", "branch", "worker", "requested_by", "model"),
    *("created_at", "admitted_at", "closed_at", "error", "sentence", "counted_in"),
)
_NUMBERS = ("issue", "pull_request", "turns")
_COLUMNS = (*_TEXTS, *_NUMBERS, "cost_usd", "stub")
_SESSION = "SESSION#"


class Filter(NamedTuple):
    """Which sessions are wanted; what is empty lets all pass.

    Attributes:
        since: that began then or later.
        limit: how many at most, the newest.
    """

    repository: str = ""
    status: str = ""
    worker: str = ""
    since: datetime | None = None
    limit: int = 20

    def lets(self, row: dict[str, Any]) -> bool:
        """Return whether a session is wanted."""
        return (
            (not self.repository or row["repository"] == self.repository)
            and (not self.status or row["status"] == self.status)
            and (not self.worker or row["worker"] == self.worker)
            and (self.since is None or str(row["created_at"] or "") >= _stamp(self.since))
        )


def sessions(stack: Deployed, wanted: Filter) -> list[dict[str, Any]]:
    """Return sessions, newest first.

    Of a repository, `by_repository` has them in order of their beginning. Of all, `by_status` has those of
    each status in order of their last sign of life, so that the newest of each status are merged.
    """
    if wanted.repository:
        found = list(_first(_of_repository(stack, wanted), wanted))
    else:
        statuses = (wanted.status,) if wanted.status else STATUSES
        found = [row for status in statuses for row in _first(_of_status(stack, status, wanted), wanted)]
    return sorted(found, key=lambda row: str(row["created_at"]), reverse=True)[: wanted.limit]


def as_row(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item of the table as `sessions --json` shows it.

    A task writes some of it, so that a value of a type that no writer of ours gives counts as absent.
    """
    texts = {name: item.get(name) for name in _TEXTS}
    numbers = {name: item.get(name) for name in (*_NUMBERS, "cost_usd")}
    return {
        "session": session_of(item["pk"]),
        **{name: value if isinstance(value, str) else None for name, value in texts.items()},
        **{name: _number(value, is_whole=name in _NUMBERS) for name, value in numbers.items()},
        "stub": item["stub"] if isinstance(item.get("stub"), bool) else None,
    }


def _number(value: Any, *, is_whole: bool) -> int | float | None:
    if not isinstance(value, Decimal):
        return None
    if is_whole:
        return int(value) if value == value.to_integral_value() else None
    return float(value)


def _first(rows: Iterator[dict[str, Any]], wanted: Filter) -> Iterator[dict[str, Any]]:
    left = wanted.limit
    for row in rows:
        if left and wanted.lets(row):
            left -= 1
            yield row
        if not left:
            return


def _of_repository(stack: Deployed, wanted: Filter) -> Iterator[dict[str, Any]]:
    return _query(stack, "by_repository", "repository", wanted.repository, "created_at", wanted)


def _of_status(stack: Deployed, status: str, wanted: Filter) -> Iterator[dict[str, Any]]:
    # A session's last sign of life is never before its beginning.
    return _query(stack, "by_status", "status", status, "heartbeat_at", wanted)


def _query(
    stack: Deployed, index: str, partition: str, value: str, order: str, wanted: Filter
) -> Iterator[dict[str, Any]]:
    names = {f"#c{place}": name for place, name in enumerate(("pk", *_COLUMNS))}
    condition, values = "#p = :p", {":p": {"S": value}}
    keys = {"#p": partition}
    if wanted.since is not None:
        condition, keys["#o"] = "#p = :p AND #o >= :since", order
        values[":since"] = {"S": _stamp(wanted.since)}
    pages = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.output("SessionsTable"),
            IndexName=index,
            KeyConditionExpression=condition,
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names | keys,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=max(wanted.limit, 25),
        )
    )
    for page in pages:
        yield from (as_row(decoded(item)) for item in page["Items"] if item["pk"]["S"].startswith(_SESSION))


def _stamp(moment: datetime) -> str:
    """Return a time as Step Functions writes it, so that texts compare as times do."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
