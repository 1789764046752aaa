"""What sessions may cost in a day: reserved when they begin, booked when they end, never passed together."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import Stubber
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pullwright.errors import AwsUnavailable, DailyLimit, EvaluationBudget, EvaluationWaits
from pullwright.spending import Budget, DailyLimits, Spending
from pullwright.store import Store
from pullwright.table import day_key, evaluation_key
from pullwright.transactions import Transactions
from tests.unit.aws_kit import client
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 3, 14, 23, 59, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def dynamodb() -> Iterator[DynamoDBClient]:
    """DynamoDB as moto plays it, with the template's table."""
    with table() as made:
        yield made


def spent(dynamodb: DynamoDBClient, key: str = day_key(TODAY)) -> Decimal:
    """Return what stands in a day's item."""
    item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": key}}).get("Item", {})
    return Decimal(item.get("usd", {"N": "0"})["N"])


def settle(dynamodb: DynamoDBClient, session_id: str, cost: float | None) -> None:
    """End a session as ReportOutcome does: with its record as it was read."""
    record = Store(dynamodb, TABLE).read_session(session_id)
    Spending(Transactions(dynamodb, TABLE)).settle(record, cost)


def test_the_day_has_room_for_so_many_sessions(dynamodb: DynamoDBClient) -> None:
    """Each keeps its own limit free; the next is refused, and told when the day is over and what to do."""
    spending, limits = Spending(Transactions(dynamodb, TABLE)), DailyLimits(usd=10)
    for session_id in ("a", "b"):
        spending.reserve(session_id, 5, limits, repository="o/r", now=NOW)
    with pytest.raises(DailyLimit) as caught:
        spending.reserve("c", 5, limits, repository="o/other", now=NOW)
    assert "$10.00 a day" in caught.value.sentence
    assert "2026-03-15 00:00 UTC" in caught.value.sentence
    assert "DailyUsd." in caught.value.remedy
    assert caught.value.failure_class == "limit"
    assert spent(dynamodb) == 10

    spending.reserve("c", 5, limits, repository="o/other", now=NOW + timedelta(minutes=2))
    settle(dynamodb, "a", 0.25)
    spending.reserve("d", 4.5, limits, repository="o/r", now=NOW)
    assert spent(dynamodb) == Decimal("9.75")
    [item] = [dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": day_key(TODAY)}})["Item"]]
    assert int(item["ttl"]["N"]) > NOW.timestamp()


def test_a_repository_has_a_limit_of_its_own(dynamodb: DynamoDBClient) -> None:
    """When either limit leaves no room, nothing is reserved on the other; each is named by its parameter."""
    spending, limits = Spending(Transactions(dynamodb, TABLE)), DailyLimits(usd=20, usd_of_repository=7)
    spending.reserve("a", 5, limits, repository="o/r", now=NOW)
    with pytest.raises(DailyLimit, match="o/r") as caught:
        spending.reserve("b", 5, limits, repository="o/r", now=NOW)
    assert "DailyUsdPerRepository" in caught.value.remedy
    assert spent(dynamodb) == 5
    spending.reserve("c", 5, limits, repository="o/other", now=NOW)
    assert spent(dynamodb) == 10


def test_a_session_that_never_fits_is_told_so(dynamodb: DynamoDBClient) -> None:
    """Waiting for tomorrow would not help a session whose own limit is above the day's."""
    with pytest.raises(DailyLimit) as caught:
        Spending(Transactions(dynamodb, TABLE)).reserve(
            "a", 50, DailyLimits(usd=20), repository="o/r", now=NOW
        )
    assert "UTC" not in caught.value.sentence + caught.value.remedy
    assert "`limits.usd`" in caught.value.remedy
    assert spent(dynamodb) == 0


def test_without_limits_nothing_is_written(dynamodb: DynamoDBClient) -> None:
    """A deployment that sets none pays for no write, and its sessions have nothing to settle."""
    Spending(Transactions(dynamodb, TABLE)).reserve("a", 5, DailyLimits(), repository="o/r", now=NOW)
    settle(dynamodb, "a", 3)
    assert dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_a_session_that_is_over_reserves_nothing(dynamodb: DynamoDBClient) -> None:
    """A function that runs on after its session was ended leaves no reservation that nobody would settle."""
    Store(dynamodb, TABLE).update_session("a", {"is_over": True})
    Spending(Transactions(dynamodb, TABLE)).reserve("a", 5, DailyLimits(usd=10), repository="o/r", now=NOW)
    assert spent(dynamodb) == 0


def test_no_more_is_booked_than_was_reserved(dynamodb: DynamoDBClient) -> None:
    """What a task says of its cost cannot use up everybody's day; a cost that nobody knows counts whole."""
    spending, limits = Spending(Transactions(dynamodb, TABLE)), DailyLimits(usd=100)
    for session_id, cost in (("a", 1e9), ("b", None), ("c", -3.0)):
        spending.reserve(session_id, 5, limits, repository="o/r", now=NOW)
        settle(dynamodb, session_id, cost)
    assert spent(dynamodb) == 10


def test_the_sessions_of_an_evaluation_never_pass_its_budget(dynamodb: DynamoDBClient) -> None:
    """Who finds no room waits while others may still give some back, and is refused when none does."""
    spending, budget = Spending(Transactions(dynamodb, TABLE)), Budget("ev-1", 12)
    reserve = partial(spending.reserve, limits=DailyLimits(), repository="o/r", now=NOW, budget=budget)
    for session_id in ("a", "b"):
        reserve(session_id, 5)
    reserve("b", 5)
    with pytest.raises(EvaluationWaits):
        reserve("c", 5)
    assert spent(dynamodb, evaluation_key("ev-1")) == 10
    settle(dynamodb, "a", 1)
    reserve("c", 5)
    settle(dynamodb, "b", 5)
    settle(dynamodb, "c", 4)
    # 10 of 12 are spent, and nobody is left to give anything back.
    with pytest.raises(EvaluationBudget, match=r"\$12\.00") as caught:
        reserve("d", 5)
    assert "--budget" in caught.value.remedy
    reserve("d", 2)
    assert spent(dynamodb, evaluation_key("ev-1")) == 12


def test_a_session_that_costs_more_than_the_budget_never_begins(dynamodb: DynamoDBClient) -> None:
    """It is told at once, and counts nowhere, not even in the day."""
    spending, budget = Spending(Transactions(dynamodb, TABLE)), Budget("ev-1", 3)
    with pytest.raises(EvaluationBudget, match="all of its evaluation together"):
        spending.reserve("a", 5, DailyLimits(usd=20), repository="o/r", now=NOW, budget=budget)
    assert dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_an_evaluation_counts_in_the_day_as_well(dynamodb: DynamoDBClient) -> None:
    """Where the day has no room, the budget keeps its own; where both have, both are settled."""
    spending, budget, limits = Spending(Transactions(dynamodb, TABLE)), Budget("ev-1", 50), DailyLimits(usd=8)
    spending.reserve("a", 5, limits, repository="o/r", now=NOW, budget=budget)
    with pytest.raises(DailyLimit):
        spending.reserve("b", 5, limits, repository="o/r", now=NOW, budget=budget)
    settle(dynamodb, "a", 2)
    assert spent(dynamodb) == spent(dynamodb, evaluation_key("ev-1")) == 2


class Evaluated(RuleBasedStateMachine):
    """Sessions of an evaluation that begin and end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.dynamodb = self.stack.enter_context(table())
        self.spending = Spending(Transactions(self.dynamodb, TABLE))
        self.open: dict[str, float] = {}
        self.cost = Decimal(0)
        self.numbers = count()

    @rule(usd=st.sampled_from([0.5, 1, 3, 7]))
    def begin(self, usd: float) -> None:
        """Begin one; it is refused for good only when no other is open."""
        name = f"s{next(self.numbers)}"
        try:
            self.spending.reserve(
                name, usd, DailyLimits(), repository="o/r", now=NOW, budget=Budget("ev-1", 10)
            )
            self.open[name] = usd
        except EvaluationWaits:
            assert self.open
        except EvaluationBudget:
            assert not self.open

    @precondition(lambda self: self.open)
    @rule(share=st.floats(0, 1))
    def end(self, share: float) -> None:
        """End the oldest, which has used up a part of its limit."""
        name = next(iter(self.open))
        usd = self.open.pop(name)
        settle(self.dynamodb, name, usd * share)
        self.cost += min(Decimal(str(usd * share)).quantize(Decimal("0.000001")), Decimal(str(usd)))

    @invariant()
    def what_is_kept_free_and_spent_is_in_the_budget(self) -> None:
        """Together never more than the budget, and exactly what is counted."""
        kept = sum((Decimal(str(usd)) for usd in self.open.values()), Decimal(0))
        assert kept + self.cost == spent(self.dynamodb, evaluation_key("ev-1"))
        assert kept + self.cost <= 10

    def teardown(self) -> None:
        """Drop the table."""
        self.stack.close()


def test_no_order_of_begins_and_ends_passes_the_budget() -> None:
    """See the machine above."""
    few = hypothesis_settings(max_examples=8, stateful_step_count=10)
    run_state_machine_as_test(Evaluated, settings=few)


def test_sessions_in_each_others_way_try_again() -> None:
    """A transaction that met another one is repeated; if that goes on for ever, AWS is what failed.

    DynamoDB leaves it to its callers, and names one reason for each item, in their order:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """

    def canceled(*codes: str) -> dict[str, Any]:
        return {"CancellationReasons": [{"Code": code} for code in codes]}

    with Stubber(client("dynamodb")) as stub:
        pauses: list[float] = []
        spending = Spending(Transactions(cast("DynamoDBClient", stub.client), TABLE, sleep=pauses.append))

        def answer(*codes: str) -> None:
            stub.add_client_error(
                "transact_write_items", "TransactionCanceledException", modeled_fields=canceled(*codes)
            )

        answer("None", "TransactionConflict")
        answer("TransactionConflict", "None")
        stub.add_response("transact_write_items", {})
        spending.reserve("a", 5, DailyLimits(usd=10), repository="o/r", now=NOW)
        assert len(pauses) == 2

        # It was reserved by an attempt whose answer got lost, though the day is full by now.
        answer("ConditionalCheckFailed", "ConditionalCheckFailed")
        spending.reserve("a", 5, DailyLimits(usd=10), repository="o/r", now=NOW)

        for _ in range(10):
            answer("None", "TransactionConflict")
        with pytest.raises(AwsUnavailable):
            spending.reserve("a", 5, DailyLimits(usd=10), repository="o/r", now=NOW)
        stub.add_client_error("transact_write_items", "ProvisionedThroughputExceededException")
        with pytest.raises(AwsUnavailable, match="ProvisionedThroughputExceeded"):
            spending.reserve("a", 5, DailyLimits(usd=10), repository="o/r", now=NOW)
        stub.assert_no_pending_responses()


class Day(RuleBasedStateMachine):
    """Sessions of two repositories that begin, are repeated, die and end in any order, beside a plain model.

    A transaction is the only step that others can come between: DynamoDB's are serializable.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """

    dynamodb: DynamoDBClient
    limits = DailyLimits(usd=20, usd_of_repository=12)

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.spending = Spending(Transactions(self.dynamodb, TABLE))
        self.at_work: dict[str, tuple[str, Decimal]] = {}
        self.ended: dict[str, tuple[str, Decimal]] = {}
        self.numbers = count()

    def teardown(self) -> None:
        """Empty the table: moto copies all of it for each transaction."""
        for item in self.dynamodb.scan(TableName=TABLE)["Items"]:
            self.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"]})

    @rule(
        repository=st.sampled_from(["o/a", "o/b"]),
        usd=st.sampled_from([0.5, 1, 3.25, 5]),
        repeats=st.integers(1, 3),
    )
    def begin(self, repository: str, usd: float, repeats: int) -> None:
        """Begin a session, by a function that may be repeated: if and only if there is room."""
        session_id = f"{self.now.date()}-{next(self.numbers)}"
        fits = self._counted() + Decimal(str(usd)) <= 20
        fits = fits and self._counted(repository) + Decimal(str(usd)) <= 12
        for _ in range(repeats):
            try:
                self.spending.reserve(session_id, usd, self.limits, repository=repository, now=self.now)
            except DailyLimit:
                assert not fits
            else:
                assert fits
                self.at_work[session_id] = (repository, Decimal(str(usd)))

    @precondition(lambda self: self.at_work)
    @rule(
        data=st.data(),
        share=st.sampled_from([0, 0.1, 0.999999, 1, 2, None]),
        repeats=st.integers(1, 3),
    )
    def end(self, data: st.DataObject, share: float | None, repeats: int) -> None:
        """End a session, also by the sweep beside the report, which knows its record from before."""
        session_id = data.draw(st.sampled_from(sorted(self.at_work)))
        repository, reserved = self.at_work.pop(session_id)
        record = Store(self.dynamodb, TABLE).read_session(session_id)
        cost = None if share is None else float(reserved) * share
        for _ in range(repeats):
            self.spending.settle(record, cost)
        settle(self.dynamodb, session_id, cost)
        booked = reserved if cost is None else min(round(Decimal(str(cost)), 6), reserved)
        self.ended[session_id] = (repository, booked)
        # Whoever opens it once more begins nothing.
        self.spending.reserve(session_id, 5, self.limits, repository=repository, now=self.now)

    @invariant()
    def the_sums_are_right(self) -> None:
        """Hold a day's item to what ended sessions have cost and what others may, within the limit."""
        day = self.now.date()
        assert spent(self.dynamodb, day_key(day)) == self._counted() <= 20
        for repository in ("o/a", "o/b"):
            assert spent(self.dynamodb, day_key(day, repository)) == self._counted(repository) <= 12

    def _counted(self, repository: str | None = None) -> Decimal:
        sessions = [*self.at_work.values(), *self.ended.values()]
        return sum((usd for whose, usd in sessions if repository in {None, whose}), Decimal(0))


def test_whatever_happens_each_session_counts_once(dynamodb: DynamoDBClient) -> None:
    """Under repeated, concurrent and late beginnings and endings the sums are those of a plain model."""
    Day.dynamodb = dynamodb
    run_state_machine_as_test(Day, settings=hypothesis_settings(max_examples=10, stateful_step_count=10))
