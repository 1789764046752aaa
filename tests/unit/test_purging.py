"""`pullwright sessions purge`: old sessions' artifacts and records, and nothing else of the table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pullwright import errors
from pullwright_cli.aws import Stack
from pullwright_cli.removing import parts, purging
from tests.unit.cli_kit import BUCKET, Cloud, cloud, matches, run
from tests.unit.reconcile_kit import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = "2026-10-01T10:00:00.000Z", "2026-11-20T10:00:00.000Z"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Provide a stack with old and new sessions of two repositories, each with two artifacts."""
    with cloud() as made:
        monkeypatch.setattr(Stack, "client", lambda _, service: made.client(service))
        monkeypatch.setattr(Stack, "output", lambda _, name: made.output(name))
        made.record("old", created_at=OLD)
        made.record("failed", created_at=OLD, status="FAILED", repository="octo/gears", report="made")
        made.record("due", created_at=OLD, status="FAILED", report="due", closed_at=OLD)
        made.record("running", created_at=OLD, status="RUNNING")
        made.record("new", created_at=NEW)
        for session in ("old", "failed", "due", "running", "new", "older-name"):
            for name in ("result.json", "transcript.jsonl"):
                made.s3.put_object(Bucket=BUCKET, Key=f"sessions/{session}/{name}", Body=b"{}")
        made.dynamodb.put_item(
            TableName=TABLE,
            Item={"pk": {"S": "LOCK#a"}, "status": {"S": "FAILED"}, "heartbeat_at": {"S": OLD}}
            | {"created_at": {"S": OLD}},
        )
        yield made


def sessions(stack: Cloud) -> set[str]:
    """Return the sessions that have a record."""
    items = stack.dynamodb.scan(TableName=TABLE)["Items"]
    return {item["pk"]["S"].partition("#")[2] for item in items if item["pk"]["S"].startswith("SESSION#")}


def folders(stack: Cloud) -> set[str]:
    """Return the sessions that have artifacts."""
    found = stack.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {entry["Key"].split("/")[1] for entry in found}


@pytest.mark.parametrize(
    ("arguments", "purged"),
    [((), {"old", "failed"}), (("--repo", "octo/gears"), {"failed"}), (("--repo", "octo/none"), set())],
)
def test_what_ended_before_goes_and_all_else_stays(
    arguments: tuple[str, ...], purged: set[str], stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither what runs, nor what GitHub has yet to be told, nor a session whose id begins the same way."""
    stack.queries.clear()
    assert run("sessions", "purge", "--before", "2026-11-01", "--yes", "--json", *arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("Purge", document)
    assert set(document["purged"]) == purged
    assert document["artifacts"] == 2 * len(purged)
    everything = {"old", "failed", "due", "running", "new"}
    assert sessions(stack) == everything - purged
    assert folders(stack) == (everything | {"older-name"}) - purged
    assert "Scan" not in {call["call"] for call in stack.queries[:-1]}


def test_an_interruption_leaves_the_record_that_finds_the_session(
    stack: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Artifacts go first; the next purge goes on with the records that are left."""
    original = parts.empty

    def interrupt(stack: Any, bucket: str, prefix: str) -> int:
        original(stack, bucket, prefix)
        raise KeyboardInterrupt

    monkeypatch.setattr(purging, "empty", interrupt)
    assert run("sessions", "purge", "--before", "2026-11-01", "--yes") == 130
    assert "old" in sessions(stack)
    monkeypatch.undo()


def test_what_s3_keeps_is_named_and_its_record_stays(stack: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """DeleteObjects answers 200 with the objects that it did not delete."""
    error = {"Key": "sessions/old/result.json", "Code": "AccessDenied", "Message": "no"}
    monkeypatch.setattr(stack.s3, "delete_objects", lambda **_: {"Errors": [error]})
    with pytest.raises(
        errors.NotRemoved, match=r"S3 kept sessions/\w+/result.json in artifacts \(AccessDenied"
    ):
        purging.purge(Stack("s"), ["old"], print)
    assert "old" in sessions(stack)


def test_a_dry_run_prints_plain_calls(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """For each session its artifacts first; nothing is changed and nothing is asked."""
    assert run("sessions", "purge", "--before", "2026-11-01", "--dry-run", "--repo", "octo/gears") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "aws s3 rm --recursive s3://artifacts/sessions/failed/"
    assert second.startswith("aws dynamodb delete-item --table-name")
    assert "failed" in sessions(stack)


def test_it_asks_first(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the number of sessions; without a terminal --yes is missing."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert run("sessions", "purge", "--before", "2026-11-01") == 2
    assert "Remove records and artifacts of 2 sessions" in capsys.readouterr().err
    assert "old" in sessions(stack)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--before"),
        (("--before", "soon"), "--before: 'soon' is no time"),
        (("--before", "2999-01-01"), "--before: '2999-01-01' is no time in the past"),
        (("--before", "30d", "--repo", "gears"), "OWNER/NAME"),
    ],
)
def test_bad_input_names_the_option(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before AWS is asked."""
    assert run("sessions", "purge", *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_record_that_is_open_again_is_not_removed(stack: Cloud) -> None:
    """The index may lag: the deletion itself asks for the status."""
    purging.purge(Stack("s"), ["running"], print)
    assert "running" in sessions(stack)


def test_other_failures_of_the_table_are_told(stack: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a condition that does not hold counts as nothing to do."""

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DeleteItem")

    monkeypatch.setattr(stack.dynamodb, "delete_item", refuse)
    with pytest.raises(ClientError):
        purging.purge(Stack("s"), ["old"], print)
