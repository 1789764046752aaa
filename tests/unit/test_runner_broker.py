"""How long the runner waits for the broker, and what it does not wait for."""

from __future__ import annotations

import heapq
import json
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import AwsUnavailable, GitHubUnavailable, InternalError, SessionClosed, TaskStopped
from runner.broker import PATIENCE_SECONDS, Broker, waits

if TYPE_CHECKING:
    from collections.abc import Callable

GRANT = {
    "session_id": "s-1",
    "github_token": "token",
    "github_expires_at": "2026-01-01T01:00:00Z",
    "aws": {
        "access_key_id": "a",
        "secret_access_key": "s",
        "session_token": "t",
        "expires_at": "2026-01-01T01:00:00Z",
    },
}
THROTTLED = (429, {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"})
"""What Lambda answers when it has no room; https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""


class _Answer:
    def __init__(self, status: int, content: dict[str, Any]) -> None:
        self.status = status
        self.data = json.dumps(content).encode()


class _Terminated(threading.Event):
    """Counts what is waited for, and is set after so many seconds."""

    def __init__(self, after: float = float("inf")) -> None:
        super().__init__()
        self.seconds = 0.0
        self._after = after

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds += timeout or 0
        return self.seconds >= self._after


def _broker(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[float], tuple[int, dict[str, Any]]],
    terminated: _Terminated | None = None,
) -> tuple[Broker, _Terminated]:
    """Return a broker whose answer depends on how long was waited."""
    clock = terminated or _Terminated()

    def sleep(seconds: float) -> None:
        clock.seconds += seconds

    broker = Broker("https://broker.test", lambda *_: {}, terminated=clock, sleep=sleep)
    monkeypatch.setattr(broker._pool, "request", lambda *_, **__: _Answer(*answer(clock.seconds)))
    return broker, clock


def test_a_throttled_broker_is_waited_for_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that has no room for five minutes costs a starting task its time and nothing else."""
    broker, clock = _broker(monkeypatch, lambda at: THROTTLED if at < 300 else (200, GRANT))
    assert broker.ask(PATIENCE_SECONDS).github_token == "token"
    assert 300 <= clock.seconds < 321


@pytest.mark.parametrize("status", [0, 429, 500, 502, 503])
def test_patience_ends(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A broker that never answers is given up after the patience, not before and not later."""
    broker, clock = _broker(monkeypatch, lambda _: (status, {}))
    with pytest.raises(AwsUnavailable):
        broker.ask(PATIENCE_SECONDS)
    assert clock.seconds == pytest.approx(PATIENCE_SECONDS)


def test_what_aws_fails_at_is_told_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker has repeated its own calls: a session whose request cannot be read ends with the reason."""
    failing = (503, {"error": "AwsUnavailable", "message": "AWS could not read request.json."})
    broker, clock = _broker(monkeypatch, lambda _: failing)
    with pytest.raises(AwsUnavailable, match=r"request\.json"):
        broker.ask(PATIENCE_SECONDS)
    assert 60 <= clock.seconds < 90


def test_what_github_fails_at_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that GitHub cannot make for minutes fails no session that could wait."""
    failing = (503, {"error": "GitHubUnavailable", "message": "GitHub did not answer."})
    broker, clock = _broker(monkeypatch, lambda at: failing if at < 120 else (200, GRANT))
    broker.ask(PATIENCE_SECONDS)
    assert clock.seconds >= 120
    broker, _ = _broker(monkeypatch, lambda _: failing)
    with pytest.raises(GitHubUnavailable):
        broker.ask(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("answer", "error", "at_most"),
    [
        ((409, {"message": "The session is closed."}), SessionClosed, 0),
        ((403, {"error": "NotAllowed", "message": "No."}), Exception, 0),
        ((503, {"error": "InternalError", "message": "A defect."}), InternalError, 36),
    ],
)
def test_what_no_wait_mends_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, dict[str, Any]],
    error: type[Exception],
    at_most: float,
) -> None:
    """A closed session, a stranger and a defect are told within seconds."""
    broker, clock = _broker(monkeypatch, lambda _: answer)
    with pytest.raises(error):
        broker.ask(PATIENCE_SECONDS)
    assert clock.seconds <= at_most


def test_a_task_that_is_stopped_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops a session whose task has no credentials yet need not wait for its patience."""
    broker, clock = _broker(monkeypatch, lambda _: THROTTLED, _Terminated(after=30))
    with pytest.raises(TaskStopped):
        broker.ask(PATIENCE_SECONDS)
    assert clock.seconds < 51


@given(st.integers(0, 2**32), st.floats(0.1, 1_000))
def test_waits_make_up_the_patience(seed: int, seconds: float) -> None:
    """Whatever chance gives, the waits together are the patience, and none is longer than 20 seconds."""
    random.seed(seed)
    drawn = list(waits(seconds))
    assert sum(drawn) == pytest.approx(seconds)
    assert all(0 <= one <= 20 for one in drawn)


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_of_500_tasks_gets_through_a_new_account_s_ten_functions(seed: int) -> None:
    """500 tasks at once, a second each, half of the functions busy otherwise: all get credentials in time."""
    random.seed(seed)
    room, service, gave_up = 5, 1.0, 0
    schedules = [waits(PATIENCE_SECONDS) for _ in range(500)]
    arrivals = [(0.0, number) for number in range(500)]
    busy: list[float] = []
    while arrivals:
        now, number = heapq.heappop(arrivals)
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        if len(busy) < room:
            heapq.heappush(busy, now + service)
        elif (wait := next(schedules[number], None)) is None:
            gave_up += 1
        else:
            heapq.heappush(arrivals, (now + wait, number))
    assert gave_up == 0
