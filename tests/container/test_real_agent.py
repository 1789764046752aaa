"""The runner with the real Claude Code CLI, the gateway, and the model stand-in behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pullwright.comments import render_outcome
from pullwright.results import Verdict
from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.endpoints import MODEL_KEY
from tests.container.harness import Harness
from tests.container.test_endings import EDIT, MODELS, READ

if TYPE_CHECKING:
    from collections.abc import Iterator

TODOS = [{"content": "Mend it", "status": "in_progress", "activeForm": "Mending it"}]
PLAN = {"tool": "TodoWrite", "input": {"todos": TODOS}}


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


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_the_real_cli_mends_the_issue(harness: Harness, standin: StandIn, provider: str) -> None:
    """With either provider the edit is pushed, the cost is known, and each step was shown."""
    steps = [PLAN, READ, EDIT, {"text": "It says hello now."}]
    # Answered only if the issue's title stands in what the model is asked.
    standin.call("PUT", "scripts/test", {"match": "The greeting is misspelt", "steps": steps})
    harness.ask(provider=provider, model=MODELS[provider])
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:src/app.py") == "print('hello')"
    result = harness.result
    assert (result.outcome, result.summary) == ("changed", "It says hello now.")
    assert result.turns == 4
    assert result.cost_usd > 0
    assert result.tokens.output > 0
    activities = [line["activity"] for line in ran.lines if "activity" in line]
    assert [a for a in activities if a in {"Mend it", "Reading src/app.py", "Editing src/app.py"}] == [
        "Mend it",
        "Reading src/app.py",
        "Editing src/app.py",
    ]
    transcript = [json.loads(line) for line in harness.artifact("transcript.jsonl").splitlines()]
    assert transcript[0]["type"] == "system"
    assert transcript[-1]["type"] == "result"
    assert MODEL_KEY not in harness.artifact("transcript.jsonl").decode()
    assert [line.get("tool") for line in ran.lines if line.get("tool")] == ["TodoWrite", "Read", "Edit"]
    conversation = [json.loads(line) for line in harness.artifact("conversation.jsonl").splitlines()]
    assert {line["sessionId"] for line in conversation if "sessionId" in line} == {result.conversation_id}
    readable = harness.artifact("transcript.md").decode()
    assert "### Edit" in readable
    assert "It says hello now." in readable
    assert readable.endswith("Ended: success, 4 turns.\n")


def test_the_agent_is_told_when_a_limit_is_near(harness: Harness, standin: StandIn) -> None:
    """The notice at 80 % of the turns becomes part of the conversation while the agent works."""
    # A model takes its time over a turn: without it the last four pass before the CLI has read the notice.
    standin.play({**READ, "delay": 0.4}, repeat_last=True)
    harness.ask(limits={"usd": 5.0, "turns": 20, "minutes": 5})
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.of("TurnLimit"), ran.output
    # The CLI counts the turn that it was refused, too.
    assert harness.result.turns == 20
    (kept,) = (harness.folder / "work1/claude/projects").glob("*/*.jsonl")
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    told = [line for line in lines if "16 of this session's 20 turns" in str(line.get("attachment"))]
    assert len(told) == 1
    assert "assistant" in [line["type"] for line in lines[lines.index(told[0]) :]]


def test_the_comment_says_that_five_cents_are_used_up(harness: Harness, standin: StandIn) -> None:
    """What people read on the pull request names the money and what can be done."""
    standin.play(READ, repeat_last=True)
    harness.ask(limits={"usd": 0.05, "turns": 30, "minutes": 5})
    harness.run(ANTHROPIC_BASE_URL=standin.url)
    result = harness.result
    assert result.cost_usd <= 0.05
    assert result.failure is not None
    verdict = Verdict(
        status="FAILED",
        outcome=result.outcome,
        error=result.failure.error,
        failure_class=result.failure.failure_class,
        sentence=result.failure.sentence,
        remedy=result.failure.remedy,
        ttl=1,
    )
    comment = render_outcome(None, result, verdict, session_id=result.session_id)
    assert "The session's `$0.05` do not suffice for the next call of the model." in comment
    assert "Raise the limit" in comment
