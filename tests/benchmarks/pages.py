"""How long the dashboard's pages take over a table with many sessions."""

from __future__ import annotations

import statistics
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pullwright_cli.listing import STATUSES
from tests.benchmarks.figures import Figure, Mark, Section
from tests.benchmarks.session import NotMeasuredError, running_stack
from tests.template.kit import template
from tests.unit.dashboard_kit import NOW, Dashboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.sessions import Stack

_SESSIONS = 10_000
_REPOSITORIES = 20
_ROUNDS = 40
_BATCH = 25
_MARK = Mark(300)
_OPEN = 8
"""Sessions that wait or run; all others have ended."""


@dataclass
class _ManySessions:
    """The local stack, with a table of its own in the place of the sessions table."""

    stack: Stack
    table: str

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.stack.client(service)

    def output(self, name: str) -> str:
        """Return an output."""
        return self.table if name == "SessionsTable" else self.stack.output(name)


def measure(say: Callable[[str], None]) -> Section:
    """Measure the pages on the stack that is up, or on one that is started for it.

    Raises:
        NotMeasuredError: no stack came up, or a page did not.
    """
    with running_stack(say) as stack:
        dynamodb, name = stack.client("dynamodb"), f"pages-{uuid.uuid4().hex[:8]}"
        declared = template()["Resources"]["SessionsTable"]["Properties"]
        kinds = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        dynamodb.create_table(TableName=name, **{kind: declared[kind] for kind in kinds})
        try:
            say(f"{_SESSIONS:,} records")
            _fill(dynamodb, name)
            say("the dashboard's pages")
            dashboard = Dashboard(_ManySessions(stack, name))  # type: ignore[arg-type] # all that it uses
            figures = tuple(_figures(dashboard))
        finally:
            dynamodb.delete_table(TableName=name)
    return Section(
        "Dashboard",
        f"{_ROUNDS} requests each, one after the other, over {_SESSIONS:,} sessions of {_REPOSITORIES} "
        "repositories in the local engine's DynamoDB; 95th percentiles, without a browser.",
        figures,
    )


def _fill(dynamodb: Any, table: str) -> None:
    for begin in range(0, _SESSIONS, _BATCH):
        items = [
            {"PutRequest": {"Item": _record(place)}} for place in range(begin, min(begin + _BATCH, _SESSIONS))
        ]
        while items:
            answer = dynamodb.batch_write_item(RequestItems={table: items})
            items = answer.get("UnprocessedItems", {}).get(table, [])


def _record(place: int) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=5 * place)).isoformat()
    texts = {
        "pk": f"SESSION#s{place:05}",
        "status": STATUSES[place % 2] if place < _OPEN else STATUSES[2 + place % 2],
        "repository": f"octo/r{place % _REPOSITORIES}",
        "worker": "implement",
        "created_at": at,
        "heartbeat_at": at,
        "admitted_at": at,
        "title": "Say good bye, too",
        "requested_by": f"person-{place % 50}",
        "sentence": "The pull request is ready for review: https://github.com/octo/widgets/pull/1",
    }
    return {name: {"S": text} for name, text in texts.items()} | {"cost_usd": {"N": "0.25"}}


def _figures(dashboard: Dashboard) -> Iterator[Figure]:
    following = dashboard.ask("/").tree.css_first("a[rel=next]")
    if following is None:
        raise NotMeasuredError("the list of sessions has one page only")
    pages = {
        "sessions, first page": "/",
        "sessions, second page": str(following.attributes["href"]),
        "sessions of one repository": "/?repo=octo/r7",
        "sessions that failed": f"/?status={STATUSES[3]}",
        "one session": "/sessions/s05000",
    }
    for name, target in pages.items():
        taken = []
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            answer = dashboard.ask(target)
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                raise NotMeasuredError(f"{target} was answered with {answer.status}")
        value = statistics.quantiles(taken, n=20, method="inclusive")[-1]
        yield Figure(f"{name}, p95", value, "ms", (min(taken), max(taken)), _MARK)
