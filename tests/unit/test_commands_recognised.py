"""Which comments are commands: the webhook's decision."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from github_standin.markup import render
from pullwright.events.messages import MESSAGE, QueuedCommand
from pullwright.rendered.addressed import addresses
from pullwright.webhook.answers import Answer
from pullwright.webhook.commands import COMMANDS, read_command
from pullwright.webhook.message import Message
from tests.unit.commands_kit import PAYLOAD, decided
from tests.unit.markdown_kit import WRITTEN
from tests.unit.webhook_kit import GUID

OUR_PULL = {"pull_request": {"url": "x"}, "user": {"login": "pullwright[bot]", "type": "Bot"}}


def changed(place: str, **fields: Any) -> dict[str, Any]:
    """Return the payload with some fields of one part changed."""
    if not place:
        return {**PAYLOAD, **fields}
    return {**PAYLOAD, place: {**PAYLOAD[place], **fields}}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_queued_for_its_place(name: str) -> None:
    """On issues and on pull requests, in any case, with whatever stands behind it."""
    for issue in ({}, {"pull_request": {"url": "x"}}):
        for body, is_alone in ((f"/{name}", True), (f" /{name.upper()} please\r\nNow.", False)):
            content = changed("comment", body=body) | {"issue": PAYLOAD["issue"] | issue}
            made = decided(content)
            assert isinstance(made, Message), made
            asked = MESSAGE.validate_json(made.message)
            assert isinstance(asked, QueuedCommand)
            assert (asked.name, asked.is_alone, asked.is_pull_request) == (name, is_alone, bool(issue))
            assert (asked.number, asked.login, asked.delivery_id) == (8, "maintainer", GUID)


IGNORED = [
    changed("", action="edited"),
    changed("", action="deleted"),
    changed("comment", body="please /stop"),
    changed("comment", body="> /stop"),
    changed("comment", body="    /stop"),
    changed("comment", body="```\n/stop\n```"),
    changed("comment", body="/stop/now"),
    changed("comment", body="/etc/passwd"),
    changed("comment", body="/dance"),
    changed("comment", body=None),
    changed("sender", type="Bot"),
    changed("sender", type="Organization"),
    # An unknown word on a person's pull request is for another tool.
    changed("issue", pull_request={"url": "x"}) | {"comment": {**PAYLOAD["comment"], "body": "/lgtm"}},
]


@pytest.mark.parametrize("content", IGNORED)
def test_everything_else_is_no_command(content: dict[str, Any]) -> None:
    """Edited comments, other places in the text, quotations, code, words of other tools, and Apps."""
    made = decided(content)
    assert isinstance(made, Answer)
    assert made.status_code == 200


def test_an_unknown_word_counts_on_an_apps_pull_request() -> None:
    """There it may have been meant for us, which GitHub has to be asked."""
    made = decided(changed("comment", body="/dance") | {"issue": PAYLOAD["issue"] | OUR_PULL})
    assert isinstance(made, Message)
    assert json.loads(made.message)["name"] == "dance"


@given(st.one_of(st.text(max_size=40), WRITTEN, WRITTEN.map("/stop".__add__)))
@example("  \n    /stop")
@example("  \t/stop")
def test_a_command_is_what_the_page_begins_with(body: str) -> None:
    """As text, not as code or in a quotation; the page is made by GitHub's own Markdown library."""
    if (words := read_command(body)) is not None:
        assert addresses(render(body), re.compile(rf"\A\s*/{words.name}(?!\S)", re.IGNORECASE))
