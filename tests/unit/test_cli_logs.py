"""`pullwright logs` and `events`: what the stack's parts have logged, joined by session and in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pullwright_cli import logbook
from pullwright_cli.aws import Stack
from pullwright_cli.logbook import Logbook
from pullwright_cli.session import Session
from tests.unit.cli_kit import Cloud, cloud, matches, run

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime.now(UTC) - timedelta(minutes=5)
WEBHOOK, AGENT, OPENING = (f"/pullwright/s/{name}" for name in ("webhook", "agent", "open-pull-request"))


class Logs:
    """CloudWatch Logs with lines as told; groups without any do not exist.

    Attributes:
        asked: what was asked for.
    """

    def __init__(self) -> None:
        self.groups: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[dict[str, Any]] = []

    def write(self, group: str, seconds: float, line: Any) -> None:
        """Write a line, so many seconds after the beginning."""
        events = self.groups.setdefault(group, [])
        at = int((START + timedelta(seconds=seconds)).timestamp() * 1000)
        text = line if isinstance(line, str) else json.dumps(line)
        events.append({"timestamp": at, "message": text, "logStreamName": "a", "eventId": f"{len(events)}"})

    def get_paginator(self, name: str) -> Logs:
        """See boto3."""
        assert name == "filter_log_events"
        return self

    def paginate(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        """Yield two pages, the first of which is empty as those of AWS may be."""
        self.asked.append(wanted)
        if wanted["logGroupName"] not in self.groups:
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "FilterLogEvents"
            )
        events = self.groups[wanted["logGroupName"]]
        term = json.loads(wanted.get("filterPattern", '""'))
        yield {"events": []}
        yield {
            "events": [
                event
                for event in events
                if term in event["message"]
                and wanted.get("startTime", 0) <= event["timestamp"] <= wanted.get("endTime", 1e15)
            ]
        }


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    """Provide logs of a session `s1`, of another, and what Lambda writes around them."""
    made = Logs()
    made.write(WEBHOOK, 0, "INIT_START Runtime Version: python")
    made.write(WEBHOOK, 1, "START RequestId: 1 Version: 1")
    delivery = {
        "level": "INFO",
        "message": "A session works on octo/widgets#4.",
        "delivery_id": "d1",
        "event": "issues",
        "repository": "octo/widgets",
        "issue": 4,
        "status_code": 202,
        "status": "started",
        "correlation_id": "s1",
        "matched": ["implement"],
    }
    made.write(WEBHOOK, 2, delivery)
    made.write(
        WEBHOOK,
        3,
        {
            "level": "INFO",
            "message": "No worker starts on this.",
            "event": "push",
            "repository": "octo/gears",
            "status_code": 200,
            "status": "ignored",
            "unmatched": {"implement": "wants a label"},
        },
    )
    made.write(
        AGENT,
        5,
        {"level": "INFO", "message": "agent", "session_id": "s1", "activity": "Edit a.py", "tool": "Edit"},
    )
    made.write(AGENT, 6, {"level": "ERROR", "message": "push failed\x1b[2J", "session_id": "s1"})
    made.write(AGENT, 6, {"level": "INFO", "message": "of another", "session_id": "s2"})
    made.write(OPENING, 4, {"level": "INFO", "message": "opened", "correlation_id": "s1"})
    made.write(OPENING, 4.5, "[ERROR] Boom s1\n  File x")
    with cloud() as stack:
        stack.record("s1", created_at=START.isoformat(), status="RUNNING")
        stack.states.executions["s1"] = ("RUNNING", "{}")
        clients = {"logs": made}
        monkeypatch.setattr(Stack, "client", lambda _, name: clients.get(name) or stack.client(name))
        monkeypatch.setattr(Stack, "output", lambda _, name: stack.output(name))
        monkeypatch.setattr(logbook, "_PAUSE", 0.0)
        made.stack = stack  # type: ignore[attr-defined] # for tests that end a session
        yield made


def test_a_sessions_lines_are_joined_in_order(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    """Webhook, function, agent and task; what Lambda writes around them, and other sessions, are left out."""
    assert run("logs", "s1", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(matches("LogLine", line) for line in lines)
    assert [(line["source"], line["part"]) for line in lines if line["source"] != "states"] == [
        ("webhook", "webhook"),
        ("functions", "open-pull-request"),
        ("functions", "open-pull-request"),
        ("agent", "Edit"),
        ("runner", "task"),
    ]
    assert [line["part"] for line in lines if line["source"] == "states"] == ["RecordSession"]
    assert {call["filterPattern"] for call in logs.asked} == {'"s1"'}
    assert all(call["startTime"] <= START.timestamp() * 1000 for call in logs.asked)


def test_lines_that_are_alike_are_all_read(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    """Two of the same moment with the same message have no order by their other fields."""
    for delivery in ("d2", "d3"):
        logs.write(WEBHOOK, 9, {"message": "the same", "delivery_id": delivery})
    assert run("logs", "--source", "webhook", "--since", "1h") == 0
    assert capsys.readouterr().out.count("the same") == 2


def test_people_read_one_line_each(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is what it is about, and nothing steers the terminal."""
    assert logs
    assert run("logs", "s1") == 0
    text = capsys.readouterr().out
    assert "[ERROR] Boom s1\n" in text
    assert "File x" not in text
    assert "\x1b" not in text
    assert "agent Edit" in text


@pytest.mark.parametrize(
    ("source", "groups"),
    [
        ("agent", {AGENT}),
        ("webhook", {WEBHOOK}),
        ("states", {"/aws/vendedlogs/states/s"}),
    ],
)
def test_a_source_reads_its_groups_alone(source: str, groups: set[str], logs: Logs) -> None:
    """Without a session, from a quarter of an hour ago, and a group that is missing has no lines."""
    assert run("logs", "--source", source) == 0
    assert {call["logGroupName"] for call in logs.asked} == groups
    assert "filterPattern" not in logs.asked[0]


