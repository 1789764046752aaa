"""What the demo says of sessions that do not end by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import urllib3
from rich.console import Console

from local.demo import previews, summary
from pullwright.record import SessionRecord
from pullwright_cli import watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.sessions import Session


def _record(**item: str) -> SessionRecord:
    return SessionRecord.of("implement-1-guid", item)


@dataclass
class Stopped:
    """A session whose execution was stopped, and what its record says each time one looks."""

    records: Iterator[SessionRecord]
    id: str = "implement-1-guid"
    seen: list[SessionRecord] = field(default_factory=list)

    def status(self) -> str:
        """As Step Functions says."""
        return "ABORTED"

    def events(self) -> list[Any]:
        """None that would matter."""
        return []

    def log_lines(self, _since: int) -> list[dict[str, Any]]:
        """None either."""
        return []

    def record(self) -> SessionRecord:
        """Return the next state of the record; the last one stays."""
        self.seen.append(next(self.records, self.seen[-1] if self.seen else _record()))
        return self.seen[-1]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two looks."""
    monkeypatch.setattr(watch, "INTERVAL", 0.0)


def _watch(session: Stopped) -> tuple[watch.Watch, StringIO]:
    said = StringIO()
    return watch.Watch(Console(file=said, width=200), cast("Session", session)), said


def test_a_stopped_execution_is_watched_until_its_session_is_closed() -> None:
    """The end of the execution is not the end of the session: what the sweep says of it is what is shown."""
    closed = _record(closed_at="2025-01-01T00:00:00+00:00", sentence="Somebody stopped the session.")
    session = Stopped(iter([_record(status="RUNNING"), _record(status="RUNNING"), closed]))
    one, said = _watch(session)
    assert one.until_end(1) == "ABORTED"
    assert session.seen[-1] == closed
    assert "the execution has ended as ABORTED" in said.getvalue()
    assert summary.reason(cast("Session", session), "ABORTED", None) == "Somebody stopped the session."


def test_a_session_that_nobody_closes_ends_the_demo_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that stays open is told, not waited for without end."""
    monkeypatch.setattr(watch, "CLOSING_SECONDS", -1.0)
    one, _ = _watch(Stopped(iter([_record(status="RUNNING")])))
    with pytest.raises(TimeoutError, match="has ended as ABORTED, but nobody closed it"):
        one.until_end(1)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (_record(status="SUCCEEDED", sentence="The pull request is ready."), "The project's own test"),
        (_record(status="FAILED", sentence="Somebody stopped the session."), "Somebody stopped"),
        (_record(), "The execution ended as ABORTED."),
    ],
)
def test_the_session_s_end_counts_and_not_its_execution_s(record: SessionRecord, said: str) -> None:
    """Work that was done when somebody stopped the execution is no failure."""
    assert summary.reason(cast("Session", Stopped(iter([record]))), "ABORTED", None).startswith(said)


def test_work_whose_preview_does_not_show_it_is_a_failure() -> None:
    """The branch alone is not all that the demo promises."""
    done = Stopped(iter([_record(status="SUCCEEDED")]))
    seen = previews.Preview("http://a.preview.localhost", "1h30m is 1800 seconds", is_right=False)
    said = summary.reason(cast("Session", done), "SUCCEEDED", seen)
    assert said == "The session's preview does not show the change."


@pytest.mark.parametrize(
    ("record", "answer", "expected"),
    [
        ({"preview_status": "STARTING"}, (200, b""), ("", "It was not healthy after 120 s.", False)),
        ({"preview_status": "FAILED", "sentence": "No slot."}, (200, b""), ("", "No slot.", False)),
        ({}, (200, b"<h1>It is 5400.</h1>"), ("http://a.preview.localhost:80/p", "is 5400", True)),
        ({}, (200, b"It is 1800."), ("http://a.preview.localhost:80/p", "200 It is 1800.", False)),
        ({}, (502, b"Bad. It is 5400."), ("http://a.preview.localhost:80/p", "502 Bad. It is 5400.", False)),
    ],
)
def test_a_preview_is_right_if_its_page_shows_the_change(
    monkeypatch: pytest.MonkeyPatch,
    record: dict[str, str],
    answer: tuple[int, bytes],
    expected: tuple[str, str, bool],
) -> None:
    """It is asked by its host at the load balancer; what came instead is told."""
    served = {"preview_status": "SERVING", "url": "http://a.preview.localhost:80"}
    monkeypatch.setattr(previews, "_served", lambda _session: served | record)

    # The first request may come before the rule has its whole weight.
    answers = [(503, b"Not yet."), answer]

    def request(method: str, url: str, *, headers: dict[str, str], **_options: object) -> object:
        assert (method, url) == ("GET", "http://127.0.0.1:80/p")
        assert headers == {"Host": "a.preview.localhost:80"}
        status, data = answers.pop(0)
        return SimpleNamespace(status=status, data=data)

    monkeypatch.setattr(urllib3, "request", request)
    monkeypatch.setattr(previews, "_INTERVAL", 0.0)
    session = cast("Session", Stopped(iter([])))
    assert previews.left_by(session, ("/p", "is 5400")) == expected
