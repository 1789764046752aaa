"""What a preview's task learns of itself: its plan from the broker, its address from the metadata."""

from __future__ import annotations

from typing import Any

import pytest

from pullwright.errors import AwsUnavailable, SessionClosed
from pullwright.log import scrub
from runner import metadata
from runner.metadata import read_address
from runner.preview.credentials import ask_for_preview
from tests.unit.test_runner_broker import GRANT, THROTTLED, _broker

PLAN = {
    "preview_id": "p-1",
    "repository": "o/r",
    "commit": "a" * 40,
    "build": "",
    "start": "npm start",
    "port": 8_080,
    "start_seconds": 600,
}
ANSWER = {
    "plan": PLAN,
    "github_token": "a token that reads",
    "github_expires_at": "2026-01-01T01:00:00Z",
    "variables": {"KEY": "a variable that hides"},
}


def test_a_busy_broker_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan comes with what the log must never show."""
    broker, _ = _broker(monkeypatch, lambda at: THROTTLED if at < 100 else (200, ANSWER))
    grant = ask_for_preview(broker, "p-1")
    assert (grant.plan.start, grant.variables) == ("npm start", {"KEY": "a variable that hides"})
    shown = scrub("a token that reads, a variable that hides")
    assert "token" not in shown
    assert "hides" not in shown


def test_another_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session's credentials, and another preview's plan, are not this task's."""
    with pytest.raises(AwsUnavailable):
        ask_for_preview(_broker(monkeypatch, lambda _: (200, GRANT))[0], "p-1")
    with pytest.raises(SessionClosed):
        ask_for_preview(_broker(monkeypatch, lambda _: (200, ANSWER))[0], "p-2")
    with pytest.raises(SessionClosed):
        ask_for_preview(_broker(monkeypatch, lambda _: (409, {"message": "Over."}))[0], "p-1")


@pytest.mark.parametrize(
    "networks",
    [None, [], [{}], [{"IPv4Addresses": []}], [{"IPv4Addresses": [7]}], "10.0.0.7", ["10.0.0.7"]],
)
def test_an_endpoint_without_an_address_is_said(monkeypatch: pytest.MonkeyPatch, networks: Any) -> None:
    """A server that listens nowhere would never be healthy, and nobody would know why."""
    monkeypatch.setattr(metadata, "_get", lambda *_: {"Networks": networks})
    with pytest.raises(AwsUnavailable, match="no address"):
        read_address("http://metadata.test")


def test_the_address_is_the_first_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Fargate a task has one network with one address."""
    container = {"Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["10.0.0.7"]}]}
    monkeypatch.setattr(metadata, "_get", lambda *_: container)
    assert read_address("http://metadata.test") == "10.0.0.7"
