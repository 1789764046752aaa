"""What holds the Jira stand-in to Atlassian's description sees a departure from it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jira_truth.judging import Jira

_EXCHANGE: dict[str, Any] = {
    "kind": "jira",
    "method": "GET",
    "path": "/rest/api/3/myself",
    "query": {},
    "body": None,
    "status": 200,
    "media_type": "application/json; charset=utf-8",
    "answer": {"accountId": "712020:1", "active": True},
}
_USER = {"accountId": "712020:1"}
_EVENT = {"timestamp": 1, "webhookEvent": "jira:issue_updated", "user": _USER, "issue": {"key": "A-1"}}


@pytest.fixture(scope="module")
def jira() -> Jira:
    """Provide Atlassian's description."""
    return Jira()


def test_what_is_described_passes(jira: Jira) -> None:
    """An answer of `myself` and an event with a change."""
    event = {**_EVENT, "changelog": {"items": [{"field": "labels", "toString": "a"}]}}
    assert jira.problems(_EXCHANGE) == []
    assert jira.problems({"kind": "jira webhook", "body": event}) == []


@pytest.mark.parametrize(
    "exchange",
    [
        _EXCHANGE | {"answer": {"accountId": 1}},
        _EXCHANGE | {"answer": {"nickname": "x"}},
        _EXCHANGE | {"query": {"verbose": "true"}},
        _EXCHANGE | {"path": "/rest/api/3/yourself"},
        _EXCHANGE | {"status": 500},
        _EXCHANGE | {"status": 404, "answer": {"message": "no"}},
        {"kind": "jira webhook", "body": _EVENT | {"user": {"login": "x"}}},
        {"kind": "jira webhook", "body": {}},
    ],
)
def test_a_departure_is_found(jira: Jira, exchange: dict[str, Any]) -> None:
    """A wrong type, an invented member, parameter or address, a failure, and a refusal in another form."""
    assert jira.problems(exchange)
