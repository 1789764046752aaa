"""The runner with the real Claude Code CLI, the gateway, and the model stand-in behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.endpoints import MODEL_KEY
from tests.container.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

EDIT = {
    "tool": "Edit",
    "input": {"file_path": "{cwd}/src/app.py", "old_string": "helo", "new_string": "hello"},
}
READ = {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}}
TODOS = [{"content": "Mend it", "status": "in_progress", "activeForm": "Mending it"}]
PLAN = {"tool": "TodoWrite", "input": {"todos": TODOS}}


@pytest.fixture
def world() -> Iterator[World]:
    """Fresh surroundings with the real CLI."""
    with World.open() as opened:
        opened.real_cli()
        yield opened


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """The model stand-in."""
    with StandIn.running() as running:
        yield running


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_the_real_cli_mends_the_issue(world: World, standin: StandIn, provider: str) -> None:
    """With either provider the edit is pushed, the cost is known, and each step was shown."""
    steps = [PLAN, READ, EDIT, {"text": "It says hello now."}]
    # Answered only if the issue's title stands in what the model is asked.
    standin.call("PUT", "scripts/test", {"match": "The greeting is misspelt", "steps": steps})
    model = {"anthropic": "claude-opus-5-5", "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
    world.ask(provider=provider, model=model[provider])
    ran = world.run(ANTHROPIC_BASE_URL=standin.url, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    assert world.git("show", "claude/7:src/app.py") == "print('hello')"
    result = world.result
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
    transcript = [json.loads(line) for line in world.artifact("transcript.jsonl").splitlines()]
    assert transcript[0]["type"] == "system"
    assert transcript[-1]["type"] == "result"
    assert MODEL_KEY not in world.artifact("transcript.jsonl").decode()


def test_used_up_turns_push_what_is_there(world: World, standin: StandIn) -> None:
    """The CLI's own limit of turns is a failure of the class limit, and the work so far is on the branch."""
    standin.play(READ, EDIT, READ, repeat_last=True)
    world.ask(limits={"usd": 5.0, "turns": 3, "minutes": 5})
    ran = world.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.BY_ERROR["TurnLimit"], ran.output
    assert world.git("show", "claude/7:src/app.py") == "print('hello')"


def test_used_up_money_is_said(world: World, standin: StandIn) -> None:
    """The gateway refuses the call that the money does not suffice for, and the failure says so."""
    standin.play(READ, repeat_last=True)
    world.ask(limits={"usd": 0.05, "turns": 30, "minutes": 5})
    ran = world.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.BY_ERROR["MoneyLimit"], ran.output
    assert world.result.cost_usd <= 0.05
