"""Which webhooks are lost, and how often they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest

from pullwright.errors import GitHubUnavailable
from pullwright.github.payloads import Delivery
from pullwright.reconciling.deliveries import MOST_TRIES, LostDeliveries, Redelivered, lost
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

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
        ([attempt("a", "Invalid HTTP Response: 401", 401)], ["a"]),
        ([attempt("a", "Invalid HTTP Response: 401", 401), attempt("a", minute=5)], []),
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


def test_checks_are_lost_as_everything_else_is() -> None:
    """No event is left out: red checks that nobody heard of are delivered again."""
    checks = attempt("a", *REFUSED_CONNECTION).model_copy(
        update={"event": "check_suite", "action": "completed"}
    )
    assert lost([checks, attempt("b")]) == [checks]


class App:
    """GitHub, all of whose deliveries are lost until they are listed as something else.

    Attributes:
        since: from when the lists were asked for.
        refuses: whether GitHub does not do so.
    """

    def __init__(self, *attempts: Delivery) -> None:
        self.attempts = attempts
        self.since: list[datetime] = []
        self.asked: list[int] = []
        self.refuses = False

    def deliveries(self, since: datetime) -> list[Delivery]:
        """See `GitHubApp`."""
        self.since.append(since)
        return [one for one in self.attempts if one.delivered_at >= since]

    def redeliver(self, delivery_id: int) -> None:
        """See `GitHubApp`."""
        self.asked.append(delivery_id)
        if self.refuses:
            raise GitHubUnavailable("GitHub answered 503.")


LOST = attempt("a", *REFUSED_CONNECTION)


@pytest.fixture
def client() -> Iterator[DynamoDBClient]:
    """Provide the table in which tries are counted."""
    with table() as made:
        yield made


def sweeps(app: App, client: DynamoDBClient) -> LostDeliveries:
    """Return what looks for them."""
    return LostDeliveries(cast("GitHubApp", app), client, TABLE)


def minute(number: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=number)


@pytest.mark.parametrize("refuses", [False, True])
def test_a_delivery_that_stays_lost_is_given_up(client: DynamoDBClient, *, refuses: bool) -> None:
    """It is asked for a few times at growing distances, told as lost once, and then left behind."""
    app = App(LOST)
    app.refuses = refuses
    deliveries = sweeps(app, client)
    asked: list[int] = []
    given_up: list[str] = []
    for number in range(1, 12 * 60, 5):
        app.asked.clear()
        if number == 6:
            app.attempts += (attempt("b", *REFUSED_CONNECTION, minute=3),)
        given_up += deliveries.recover(minute(number)).given_up
        asked += [number] * app.asked.count(LOST.id)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert len(asked) == MOST_TRIES
    assert pauses == sorted(pauses)
    assert (pauses[0] <= 5, pauses[-1] > 60) == (True, True)
    assert given_up == ["a", "b"]
    assert app.since[-1] > minute(11 * 60)


def test_a_delivery_that_arrived_is_not_asked_for_again(client: DynamoDBClient) -> None:
    """One attempt that went well ends it, and the next look begins shortly before now."""
    app = App(LOST)
    deliveries = sweeps(app, client)
    assert deliveries.recover(minute(1)).asked == ("a",)
    app.attempts += (attempt("a", minute=2),)
    for number in (6, 11, 600):
        assert deliveries.recover(minute(number)) == Redelivered()
    assert app.asked == [LOST.id]
    assert app.since[-1] == minute(11 - 5)


def test_two_sweeps_at_once_ask_once(client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try is counted before it is made: whoever counts second does not make it."""
    app = App(LOST)
    slow, quick = sweeps(app, client), sweeps(app, client)
    seen = slow._tries("a")
    assert quick.recover(minute(1)).asked == ("a",)
    monkeypatch.setattr(slow, "_tries", lambda _guid: seen)
    assert slow.recover(minute(1)).asked == ()
    assert app.asked == [LOST.id]


def test_what_there_is_no_time_for_is_left_to_the_next_sweep(client: DynamoDBClient) -> None:
    """A flood of lost deliveries is worked off sweep by sweep, oldest first, and none is left behind."""
    app = App(*(attempt(f"d-{number}", *REFUSED_CONNECTION, minute=number) for number in range(6)))
    deliveries = sweeps(app, client)
    for expected in (("d-0", "d-1", "d-2"), ("d-3", "d-4", "d-5")):
        time_left = iter([True] * 3 + [False])
        known = len(app.asked)
        found = deliveries.recover(minute(100), is_time=time_left.__next__)
        assert found.asked == expected
        # They arrive before the next sweep.
        app.attempts += tuple(
            attempt(guid, minute=90 + number) for number, guid in enumerate(expected, known)
        )
    assert deliveries.recover(minute(105)) == Redelivered()


def test_the_first_look_goes_back_as_far_as_github_keeps_them(client: DynamoDBClient) -> None:
    """However long nobody has looked, no more is asked for than GitHub still has."""
    app = App()
    deliveries = sweeps(app, client)
    deliveries.recover(NOON)
    deliveries.recover(NOON + timedelta(days=30))
    assert app.since == [NOON - timedelta(days=3), NOON + timedelta(days=27)]


def test_a_delivery_that_our_wrong_secret_refused_is_asked_for_and_told(client: DynamoDBClient) -> None:
    """GitHub has signed it, so our secret is the wrong one: the alarm rings, and the delivery comes again."""
    app = App(
        attempt("a", "Invalid HTTP Response: 401", 401), attempt("b", "Invalid HTTP Response: 503", 503)
    )
    found = sweeps(app, client).recover(minute(10))
    assert (set(found.asked), found.refused) == ({"a", "b"}, ("a",))
