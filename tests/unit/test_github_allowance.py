"""The usage of an installation: GitHub's limits are kept, and table and memory agree on every step."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.errors import AwsUnavailable
from pullwright.github.allowance import ATTRIBUTES, MemoryAllowance, TableAllowance
from pullwright.github.budget import FARTHEST_SECONDS, SECONDS_EACH, Room, Usage
from pullwright.table import allowance_key
from tests.unit.aws_kit import client
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_800_000_000.0
ROOMS = st.sampled_from(Room)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """DynamoDB as moto knows it, with the table's key."""
    with mock_aws():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="sessions",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb


def table(dynamodb: Any, account: str = "octo") -> TableAllowance:
    """Return an allowance in the table that has seen nothing yet."""
    return TableAllowance(dynamodb, "sessions", account)


@given(st.lists(st.tuples(st.floats(0, 120), st.integers(1, 3), ROOMS), max_size=400))
def test_no_minute_and_no_hour_holds_more_than_github_takes(steps: list[tuple[float, int, Room]]) -> None:
    """However fast writes are asked for, 80 in any minute and 500 in any hour are never passed."""
    allowance, now, times = MemoryAllowance(), NOW, list[float]()
    for pause, writes, room in steps:
        now += pause
        if allowance.usage.owed(now) + writes <= room:
            fits, _ = allowance.spend(now, writes, room)
            times += [now] * writes * fits
    for seconds, most in ((60, 80), (3_600, 500)):
        assert all(sum(start <= at < start + seconds for at in times) <= most for start in times)


@pytest.mark.parametrize(("seconds", "most"), [(60, 80), (3_600, 500)])
def test_a_flood_stays_below_githubs_limits(seconds: int, most: int) -> None:
    """Two hours of somebody who asks all the time are let through just below both limits."""
    allowance, times = MemoryAllowance(), list[float]()
    for second in range(2 * 3_600):
        now = NOW + second
        # An ending goes through whatever is owed: its reserve is kept to by hand.
        while allowance.usage.owed(now) + 1 <= Room.ENDING:
            allowance.spend(now, 1, Room.ENDING)
            times.append(now)
    counts = [bisect_left(times, start + seconds) - index for index, start in enumerate(times)]
    assert 0.9 * most <= max(counts) <= most


@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.integers(1, 3), ROOMS, st.sampled_from(["spend", "limit", "named"])),
        max_size=20,
    ),
    st.integers(),
)
@settings(max_examples=25)
def test_table_and_memory_agree(
    dynamodb: Any, steps: list[tuple[float, int, Room, str]], account: int
) -> None:
    """Two sessions that take turns at the table come to what one memory comes to."""
    pair = [table(dynamodb, f"account-{account}") for _ in range(2)]
    dynamodb.delete_item(TableName="sessions", Key={"pk": {"S": allowance_key(f"account-{account}")}})
    memory, now = MemoryAllowance(), NOW
    for number, (pause, writes, room, what) in enumerate(steps):
        now = round(now + pause, 3)
        one = pair[number % 2]
        if what == "spend":
            fits, usage = one.spend(now, writes, room)
            expected, wanted = memory.spend(now, writes, room)
            assert fits == expected
        else:
            named = 100.0 * writes if what == "named" else None
            usage, wanted = one.limit(now, named), memory.limit(now, named)
            assert usage.blocked_for(now) == pytest.approx(wanted.blocked_for(now), abs=0.1)
        assert usage.owed(now) == pytest.approx(wanted.owed(now), abs=0.01)
        assert table(dynamodb, f"account-{account}").look() == usage


def test_a_session_alone_makes_one_call_a_write(dynamodb: Any) -> None:
    """Whether something is owed or all is paid for, a write takes one update as a rule."""
    calls: list[Any] = []
    dynamodb.meta.events.register("before-call.dynamodb.*", lambda model, **_: calls.append(model.name))
    alone = table(dynamodb, "alone")
    for second in (0, 5, 10, 25, 40, 70, 100):
        assert alone.spend(NOW + second, 1, Room.PROGRESS)[0]
    assert calls == ["UpdateItem"] * 7


