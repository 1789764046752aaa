"""Waiting for a session: a connection that breaks, Ctrl-C, time that is up, and what is saved at the end."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.response import StreamingBody
from rich.console import Console

from pullwright import errors
from pullwright.record import SessionRecord
from pullwright_cli import waiting, watch
from pullwright_cli.download import save
from pullwright_cli.failures import explained
from pullwright_cli.session import Session, task_of
from tests.unit.cli_kit import BUCKET, Cloud, cloud

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stack() -> Iterator[Cloud]:
    """Provide a stack."""
    with cloud() as made:
        yield made


@dataclass
class Watched:
    """A session whose status is what the list says, one entry for each look; an exception is raised."""

    looks: list[str | BaseException]
    id: str = "s1"
    stack: Any = None
    seen: list[str] = field(default_factory=list)

    def status(self) -> str:
        """Return or raise what comes next; the last one stays."""
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, BaseException):
            raise found
        return found

    def events(self) -> list[dict[str, Any]]:
        """Return no history."""
        return []

    def log_lines(self, _since: int) -> list[dict[str, Any]]:
        """Return a line that would move the cursor."""
        return [{"activity": "Edit \x1b[2Jx", "turns": 2, "cost_usd": 0.5}][_since:]

    def record(self) -> SessionRecord:
        """Return a closed record."""
        return SessionRecord.of(self.id, {"status": "SUCCEEDED", "closed_at": "2026-01-01T00:00:00Z"})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two looks."""
    monkeypatch.setattr(watch, "INTERVAL", 0.0)


def watched(session: Watched, minutes: float = 1) -> tuple[str, str]:
    """Return the status that the watch ends with, and what it said."""
    said = StringIO()
    ended = watch.Watch(Console(file=said, width=300), cast("Session", session)).until_end(minutes)
    return ended, said.getvalue()


@pytest.mark.parametrize(
    "failure",
    [
        EndpointConnectionError(endpoint_url="https://states"),
        ClientError(
            {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "DescribeExecution"
        ),
        ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "DescribeExecution"),
    ],
)
def test_a_lost_connection_is_outlived(failure: BaseException) -> None:
    """It is said once, and that it is back; the session is none the wiser."""
    ended, said = watched(Watched(["RUNNING", failure, failure, "RUNNING", "SUCCEEDED"]))
    assert ended == "SUCCEEDED"
    assert said.count("The session goes on; asking again") == 1
    assert said.count("AWS answers again") == 1


def test_credentials_that_expire_meanwhile_end_the_wait() -> None:
    """Asking again would not help."""
    expired = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": ""}}, "DescribeExecution")
    with pytest.raises(ClientError):
        watched(Watched(["RUNNING", expired]))


def test_steps_show_money_and_cannot_steer_the_terminal() -> None:
    """What the agent does comes from the repository's files."""
    _, said = watched(Watched(["SUCCEEDED"]))
    assert "Edit  [2Jx · 2 turns · $0.5000" in said
    assert "\x1b" not in said


def test_ctrl_c_leaves_it_running_and_says_what_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 130; nothing is stopped."""
    code = waiting.follow(cast("Session", Watched([KeyboardInterrupt()])), 0, None, as_json=False)
    assert code == 130
    text = capsys.readouterr().err
    assert "The session goes on." in text
    assert "`pullwright show --watch s1`" in text
    assert "`pullwright stop s1`" in text


def test_time_that_is_up_leaves_it_running() -> None:
    """It has a class of its own, so that scripts can go on waiting."""
    with pytest.raises(errors.StillRunning, match="is still RUNNING after") as caught:
        waiting.follow(cast("Session", Watched(["RUNNING"])), 1e-9, None, as_json=False)
    assert "pullwright stop s1" in caught.value.remedy


def test_the_task_is_known_from_the_history() -> None:
    """TaskSubmitted carries RunTask's answer; other services' do not count."""
    submitted = {"resourceType": "ecs", "output": '{"Tasks":[{"TaskArn":"arn:t1"}]}'}
    events = [
        {"taskSubmittedEventDetails": submitted},
        {"taskSubmittedEventDetails": {"resourceType": "lambda", "output": "{}"}},
        {"stateEnteredEventDetails": {"name": "x"}},
    ]
    assert task_of(events) == "arn:t1"
    assert task_of(events[1:]) is None


def session_with(stack: Cloud, **artifacts: bytes) -> Session:
    """Return a session that left artifacts."""
    for name, body in artifacts.items():
        stack.s3.put_object(Bucket=BUCKET, Key=f"sessions/s1/{name}", Body=body)
    return Session.named(stack, "s1")


def test_artifacts_are_saved_whole(stack: Cloud, tmp_path: Path) -> None:
    """Also those in folders; no part is left over."""
    session = session_with(stack, **{"result.json": b"{}", "logs/a.txt": b"x" * 3_000_000})
    saved = save(session, session.artifact_list(), tmp_path / "new")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in saved) == [
        "new/logs/a.txt",
        "new/result.json",
    ]
    assert (tmp_path / "new/logs/a.txt").read_bytes() == b"x" * 3_000_000
    assert list(tmp_path.rglob("*.part")) == []


def test_a_full_disk_leaves_no_half_file(
    stack: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file; those before it stay."""
    session = session_with(stack, **{"a.json": b"{}", "b.txt": b"x" * 2_000_000})
    opened = Path.open

    def full(path: Path, mode: str) -> Any:
        if path.name == "b.txt.part":
            with opened(path, mode) as file:
                file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(errors.NotSaved, match=r"b\.txt could not be written: No space left"):
        save(session, session.artifact_list(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "end",
    [
        KeyboardInterrupt(),
        ResponseStreamingError(error="IncompleteRead(4 bytes read)"),
        IncompleteReadError(actual_bytes=4, expected_bytes=9),
    ],
)
def test_a_download_that_is_cut_off_leaves_no_half_file(
    end: BaseException, stack: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Ctrl-C or the network: what was whole before stays, also an older copy of the same artifact."""
    session = session_with(stack, **{"a.json": b"{}", "b.txt": b"x" * 2_000_000})
    (tmp_path / "b.txt").write_bytes(b"older")
    read = StreamingBody.read
    sizes: list[int] = []

    def cut_off(body: StreamingBody, amt: int | None = None) -> bytes:
        part = read(body, amt)
        if sizes[-1:] == [1024 * 1024]:
            raise end
        sizes.append(len(part))
        return part

    monkeypatch.setattr(StreamingBody, "read", cut_off)
    with pytest.raises(type(end)):
        save(session, session.artifact_list(), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a.json": b"{}",
        "b.txt": b"older",
    }
    if isinstance(end, Exception):
        assert explained(end) is not None


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/x", "a\x1b[2J"])
def test_names_that_lead_out_of_the_folder_are_refused(name: str, stack: Cloud, tmp_path: Path) -> None:
    """A task can write any name below its session's prefix."""
    session = session_with(stack)
    stack.s3.put_object(Bucket=BUCKET, Key=f"sessions/s1/{name}", Body=b"x")
    with pytest.raises(errors.NotSaved, match="leads out of"):
        save(session, session.artifact_list(), tmp_path / "in")
    assert list(tmp_path.rglob("*")) == []
