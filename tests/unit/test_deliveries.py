"""Which webhooks are lost, and how often they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.github.payloads import Delivery
from pullwright.reconciling.deliveries import MOST_TRIES, LostDeliveries, lost

if TYPE_CHECKING:
    from pullwright.github.app import GitHubApp

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def attempt(guid: str, status: str = "OK", code: int = 202, minute: int = 0) -> Delivery:
    """One attempt, some minutes after noon."""
    return Delivery(
        id=minute,
        guid=guid,
        delivered_at=NOON + timedelta(minutes=minute),
        status=status,
        status_code=code,
        event="issues",
    )


REFUSED_CONNECTION = ("failed to connect to host", 0)


@pytest.mark.parametrize(
    ("attempts", "found"),
    [
        ([attempt("a")], []),
        ([attempt("a", *REFUSED_CONNECTION)], ["a"]),
        ([attempt("a", "timed out", 504)], ["a"]),
        ([attempt("a", "Invalid HTTP Response: 503", 503)], ["a"]),
        ([attempt("a", "Invalid HTTP Response: 401", 401)], []),
        ([attempt("a", "Invalid HTTP Response: 400", 400)], []),
        ([attempt("a", "Invalid HTTP Response: 413", 413)], []),
        ([attempt("a", *REFUSED_CONNECTION), attempt("a", minute=5)], []),
        ([attempt("a", *REFUSED_CONNECTION), attempt("a", *REFUSED_CONNECTION, minute=5)], ["a"]),
        ([attempt("b", *REFUSED_CONNECTION, minute=1), attempt("a", *REFUSED_CONNECTION)], ["a", "b"]),
    ],
)
def test_a_delivery_is_lost_when_no_attempt_reached_us(attempts: list[Delivery], found: list[str]) -> None:
    """An attempt that went well, or that we refused ourselves, is no loss; everything else is one, once."""
    assert [one.guid for one in lost(attempts)] == found


class App:
    """GitHub, whose deliveries all fail."""

    def __init__(self) -> None:
        self.since: list[datetime] = []
        self.asked: list[int] = []

    def deliveries(self, since: datetime) -> list[Delivery]:
        """See `GitHubApp`."""
        self.since.append(since)
        first = attempt("a", *REFUSED_CONNECTION)
        return [first] if first.delivered_at >= since else []

    def redeliver(self, delivery_id: int) -> None:
        """See `GitHubApp`."""
        self.asked.append(delivery_id)


class Table:
    """DynamoDB, as far as deliveries need it."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}

    def get_item(self, **call: Any) -> dict[str, Any]:
        """Read an item."""
        key = call["Key"]["pk"]["S"]
        return {"Item": self.items[key]} if key in self.items else {}

    def update_item(self, **call: Any) -> None:
        """Set what an update says."""
        given = call["ExpressionAttributeValues"]
        item = self.items.setdefault(call["Key"]["pk"]["S"], {})
        if ":moment" in given:
            item["seen_until"] = given[":moment"]
        else:
            item |= {"tries": given[":next"], "asked_at": given[":now"]}


def test_a_delivery_that_stays_lost_is_given_up() -> None:
    """It is asked for a few times at growing distances, told as lost, and then left behind."""
    app, table = App(), Table()
    typed: tuple[GitHubApp, Any] = (app, table)  # type: ignore[assignment] # it quacks
    deliveries = LostDeliveries(*typed, "t")
    given_up = 0
    for sweep in range(12 * 12):
        found = deliveries.recover(NOON + timedelta(minutes=5 * sweep + 1))
        given_up += len(found.given_up)
    assert len(app.asked) == MOST_TRIES
    assert 1 <= given_up <= 3
    assert app.since[-1] > NOON + timedelta(hours=11)
