"""`pullwright sessions` and `show`: which there are, found by queries, and all that is known of one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright_cli.aws import Stack
from pullwright_cli.errors import CliError
from pullwright_cli.moments import since
from pullwright_cli.session import StateVisit, visits_of
from tests.unit.cli_kit import BUCKET, Cloud, cloud, matches, run

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Provide the stack that commands find."""
    with cloud() as made:
        monkeypatch.setattr(Stack, "client", lambda _, service: made.client(service))
        monkeypatch.setattr(Stack, "output", lambda _, name: made.output(name))
        yield made


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """Return what `sessions --json` lists."""
    assert run("sessions", "--json", *arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("SessionList", document)
    found: list[dict[str, Any]] = document["sessions"]
    return found


def many(stack: Cloud) -> None:
    """Record sessions of two repositories, an hour apart, the newest first in name."""
    for number in range(60):
        began = (datetime.now(UTC) - timedelta(hours=number)).isoformat().replace("+00:00", "Z")
        stack.record(
            f"s{number:02}",
            repository="octo/widgets" if number % 2 else "octo/gears",
            status=("SUCCEEDED", "FAILED", "RUNNING", "QUEUED")[number % 4],
            worker="review" if number % 3 else "implement",
            created_at=began,
            heartbeat_at=began,
            input="x" * 20_000,
        )
    stack.dynamodb.put_item(
        TableName=stack.output("SessionsTable"),
        Item={"pk": {"S": "LOCK#octo/gears#b"}, "status": {"S": "QUEUED"}, "heartbeat_at": {"S": "2999"}},
    )


@pytest.mark.parametrize(
    ("arguments", "expected", "index", "calls"),
    [
        (("--limit", "3"), ["s00", "s01", "s02"], "by_status", 4),
        (("--limit", "2", "--status", "failed"), ["s01", "s05"], "by_status", 1),
        (("--limit", "2", "--repo", "octo/gears"), ["s00", "s02"], "by_repository", 1),
        (("--repo", "octo/gears", "--status", "failed"), [], "by_repository", None),
        (("--repo", "octo/gears", "--since", "150m"), ["s00", "s02"], "by_repository", 1),
        (("--since", "90m"), ["s00", "s01"], "by_status", 4),
        (("--limit", "2", "--worker", "implement"), ["s00", "s03"], "by_status", None),
    ],
)
def test_sessions_are_found_by_queries(
    arguments: tuple[str, ...],
    expected: list[str],
    index: str,
    calls: int | None,
    stack: Cloud,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Newest first, by the index that the help names, without a scan; locks are no sessions."""
    many(stack)
    stack.queries.clear()
    assert [row["session"] for row in listed(capsys, *arguments)] == expected
    assert {(call["call"], call["IndexName"]) for call in stack.queries} == {("Query", index)}
    assert calls is None or len(stack.queries) == calls


def test_what_a_record_should_not_hold_is_left_out(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A task may write lies; what steers a terminal is not printed, and a later release's status is."""
    stack.record("liar", worker="\x1b]0;owned\x07", turns="many", cost_usd=0.25, sentence="a\nb")
    stack.record("later", bare=True, status="RUNNING", repository="octo/widgets", heartbeat_at="2026")
    (row, later) = sorted(listed(capsys), key=lambda row: row["session"] != "liar")
    assert (row["cost_usd"], row["turns"], later["created_at"]) == (0.25, None, None)
    assert run("sessions") == 0
    text = capsys.readouterr().out
    assert "$0.2500" in text
    assert "\x1b" not in text
    assert run("show", "liar") == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--status", "open"), "--status: 'open' is none of queued, running, succeeded, failed"),
        (("--since", "yesterday"), "--since: 'yesterday' is no time"),
        (("--watch", "--json"), "exclude each other"),
        (("--repo", "widgets"), "OWNER/NAME"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_wrong_filters_name_the_option(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before AWS is asked."""
    assert run("sessions", *arguments) == 2
    assert words in capsys.readouterr().err


def test_an_empty_list_says_so(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0: nothing is wrong."""
    assert stack
    assert run("sessions", "--stack-name", "mine") == 0
    assert capsys.readouterr().out == "No session of mine fits.\n"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("90m", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T09:00+02:00", datetime(2026, 11, 1, 7, tzinfo=UTC)),
    ],
)
def test_times_as_people_give_them(text: str, moment: datetime | None) -> None:
    """Without a zone they are UTC, as everything that is recorded."""
    assert since(text, NOW) == moment


@pytest.mark.parametrize("text", ["1 day", "12", "m", "2026-13-01", "9999999d"])
def test_other_times_are_refused(text: str) -> None:
    """The sentence shows the forms."""
    with pytest.raises(CliError, match="write 30m, 2h, 3d or"):
        since(text, NOW)


def test_show_joins_record_execution_and_artifacts(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON has the published form; people read why it failed and what to do."""
    stack.record(
        "s1",
        status="FAILED",
        error="TimeLimit",
        sentence="Its time is up.",
        remedy="Give it more.",
        cost_usd=1.5,
    )
    stack.states.executions["s1"] = ("FAILED", '{"repository":"octo/widgets","issue":1}')
    stack.s3.put_object(Bucket=BUCKET, Key="sessions/s1/result.json", Body=b"{}")
    assert run("show", "s1", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("SessionDetails", document)
    assert document["record"]["cost_usd"] == 1.5
    assert document["request"]["issue"] == 1
    assert document["artifacts"] == ["result.json"]
    assert [state["name"] for state in document["states"]] == ["RecordSession"]
    assert run("show", "s1") == 0
    text = capsys.readouterr().out
    for words in ("Its time is up.", "Give it more.", "TimeLimit", "$1.5000", "result.json", "RecordSession"):
        assert words in text


def test_what_aws_has_forgotten_is_still_shown(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The record outlives the execution, and the execution may have none."""
    stack.record("old")
    stack.states.executions["unrecorded"] = ("FAILED", "[]")
    for session, words in (("old", "forgotten by Step Functions"), ("unrecorded", "FAILED")):
        assert run("show", session, "--json") == 0
        assert matches("SessionDetails", json.loads(capsys.readouterr().out))
        assert run("show", session) == 0
        assert words in capsys.readouterr().out


def test_a_session_that_nobody_knows_is_41_and_a_later_releases_44(
    stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each says what to do; with --json as JSON."""
    assert run("show", "nope") == 41
    assert "There is no session nope in this stack. List those" in capsys.readouterr().err
    assert run("show", "nope", "--json") == 41
    assert matches("CommandFailure", json.loads(capsys.readouterr().err))
    stack.record("new", status="SLEEPING")
    assert run("show", "new") == 44
    assert "'SLEEPING', which this release does not know. Install" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["Aborted", "Failed", "Succeeded", "TimedOut"])
def test_a_state_ends_with_its_execution(how: str) -> None:
    """One that was stopped is left by no event of its own, and a last state by none but this."""
    began = datetime(2026, 11, 27, 9, tzinfo=UTC)
    history = [
        {"type": "TaskStateEntered", "timestamp": began, "stateEnteredEventDetails": {"name": "RunAgent"}},
        {"type": "TaskStarted", "timestamp": began + timedelta(seconds=2)},
        {"type": f"Execution{how}", "timestamp": began + timedelta(seconds=9)},
    ]
    assert visits_of(history[:2]) == [StateVisit("RunAgent", began, None)]
    assert visits_of(history) == [StateVisit("RunAgent", began, 9.0)]
