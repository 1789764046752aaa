"""A request as the runner's unit tests use it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pullwright.models import AgentRequest, GitIdentity, ResolvedLimits
from pullwright.prices import Price, list_price

WHEN = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def listed(model: str) -> Price:
    """Return the list price of a model that has one."""
    price = list_price(model)
    assert price is not None
    return price


def a_request(**changes: Any) -> AgentRequest:
    """Return a request for issue 7, with some fields changed."""
    fields: dict[str, Any] = {
        "session_id": "implement-7-x",
        "execution_arn": "arn:x",
        "repository": "acme/shop",
        "git_url": "https://github.com/acme/shop.git",
        "base": "main",
        "branch": "claude/7",
        "pull_request": 8,
        "pull_request_url": "https://github.com/acme/shop/pull/8",
        "comment_id": 99,
        "issue": 7,
        "title": "The greeting is misspelt",
        "body": "It says `helo`.",
        "prompt": None,
        "requested_by": "maintainer",
        "author": GitIdentity(name="pullwright[bot]", email="1+pullwright[bot]@users.noreply.github.com"),
        "provider": "anthropic",
        "model": "claude-opus-5-5",
        "limits": ResolvedLimits(usd=5.0, turns=20, minutes=30),
        "stub": False,
        "created_at": WHEN,
    }
    return AgentRequest(**{**fields, **changes})
