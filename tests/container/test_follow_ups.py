"""Follow-ups in the task: the real CLI goes on with an earlier conversation, or begins afresh and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.harness import Harness
from tests.container.test_endings import EDIT, READ

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = {
    "session_id": "implement-7-test",
    "author": "maintainer",
    "author_role": "writer",
    "created_at": "2026-11-27T03:00:00Z",
    "body": "@pullwright also say it twice",
    "comment_id": 5,
}
AGAIN = {
    "tool": "Edit",
    "input": {"file_path": "{cwd}/src/app.py", "old_string": "hello", "new_string": "hello, hello"},
}


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness with the real CLI."""
    with Harness.open() as opened:
        opened.real_cli()
        yield opened


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in."""
    with StandIn.running() as running:
        yield running


def first(harness: Harness, standin: StandIn, *more: dict[str, Any]) -> str:
    """Let a first session mend the greeting; return the id of its conversation."""
    steps = [READ, EDIT, {"text": "It says hello now."}, *more]
    standin.call("PUT", "scripts/test", {"match": "The greeting is misspelt", "steps": steps})
    harness.ask()
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    conversation = harness.result.conversation_id
    assert conversation is not None
    return conversation


def next_task(harness: Harness) -> None:
    """Forget the first task, whose session is over."""
    harness.objects[harness.key("resumed.jsonl")] = harness.artifact("conversation.jsonl")
    for name in ("result.json", "conversation.jsonl", "usage.json"):
        harness.objects.pop(harness.key(name), None)
    harness.record.clear()
    harness.record["status"] = "RUNNING"


def test_the_conversation_goes_on_in_another_task(harness: Harness, standin: StandIn) -> None:
    """The model sees what was said before, the id stays, and the second commit follows the first."""
    conversation = first(harness, standin, READ, AGAIN, {"text": "It says it twice now."})
    before = harness.git("rev-parse", "claude/7")
    next_task(harness)
    harness.ask(follow_ups=[ASKED], conversation=conversation)
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.summary) == ("changed", "It says it twice now.")
    assert result.conversation_id == conversation
    assert harness.git("show", "claude/7:src/app.py") == "print('hello, hello')"
    assert before in harness.git("rev-list", "claude/7").split()
    assert result.notices == ()
    # The record that is kept holds both, for the next one to go on.
    kept = harness.artifact("conversation.jsonl").decode()
    assert "It says hello now." in kept
    assert "It says it twice now." in kept
    assert kept.count("also say it twice") >= 1


@pytest.mark.parametrize("what", ["missing", "broken"])
def test_what_cannot_go_on_begins_afresh(harness: Harness, standin: StandIn, what: str) -> None:
    """With the whole request, the work done, and a word about it on the pull request."""
    conversation = first(harness, standin)
    next_task(harness)
    if what == "missing":
        del harness.objects[harness.key("resumed.jsonl")]
    else:
        harness.objects[harness.key("resumed.jsonl")] = b"no record of a conversation\n"
    steps = [READ, AGAIN, {"text": "Done afresh."}]
    standin.call("PUT", "scripts/test", {"match": "Asked for now by @maintainer", "steps": steps})
    harness.ask(follow_ups=[ASKED], conversation=conversation)
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.summary) == ("changed", "Done afresh.")
    assert result.conversation_id != conversation
    [notice] = result.notices
    assert "began afresh" in notice
