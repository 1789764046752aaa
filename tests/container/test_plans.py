"""Plans in the task: first the real CLI only reads, then the conversation goes on with all tools."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.harness import Harness
from tests.container.test_endings import EDIT, READ
from tests.container.test_follow_ups import next_task

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAN = {"text": "1. Mend the greeting in src/app.py"}
DONE = {"text": "It says hello now."}


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


def test_the_plan_is_shown_before_the_first_edit(harness: Harness, standin: StandIn) -> None:
    """The model gets no tool that changes anything, people see the plan, then it is carried out."""
    standin.call("DELETE", "requests")
    standin.play(READ, PLAN, READ, EDIT, DONE)
    harness.ask(plan=True)
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.summary) == ("changed", "It says hello now.")
    # Turns and money of both passes, under one conversation.
    assert result.turns == 5
    conversation = [json.loads(line) for line in harness.artifact("conversation.jsonl").splitlines()]
    assert {line["sessionId"] for line in conversation if "sessionId" in line} == {result.conversation_id}
    shown = [number for number, text in enumerate(harness.comments) if "Mend the greeting in src" in text]
    edits = [number for number, text in enumerate(harness.comments) if "Editing src/app.py" in text]
    assert shown
    assert not edits or shown[0] < edits[0]
    tools = [set(one["tools"]) for one in standin.call("GET", "requests") if one.get("script")]
    assert [("Edit" in named, "Bash" in named) for named in tools] == [
        *[(False, False)] * 2,
        *[(True, True)] * 3,
    ]
    assert "Mend the greeting in src" in json.loads(harness.artifact("plan.json"))["text"]


def test_only_a_plan_ends_there(harness: Harness, standin: StandIn) -> None:
    """Nothing is changed, and the plan is what the session leaves; the next one carries it out."""
    standin.play(READ, PLAN, READ, EDIT, DONE)
    harness.ask(plan="only")
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.summary, result.commit) == ("planned", PLAN["text"], None)
    next_task(harness)
    go = {
        "session_id": "implement-7-test",
        "author": "maintainer",
        "author_role": "writer",
        "created_at": "2026-11-27T03:00:00Z",
        "body": "/go",
    }
    harness.ask(follow_ups=[go], conversation=result.conversation_id)
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    assert (harness.result.outcome, harness.result.summary) == ("changed", "It says hello now.")


def test_a_task_that_is_cut_off_in_between_goes_on_with_the_plan(harness: Harness, standin: StandIn) -> None:
    """The next task makes no second plan, and what the first has used counts."""
    standin.play(READ, PLAN, {**READ, "delay": 60})
    harness.ask(plan=True)
    process = harness.start(ANTHROPIC_BASE_URL=standin.url)
    deadline = 300
    while harness.key("plan.json") not in harness.objects and deadline:
        deadline -= 1
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert deadline, "no plan was kept"
    standin.call("DELETE", "requests")
    standin.play(READ, PLAN, READ, EDIT, DONE)
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.result.summary == "It says hello now."
    assert min(one["turn"] for one in standin.call("GET", "requests") if one.get("script")) == 2