def test_endings_go_before_openings_and_those_before_progress(dynamodb: Any) -> None:
    """When progress has no more room openings have, and an ending always has."""
    allowance = table(dynamodb, "order")
    for room in (Room.PROGRESS, Room.OPENING):
        number = 0
        while allowance.spend(NOW, 1, room)[0]:
            number += 1
        assert allowance.look().owed(NOW) == pytest.approx(room, abs=0.01)
    assert all(allowance.spend(NOW, 1, Room.ENDING)[0] for _ in range(100))


def test_what_a_dead_session_took_comes_back(dynamodb: Any) -> None:
    """Write that were taken and never made are paid for by time alone."""
    allowance = table(dynamodb, "dead")
    while allowance.spend(NOW, 1, Room.OPENING)[0]:
        pass
    assert not table(dynamodb, "dead").spend(NOW + 1, 1, Room.OPENING)[0]
    assert table(dynamodb, "dead").spend(NOW + SECONDS_EACH, 1, Room.OPENING)[0]


# Not a string: moto cannot compare one with a number, which on AWS is false.
@pytest.mark.parametrize("value", [{"N": str(NOW + 10 * FARTHEST_SECONDS)}, {"BOOL": True}, {"N": "-1"}])
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_nonsense_in_the_item_holds_up_nobody(dynamodb: Any, name: str, value: dict[str, Any]) -> None:
    """A value that we would not have written is written anew: a task can write the item, and might lie."""
    dynamodb.put_item(TableName="sessions", Item={"pk": {"S": allowance_key("liar")}, name: value})
    allowance = table(dynamodb, "liar")
    assert allowance.look().blocked_for(NOW) == 0
    assert allowance.spend(NOW, 1, Room.PROGRESS)[0]
    assert allowance.look().owed(NOW) == pytest.approx(1, abs=0.01)
    assert 0 < allowance.limit(NOW, None).blocked_for(NOW) <= FARTHEST_SECONDS


def test_a_limit_without_a_time_doubles_when_it_comes_again(dynamodb: Any) -> None:
    """A minute, then two, then four, an hour at most; after a quiet time it is a minute again.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    now, pauses = NOW, list[float]()
    for _ in range(8):
        pauses.append(table(dynamodb, "again").limit(now, None).blocked_for(now))
        now += pauses[-1] + 1
    assert [round(pause) for pause in pauses] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert table(dynamodb, "again").limit(now + 7_200, None).blocked_for(now + 7_200) == 60


def test_sessions_refused_together_count_once(dynamodb: Any) -> None:
    """Ten that GitHub refuses in one second wait a minute, not ten times as long each."""
    for tenth in range(10):
        usage = table(dynamodb, "together").limit(NOW + tenth / 10, None)
        assert usage.blocked_until == pytest.approx(NOW + 60)


def test_a_later_named_time_wins(dynamodb: Any) -> None:
    """The time that GitHub names last counts if it is later, for everybody."""
    table(dynamodb, "named").limit(NOW, 900)
    assert table(dynamodb, "named").limit(NOW, 30).blocked_for(NOW) == 900
    assert table(dynamodb, "named").limit(NOW, 901).blocked_for(NOW) == 901


def test_a_missing_table_is_an_error_of_ours(dynamodb: Any) -> None:
    """What the table does not answer is AwsUnavailable, which the caller can do without."""
    allowance = TableAllowance(dynamodb, "missing", "octo")
    with pytest.raises(AwsUnavailable):
        allowance.look()
    with pytest.raises(AwsUnavailable):
        allowance.spend(NOW, 1, Room.ENDING)
    with pytest.raises(AwsUnavailable):
        allowance.limit(NOW, None)


@given(st.floats(0, 200))
def test_alone_a_comment_is_as_lively_as_ever(owed: float) -> None:
    """Nothing is stretched while little is owed; with more it grows, evenly and never beyond its bound."""
    stretched, more = (Usage(NOW + n * SECONDS_EACH).stretch(NOW) for n in (owed, owed + 1))
    assert 1 <= stretched <= more <= 40
    assert owed > 14.9 or stretched == 1
