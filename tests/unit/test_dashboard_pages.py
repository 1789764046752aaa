"""What the dashboard shows: the same as the commands, asked by the same queries."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pullwright_cli.dashboard import charts
from pullwright_cli.dashboard.ledger import Ledger
from pullwright_cli.listing import STATUSES
from tests.unit.cli_kit import cloud
from tests.unit.dashboard_kit import HTMX, NOW, Dashboard, links, record_many

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    """Provide a dashboard over an empty stack."""
    with cloud() as made:
        yield Dashboard(made)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/?repo=widgets", "Repository: widgets is none: write it as OWNER/NAME."),
        ("/?status=open", "Status: open is none of QUEUED, RUNNING, SUCCEEDED, FAILED."),
        ("/?since=yesterday", "write 30m, 2h, 3d"),
        ("/?after=bm9uZQ", "after: this address does not name a page"),
        ("/costs?days=8", "days: 8 is none of 7, 30, 90."),
        ("/events?since=9w", "since: 9w is none of 1h, 6h, 24h."),
        ("/sessions/s000/log?source=x", "source: x is none of webhook, functions, states, runner, agent."),
        ("/sessions/s000/files/..%2Fx", "is no artifact's name."),
        ("/sessions/s000/files/a?after=-1", "after: -1 is no number of bytes."),
    ],
)
def test_wrong_addresses_name_the_field(target: str, words: str, dashboard: Dashboard) -> None:
    """What is wrong, and what is right."""
    answer = dashboard.ask(target)
    assert answer.status == 400
    assert words in answer.words


def test_a_part_is_sent_only_when_it_has_changed(dashboard: Dashboard) -> None:
    """And what is read out only when that has changed: a screen reader repeats nothing."""
    dashboard.cloud.record("s1", status="RUNNING")
    page = dashboard.ask("/")
    assert page.one("#live").attributes["hx-trigger"] == "every 5s"
    shown = {str(it.attributes["name"]): str(it.attributes["value"]) for it in page.tree.css("#live > input")}
    assert shown["said"] == page.one("#said").text() == "1 running"
    query = f"/?known={shown['known']}&said=1%20running"
    assert dashboard.ask(query, headers=HTMX).status == 204
    dashboard.cloud.record("s1", status="RUNNING", cost_usd=0.5)
    changed = dashboard.ask(query, headers=HTMX)
    assert ("$0.5000" in changed.text, "hx-swap-oob" in changed.text, "<html" in changed.text) == (
        True,
        False,
        False,
    )
    dashboard.cloud.record("s1", status="FAILED")
    assert '<p id="said" hx-swap-oob="innerHTML">1 failed</p>' in dashboard.ask(query, headers=HTMX).text


def test_only_what_may_change_asks_again(dashboard: Dashboard) -> None:
    """The first page of the list does, an open session does; an older page and an ended session do not."""
    record_many(dashboard, 60)
    [first, second] = links(dashboard, "/")
    assert ("hx-get=" in first, "hx-get=" in second) == (True, False)
    assert 'hx-get="/sessions/s001"' in dashboard.ask("/sessions/s001").text
    assert "hx-get=" not in dashboard.ask("/sessions/s002").text


def test_a_session_says_why_it_failed_and_what_to_do(dashboard: Dashboard) -> None:
    """With its figures, its states, its checks, and links to what it left."""
    dashboard.cloud.record(
        "s1",
        status="FAILED",
        error="ChecksFailed",
        sentence="The tests fail.",
        remedy="Look at them.",
        cost_usd=1.5,
        turns=12,
        pull_request_url="https://github.com/octo/widgets/pull/7",
        input="{}",
    )
    dashboard.cloud.states.executions["s1"] = ("FAILED", '{"repository":"octo/widgets","prompt":"Do it"}')
    check = {"name": "tests", "command": "make test", "status": "failed", "output": "2 failed"}
    result = {
        "session_id": "s1",
        "task_arn": "t",
        "outcome": "changed",
        "exit_code": 3,
        "checks": [check],
        "started_at": NOW.isoformat(),
        "ended_at": NOW.isoformat(),
        "summary": "Done, nearly.",
    }
    dashboard.store("s1", "result.json", json.dumps(result).encode())
    answer = dashboard.ask("/sessions/s1")
    for words in (
        "Why it failed",
        "The tests fail.",
        "Look at them.",
        "ChecksFailed",
        "$1.50",
        "RecordSession",
    ):
        assert words in answer.words
    for words in ("Done, nearly.", "make test", "2 failed", "result.json"):
        assert words in answer.words
    assert 'href="https://github.com/octo/widgets/pull/7"' in answer.text


@pytest.mark.parametrize(
    ("began", "shown"), [(0, "0 min so far"), (7, "7 min so far"), (135, "2 h 15 min so far"), (-5, None)]
)
def test_an_open_session_says_how_long_it_takes_so_far(
    began: int, shown: str | None, dashboard: Dashboard
) -> None:
    """In whole minutes, in the list and on its page; nothing where its clock is ahead of this machine's."""
    dashboard.cloud.record(
        "s1", status="RUNNING", created_at=(datetime.now(UTC) - timedelta(minutes=began)).isoformat()
    )
    for page in ("/", "/sessions/s1"):
        found = re.search(r"(\d+ h )?\d+ min so far", dashboard.ask(page).words)
        assert (found and found[0]) == shown


