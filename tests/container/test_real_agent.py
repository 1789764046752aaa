"""The runner with the real Claude Code CLI, the gateway, and the model stand-in behind it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.comments import render_outcome
from pullwright.models import Verdict
from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.endpoints import MODEL_KEY
from tests.container.test_checkpoints import wait_until
from tests.container.world import World, finish, stop_when

if TYPE_CHECKING:
    from collections.abc import Iterator

EDIT = {
    "tool": "Edit",
    "input": {"file_path": "{cwd}/src/app.py", "old_string": "helo", "new_string": "hello"},
}
READ = {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}}
TODOS = [{"content": "Mend it", "status": "in_progress", "activeForm": "Mending it"}]
MODELS = {"anthropic": "claude-opus-5-5", "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
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
    world.ask(provider=provider, model=MODELS[provider])
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
    assert [line.get("tool") for line in ran.lines if line.get("tool")] == ["TodoWrite", "Read", "Edit"]
    conversation = [json.loads(line) for line in world.artifact("conversation.jsonl").splitlines()]
    assert {line["sessionId"] for line in conversation if "sessionId" in line} == {result.conversation_id}
    readable = world.artifact("transcript.md").decode()
    assert "### Edit" in readable
    assert "It says hello now." in readable
    assert readable.endswith("Ended: success, 4 turns.\n")


@dataclass(frozen=True)
class Case:
    """One way for the agent to end.

    Attributes:
        steps: what the model says.
        error: the failure's class, from which exit code and outcome follow.
        words: stand in the failure's sentence.
        pushed: whether the edit is on the branch.
        limits: of the session, besides the usual ones.
    """

    steps: tuple[dict[str, Any], ...]
    error: str
    words: str
    pushed: bool = False
    limits: dict[str, Any] = field(default_factory=dict)


def failing(status: int) -> tuple[dict[str, Any], ...]:
    """Return the steps of a model that edits, then answers with an error for ever."""
    return (
        READ,
        EDIT,
        {"fault": {"status": status, "headers": {"retry-after": "0", "x-should-retry": "false"}}},
    )


NEVER = {"tool": "Bash", "input": {"command": "ls nowhere", "description": "Look"}}
CASES = {
    "turns": Case((READ, EDIT, READ), "TurnLimit", "3 turns", pushed=True, limits={"turns": 3}),
    "money": Case((READ,), "MoneyLimit", "$0.05", limits={"usd": 0.05}),
    "500": Case(failing(500), "ModelUnavailable", "status 500", pushed=True),
    "429": Case(failing(429), "ModelUnavailable", "status 429", pushed=True),
    "403": Case(failing(403), "ModelRefused", "status 403", pushed=True),
    "stuck": Case((READ, EDIT, NEVER), "AgentStuck", "5 times in a row: `ls nowhere`", pushed=True),
}


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
@pytest.mark.parametrize("name", CASES)
def test_every_end_has_its_outcome(world: World, standin: StandIn, provider: str, name: str) -> None:
    """Limits, errors of the model and an agent that gets nowhere: each has its class, its work is kept."""
    case = CASES[name]
    standin.play(*case.steps, repeat_last=True)
    limits = {"usd": 5.0, "turns": 20, "minutes": 5, **case.limits}
    world.ask(provider=provider, model=MODELS[provider], limits=limits)
    ran = world.run(ANTHROPIC_BASE_URL=standin.url, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=standin.url)
    assert ran.code == exit_codes.BY_ERROR[case.error], ran.output
    failure = world.result.failure
    assert failure is not None
    assert (failure.error, case.words in failure.sentence) == (case.error, True), failure
    assert world.result.cost_usd <= limits["usd"]
    if case.pushed:
        assert world.git("show", "claude/7:src/app.py") == "print('hello')"
        assert world.result.commit == world.git("rev-parse", "claude/7")


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_a_model_that_cannot_be_reached(world: World, provider: str) -> None:
    """A refused connection is the service's failure."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        world.ask(provider=provider, model=MODELS[provider])
        ran = world.run(ANTHROPIC_BASE_URL=nobody, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=nobody)
    assert ran.code == exit_codes.BY_ERROR["ModelUnavailable"], ran.output


@pytest.mark.parametrize("victim", ["runner", "cli"])
def test_signals_keep_the_work(world: World, standin: StandIn, victim: str) -> None:
    """SIGTERM to the runner and SIGKILL of the CLI end the session as what they are, with the work pushed."""
    marked = {"tool": "Bash", "input": {"command": "touch READY; sleep 60", "description": "Wait"}}
    standin.play(READ, EDIT, marked, repeat_last=True)
    process = world.start(ANTHROPIC_BASE_URL=standin.url)
    ready = world.folder / "work1/agent/shop/READY"
    if victim == "runner":
        ran = stop_when(process, ready)
        assert ran.code == exit_codes.STOPPED, ran.output
    else:
        wait_until(ready.exists, process)
        (cli,) = children_named(process.pid, "claude")
        os.kill(cli, signal.SIGKILL)
        ran = finish(process)
        assert ran.code == exit_codes.BY_ERROR["AgentFailed"], ran.output
        assert world.result.failure is not None
        assert "signal 9" in world.result.failure.sentence
    assert world.git("show", "claude/7:src/app.py") == "print('hello')"


def test_the_agent_is_told_when_a_limit_is_near(world: World, standin: StandIn) -> None:
    """The notice at 80 % of the turns becomes part of the conversation while the agent works."""
    # A model takes its time over a turn: without it the last four pass before the CLI has read the notice.
    standin.play({**READ, "delay": 0.4}, repeat_last=True)
    world.ask(limits={"usd": 5.0, "turns": 20, "minutes": 5})
    ran = world.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.BY_ERROR["TurnLimit"], ran.output
    (kept,) = (world.folder / "work1/agent/.home/.claude/projects").glob("*/*.jsonl")
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    told = [line for line in lines if "16 of this session's 20 turns" in str(line.get("attachment"))]
    assert len(told) == 1
    assert "assistant" in [line["type"] for line in lines[lines.index(told[0]) :]]


def test_the_comment_says_that_five_cents_are_used_up(world: World, standin: StandIn) -> None:
    """What people read on the pull request names the money and what can be done."""
    standin.play(READ, repeat_last=True)
    world.ask(limits={"usd": 0.05, "turns": 30, "minutes": 5})
    world.run(ANTHROPIC_BASE_URL=standin.url)
    result = world.result
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
    assert "The session's $0.05 do not suffice for the next call of the model." in comment
    assert "Raise the limit" in comment


def children_named(pid: int, name: str) -> list[int]:
    """Return the children of a process by the name of their program."""
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], check=True, capture_output=True)
    found = [line.split(None, 1) for line in listed.stdout.decode().splitlines()]
    return [int(child) for child, program in found if program == name]
