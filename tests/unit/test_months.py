"""Totals of months: each session once, whoever ends it and however often; they outlive the records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.months import Months, Spent
from pullwright.record import SessionRecord
from pullwright.store import Store
from pullwright.table import month_key
from pullwright.transactions import Transactions
from pullwright_cli.aws import Stack
from tests.unit.cli_kit import Cloud, cloud, matches, run
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SPENT = Spent(has_failed=False, usd=0.25, turns=3)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Provide the stack that commands find."""
    with cloud() as made:
        monkeypatch.setattr(Stack, "client", lambda _, service: made.client(service))
        monkeypatch.setattr(Stack, "output", lambda _, name: made.output(name))
        yield made


def end(dynamodb: Any, session_id: str, spent: Spent = SPENT) -> None:
    """Count a session as ReportOutcome and the sweep do: with its record as it was read."""
    record = Store(dynamodb, TABLE).read_session(session_id)
    Months(Transactions(dynamodb, TABLE)).count(record, spent, now=NOW)


def cost(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return what `cost --json` prints."""
    assert run("cost", "--json", *arguments) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert matches("CostReport", document)
    return document


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    ends=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([None, 0.0, 0.1, 1e-9, 999999.0, float("nan")])),
        min_size=1,
        max_size=8,
    )
)
def test_a_session_counts_once_however_often_it_ends(ends: list[tuple[int, float | None]]) -> None:
    """Also by whoever knows its record from before; no cost that a task may claim spoils a total."""
    with table() as dynamodb:
        for number in range(4):
            fields = {"repository": "o/r", "worker": "implement", "created_at": "2026-11-01T00:00:00Z"}
            Store(dynamodb, TABLE).update_session(str(number), fields)
        stale = [Store(dynamodb, TABLE).read_session(str(number)) for number in range(4)]
        first: dict[int, float | None] = {}
        months = Months(Transactions(dynamodb, TABLE))
        for number, usd in ends:
            first.setdefault(number, usd)
            months.count(stale[number], Spent(has_failed=usd is None, usd=usd, turns=1), now=NOW)
        key = month_key("2026-11", "o/r", "implement", "", "")
        item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": key}})["Item"]
        known = [usd for usd in first.values() if usd is not None and usd == usd]  # noqa: PLR0124 - NaN
        assert int(item["session_count"]["N"]) == int(item["turns"]["N"]) == len(first)
        assert int(item["unknown_count"]["N"]) == len(first) - len(known)
        assert Decimal(item["cost_usd"]["N"]) == sum(round(Decimal(str(min(usd, 1000))), 6) for usd in known)


ANYTHING = st.one_of(st.none(), st.just(""), st.text(max_size=30), st.just("\N{OLD PERMIC LETTER AN}" * 900))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(texts=st.lists(ANYTHING, min_size=4, max_size=4), turns=st.integers())
def test_whatever_a_record_says_it_is_counted(texts: list[str | None], turns: int) -> None:
    """A session ends whatever its names and numbers are: what DynamoDB refuses (here moto) is not written."""
    names = ("repository", "worker", "requested_by", "model")
    record = SessionRecord.model_validate({"session_id": "s", **dict(zip(names, texts, strict=True))})
    with table() as dynamodb:
        spent = Spent(has_failed=True, usd=1.0, turns=turns)
        Months(Transactions(dynamodb, TABLE)).count(record, spent, now=NOW)
        items = dynamodb.query(
            TableName=TABLE,
            IndexName="by_status",
            KeyConditionExpression="#s = :monthly",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":monthly": {"S": "MONTHLY"}},
        )["Items"]
        assert [item["session_count"]["N"] for item in items] == ["1"]


def test_months_outlive_the_records(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """By month, repository and person; of the records only those count that no total has."""
    for number, (month, repository, person) in enumerate(
        [("2026-01", "o/a", "ann"), ("2026-01", "o/a", "bob"), ("2026-02", "o/b", "ann")]
    ):
        stack.record(
            str(number), created_at=f"{month}-15T10:00:00Z", repository=repository, requested_by=person
        )
        end(stack.dynamodb, str(number), Spent(has_failed=number == 1, usd=number + 0.5, turns=1))
    since = ("--since", "2026-01-20")
    for _ in range(2):
        by_month = cost(capsys, "--by", "month", *since)
        assert [(it["key"], it["cost_usd"]) for it in by_month["groups"]] == [
            ("2026-01", 2.0),
            ("2026-02", 2.5),
        ]
        expected = {"sessions": 3, "failed": 1, "cost_usd": 4.5, "turns": 3, "cost_unknown": 0}
        assert by_month["total"] == expected
        people = cost(capsys, "--by", "person", "--months", *since)
        assert {it["key"]: it["sessions"] for it in people["groups"]} == {"ann": 2, "bob": 1}
        assert cost(capsys, "--months", "--repo", "o/b", *since)["total"]["sessions"] == 1
        for number in range(3):
            stack.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": f"SESSION#{number}"}})
    stack.record("open", status="RUNNING", repository="o/b", cost_usd=1.0)
    assert cost(capsys, "--by", "month", *since)["total"]["cost_usd"] == 5.5
    assert cost(capsys, "--by", "month", "--since", "2026-02-28")["total"]["cost_usd"] == 3.5


def test_totals_are_no_sessions(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """No list shows them, and days are not to be had of months."""
    stack.record("s")
    end(stack.dynamodb, "s")
    assert run("sessions", "--json") == 0
    assert [it["session"] for it in json.loads(capsys.readouterr().out)["sessions"]] == ["s"]
    assert run("cost", "--months", "--by", "day") == 2
    assert "--by day and --months exclude each other" in capsys.readouterr().err