@pytest.mark.parametrize("result", [b"", b"{}", b"no JSON", b"\xff"])
def test_a_result_of_another_form_is_left_out(result: bytes, dashboard: Dashboard) -> None:
    """The rest of the page stays."""
    dashboard.cloud.record("s1", sentence="It is done.")
    dashboard.store("s1", "result.json", result)
    answer = dashboard.ask("/sessions/s1")
    assert (answer.status, "It is done." in answer.words) == (200, True)


@pytest.mark.parametrize("session", ["nope", "no%20pe", "x" * 81])
def test_a_session_that_nobody_knows(session: str, dashboard: Dashboard) -> None:
    """Says so, and where the others are."""
    answer = dashboard.ask(f"/sessions/{session}")
    assert answer.status == 404
    assert "There is no session" in answer.words


def test_costs_are_summed_up_and_drawn(dashboard: Dashboard) -> None:
    """The figures are those of the command; the frame comes before the records are read."""
    record_many(dashboard, 12)
    first = dashboard.ask("/costs")
    assert ("Reading …" in first.words, 'hx-trigger="load"' in first.text) == (True, True)
    answer = dashboard.ask("/costs?days=7", headers=HTMX)
    assert "$3.00" in answer.words
    assert "Sessions 12" in answer.words
    assert len(answer.tree.css("svg.columns rect")) == 7
    assert answer.tree.css_first("#by-repository") is not None


def test_the_records_of_costs_are_read_once_a_minute(dashboard: Dashboard) -> None:
    """Thousands of them take longer than a page may."""
    record_many(dashboard, 8)
    ledger = Ledger(dashboard)
    dashboard.cloud.queries.clear()
    assert len(ledger.account(7).rows) == len(ledger.account(7).rows) == 8
    assert len(dashboard.cloud.queries) == len(STATUSES)


def test_webhooks_and_logs_are_the_commands(dashboard: Dashboard) -> None:
    """The newest first, with why one started nothing."""
    at = int(NOW.timestamp() * 1000)
    line = {
        "message": "no worker listens",
        "status_code": 200,
        "status": "ignored",
        "event": "issues",
        "repository": "octo/widgets",
        "issue": 4,
        "unmatched": {"review": "it is no pull request"},
    }
    dashboard.logs.write("webhook", at, json.dumps(line))
    dashboard.cloud.record("s1")
    dashboard.cloud.states.executions["s1"] = ("SUCCEEDED", "{}")
    dashboard.logs.write(
        "agent", at, json.dumps({"session_id": "s1", "activity": "Reading it", "tool": "Read"})
    )
    dashboard.logs.write(
        "agent", at + 5, json.dumps({"session_id": "s1", "message": "then this", "level": "ERROR"})
    )
    events = dashboard.ask("/events?now=1").words
    for words in ("issues octo/widgets#4 200 ignored no worker listens", "review: it is no pull request"):
        assert words in events
    log = dashboard.ask("/sessions/s1/log", headers=HTMX).words
    assert log.index("error then this") < log.index("agent Read Reading it")
    assert "then this" not in dashboard.ask("/sessions/s1/log?source=agent&now=1").words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "Sign in again"),
        ("AccessDenied", "Have the named action allowed"),
        ("Throttling", "in a minute"),
    ],
)
def test_what_aws_refuses_is_said_with_what_to_do(
    code: str, words: str, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that renews itself says it in its place, and goes on asking."""

    def refuse(_: str) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "Query")

    monkeypatch.setattr(dashboard, "client", refuse)
    answer = dashboard.ask("/")
    assert (answer.status, words in answer.words) == (502, True)
    part = dashboard.ask("/?status=FAILED", headers=HTMX)
    assert (part.status, words in part.words) == (200, True)
    assert 'hx-get="/?status=FAILED" hx-trigger="every 10s"' in part.text


@given(
    st.lists(st.tuples(st.integers(0, 100), st.one_of(st.none(), st.floats(0, 50_000))), max_size=12),
    st.lists(st.floats(0, 1e6), max_size=9),
)
def test_bars_stay_within_their_drawing(visits: list[tuple[int, float | None]], costs: list[float]) -> None:
    """Whatever the figures are, and also where nothing took time or money."""
    states = [
        {"name": "a", "entered_at": (NOW + timedelta(seconds=begin)).isoformat(), "seconds": seconds}
        for begin, seconds in sorted(visits, key=lambda visit: visit[0])
    ]
    for bar in charts.timeline(states, NOW + timedelta(days=1)):
        assert 0 <= bar["x"] <= bar["x"] + bar["width"] <= 100.01
    groups = [
        {"key": (NOW - timedelta(days=d)).date().isoformat(), "cost_usd": c, "sessions": 1}
        for d, c in enumerate(costs)
    ]
    chart = charts.by_day(groups, 9, NOW.date())
    assert [column.usd for column in chart.columns][::-1][: len(costs)] == costs
    assert all(0 <= column.y <= column.y + column.height <= chart.height + 0.01 for column in chart.columns)
    assert all(0 <= group["share"] <= 100 for group in charts.shares(groups))
