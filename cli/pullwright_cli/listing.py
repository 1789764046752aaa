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
_COLUMNS = (*_TEXTS, *_NUMBERS, "cost_usd", "stub", "heartbeat_at")
_SESSION = "SESSION#"
_FEWEST = 25


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


class Partition(NamedTuple):
    """Sessions that one query of an index finds, the newest first.

    Attributes:
        key: name of the index's partition key.
        order: name of its sort key.
    """

    table_index: str
    key: str
    value: str
    order: str


def partitions(wanted: Filter) -> list[Partition]:
    """Return what has to be read to find all that is wanted."""
    if wanted.repository:
        return [Partition("by_repository", "repository", wanted.repository, "created_at")]
    # A session's last sign of life is never before its beginning.
    statuses = (wanted.status,) if wanted.status else STATUSES
    return [Partition("by_status", "status", status, "heartbeat_at") for status in statuses]


def sessions(stack: Deployed, wanted: Filter) -> list[dict[str, Any]]:
    """Return sessions, newest first.

    Of a repository, `by_repository` has them in order of their beginning. Of all, `by_status` has those of
    each status in order of their last sign of life, so that the newest of each status are merged.
    """
    found = [
        row
        for partition in partitions(wanted)
        for row in _first(map(as_row, items(stack, partition, wanted, wanted.limit)), wanted)
    ]
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


def items(
    stack: Deployed, partition: Partition, wanted: Filter, batch: int, after: tuple[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield items of sessions, of which only the time of `wanted` is heeded.

    Args:
        batch: how many are read at once.
        after: `pk` and sort key of the item that they follow.
    """
    names = {f"#c{place}": name for place, name in enumerate(("pk", *_COLUMNS))}
    condition, values = "#p = :p", {":p": {"S": partition.value}}
    keys = {"#p": partition.key}
    if wanted.since is not None:
        condition, keys["#o"] = "#p = :p AND #o >= :since", partition.order
        values[":since"] = {"S": _stamp(wanted.since)}
    place: dict[str, Any] = {}
    if after is not None:
        key = {"pk": after[0], partition.key: partition.value, partition.order: after[1]}
        place = {"ExclusiveStartKey": {name: {"S": value} for name, value in key.items()}}
    pages = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.output("SessionsTable"),
            IndexName=partition.table_index,
            KeyConditionExpression=condition,
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names | keys,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=max(batch, _FEWEST),
            **place,
        )
    )
    for page in pages:
        yield from (decoded(item) for item in page["Items"] if item["pk"]["S"].startswith(_SESSION))


def _stamp(moment: datetime) -> str:
    """Return a time as Step Functions writes it, so that texts compare as times do."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