def test_following_ends_with_the_session_and_repeats_nothing(logs: Logs) -> None:
    """CloudWatch shows lines late, so that the same time is read again; each line comes once."""
    session = Session.named(Stack("s"), "s1")
    following = Logbook(Stack("s"), ("runner",), session).follow(START)
    assert next(following).message.startswith("push failed")
    # A moment ago, whenever this module was imported.
    seconds = (datetime.now(UTC) - START).total_seconds() - 1
    logs.write(AGENT, seconds, {"message": "late", "session_id": "s1"})
    logs.stack.states.executions["s1"] = ("SUCCEEDED", "{}")  # type: ignore[attr-defined] # the fixture's
    assert [line.message for line in following] == ["late"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("--source", "lambda"),
            2,
            "--source: 'lambda' is none of webhook, functions, states, runner, agent",
        ),
        (("nope",), 41, "There is no session nope"),
        (("s1", "--since", "later"), 2, "--since"),
    ],
)
def test_wrong_questions_are_told(
    arguments: tuple[str, ...], code: int, words: str, logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each by its option, or by the session's id."""
    assert logs
    assert run("logs", *arguments) == code
    assert words in capsys.readouterr().err


def test_events_say_what_started_nothing_and_why(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    """One for each delivery, from the webhook's log."""
    assert run("events", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("DeliveryList", document)
    assert [(event["event"], event["session"]) for event in document["events"]] == [
        ("issues", "s1"),
        ("push", None),
    ]
    assert run("events", "--unmatched") == 0
    text = capsys.readouterr().out
    assert "implement: wants a label" in text
    assert "octo/widgets" not in text
    assert run("events", "--repo", "octo/widgets", "--json") == 0
    assert [event["number"] for event in json.loads(capsys.readouterr().out)["events"]] == [4]
    logs.groups.clear()
    assert run("events", "--stack-name", "mine") == 0
    assert capsys.readouterr().out == "No delivery came to mine in that time.\n"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Provide a stack with sessions that cost something."""
    with cloud() as made:
        monkeypatch.setattr(Stack, "client", lambda _, service: made.client(service))
        monkeypatch.setattr(Stack, "output", lambda _, name: made.output(name))
        now = datetime.now(UTC)
        for number, (repository, person, cost) in enumerate(
            [("octo/a", "ann", 1.5), ("octo/b", "bob", 4), ("octo/a", "bob", 0.25), ("octo/a", "ann", None)]
        ):
            began = (now - timedelta(days=number)).isoformat()
            money: dict[str, Any] = {} if cost is None else {"cost_usd": cost}
            made.record(
                f"s{number}",
                repository=repository,
                requested_by=person,
                created_at=began,
                heartbeat_at=began,
                admitted_at=began,
                turns=2,
                status="FAILED" if cost is None else "SUCCEEDED",
                **money,
            )
        made.record("refused", status="FAILED", repository="octo/a")
        yield made


@pytest.mark.parametrize(
    ("by", "since", "expected"),
    [
        ("repository", "30d", [("octo/b", 4.0), ("octo/a", 1.75)]),
        ("person", "30d", [("bob", 4.25), ("ann", 1.5), ("none", 0)]),
        ("worker", "36h", [("implement", 5.5)]),
    ],
)
def test_costs_add_up_by_group(
    by: str, since: str, expected: list[tuple[str, float]], stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dearest first; the groups' sums are the whole, and a task without a result is not free."""
    assert run("cost", "--by", by, "--since", since, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("CostReport", document)
    assert [(group["key"], group["cost_usd"]) for group in document["groups"]] == expected
    assert sum(group["cost_usd"] for group in document["groups"]) == document["total"]["cost_usd"]
    assert document["total"]["cost_unknown"] == (0 if since == "36h" else 1)
    assert {call["call"] for call in stack.queries if "Index" in str(call)} == {"Query"}


def test_days_are_in_order_and_drawn(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar for each, as long as its cost."""
    assert stack
    assert run("cost", "--by", "day") == 0
    text = capsys.readouterr().out
    days = [line.split()[0] for line in text.splitlines() if line.startswith("20")]
    assert days == sorted(days)
    assert max(text.splitlines(), key=lambda line: line.count("\N{FULL BLOCK}")).split()[4] == "$4.0000"
    assert "Of 1 sessions nobody knows the cost" in text


def test_an_unknown_group_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names those that there are."""
    assert run("cost", "--by", "team") == 2
    assert "--by: 'team' is none of repository, worker, person, model, day, month" in capsys.readouterr().err


def test_artifacts_that_are_gone_differ_from_those_to_come(
    stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """Expired, not yet, never heard of, and a name that there is not: each its own end."""
    stack.record("busy", status="RUNNING")
    stack.s3.put_object(Bucket="artifacts", Key="sessions/s1/diff.patch", Body=b"x")
    for arguments, code, words in (
        (("s0",), 43, "ArtifactRetentionDays"),
        (("busy",), 47, "has left nothing yet"),
        (("nope",), 41, "There is no session nope"),
        (("s1", "patch"), 2, "has no artifact patch: it has diff.patch"),
    ):
        assert run("artifacts", *arguments) == code
        assert words in capsys.readouterr().err
    assert run("artifacts", "s1", "--list", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("ArtifactList", document)
    assert document["artifacts"] == [{"name": "diff.patch", "bytes": 1, "path": None}]
