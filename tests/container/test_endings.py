"""How a session ends, row by row: the runner with the real Claude Code CLI, in both its modes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.models import Outcome
from pullwright.reporting.classify import Evidence, classify
from pullwright.reporting.event import TaskEnd
from pullwright.results import AgentResult
from tests.container.cli import StandIn
from tests.container.harness import Harness, Ran, finish
from tests.container.test_checkpoints import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = {"anthropic": "claude-opus-5-5", "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
BRANCH, CHECKPOINT, NOWHERE = "claude/7", "refs/pullwright/claude/7", ""

READ = {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}}
EDIT = {
    "tool": "Edit",
    "input": {"file_path": "{cwd}/src/app.py", "old_string": "helo", "new_string": "hello"},
}
DONE = {"text": "It says hello now."}
LOOK = {"tool": "Bash", "input": {"command": "ls nowhere", "description": "Look"}}
WAIT = {"tool": "Bash", "input": {"command": "touch READY; sleep 60", "description": "Wait"}}


def fails(status: int) -> dict[str, Any]:
    """Return a model that answers with nothing but an error."""
    return {"fault": {"status": status}}


@dataclass(frozen=True)
class Ending:
    """One row of the table.

    Attributes:
        steps: what the model says; the last for ever.
        error: class of the failure; None if it is none.
        kind: what people are told of it: whose it is.
        code: the runner's exit code, negative for the signal that ended it.
        words: stand in the sentence that people read.
        work: the ref that has the agent's edit afterwards.
        served: whether anybody listens where the model should be.
        trusted: whether the CLI takes it that nobody is asked for permission.
        kill: which process gets which signal while the agent works.
    """

    steps: tuple[dict[str, Any], ...]
    error: str | None
    kind: str | None
    code: int
    words: str
    work: str
    outcome: Outcome = Outcome.FAILED
    limits: dict[str, Any] = field(default_factory=dict)
    served: bool = True
    trusted: bool = True
    kill: tuple[str, signal.Signals] | None = None


WORKS = (READ, EDIT)
TERM, KILL = signal.SIGTERM, signal.SIGKILL
ENDINGS = {
    "success": Ending((*WORKS, DONE), None, None, 0, "", BRANCH, Outcome.CHANGED),
    "nothing to do": Ending((READ, DONE), None, None, 0, "", NOWHERE, Outcome.NO_CHANGE),
    "tools denied": Ending(
        (*WORKS, DONE), "NothingUsable", "agent", 11, "denied Edit", NOWHERE, trusted=False
    ),
    "max turns": Ending(
        (*WORKS, READ), "TurnLimit", "limit", 16, "3 turns are used up", BRANCH, limits={"turns": 3}
    ),
    "budget": Ending(
        (READ,), "MoneyLimit", "limit", 15, "$0.05 do not suffice", NOWHERE, limits={"usd": 0.05}
    ),
    "stuck": Ending((*WORKS, LOOK), "AgentStuck", "agent", 18, "5 times in a row: `ls nowhere`", BRANCH),
    "model 500": Ending((*WORKS, fails(500)), "ModelUnavailable", "transient", 13, "status 500", BRANCH),
    "model 429": Ending((*WORKS, fails(429)), "ModelUnavailable", "transient", 13, "status 429", BRANCH),
    "model 403": Ending((*WORKS, fails(403)), "ModelRefused", "service", 14, "status 403", BRANCH),
    "connection refused": Ending(
        WORKS, "ModelUnavailable", "transient", 13, "service", NOWHERE, served=False
    ),
    "SIGTERM": Ending(
        (*WORKS, WAIT), "TaskStopped", "service", 143, "was stopped", BRANCH, kill=("runner", TERM)
    ),
    "SIGKILL of the agent": Ending(
        (*WORKS, WAIT), "AgentFailed", "agent", 10, "by signal 9", BRANCH, kill=("claude", KILL)
    ),
    "SIGKILL of the runner": Ending(
        (*WORKS, WAIT), "TaskLost", "service", -9, "was killed", CHECKPOINT, kill=("runner", KILL)
    ),
}


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in."""
    with StandIn.running() as running:
        yield running


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("name", ENDINGS)
def test_ending(standin: StandIn, name: str, provider: str) -> None:
    """Outcome, class, exit code and sentence are the row's, and the agent's edit is where it should be."""
    row = ENDINGS[name]
    standin.play(*row.steps, repeat_last=True)
    limits = {"usd": 5.0, "turns": 20, "minutes": 5, **row.limits}
    with Harness.open() as harness, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = standin.url if row.served else f"http://127.0.0.1:{closed.getsockname()[1]}"
        harness.real_cli(trusted=row.trusted)
        harness.ask(provider=provider, model=MODELS[provider], limits=limits)
        ran = end(harness, row, url)
        left = harness.objects.get(harness.key("result.json"))
        result = AgentResult.model_validate_json(left) if left else None
        pushed = {
            ref
            for ref in harness.git("for-each-ref", "--format=%(refname)").splitlines()
            if harness.git("show", f"{ref}:src/app.py") == "print('hello')"
        }
    assert ran.code == row.code, ran.output
    # As ECS says it: a signal that ended the process is 128 and its number.
    task = TaskEnd(ExitCode=row.code if row.code >= 0 else 128 - row.code)
    outcome, failure = classify(Evidence(result=result, task=task))
    assert (outcome, failure and failure.error) == (row.outcome, row.error), failure
    assert (failure and failure.failure_class) == row.kind
    assert row.words in (failure.sentence if failure else "")
    assert pushed == ({f"refs/heads/{BRANCH}"} if row.work == BRANCH else {row.work} - {NOWHERE})
    if result is not None:
        assert result.cost_usd <= limits["usd"]
        assert (result.commit is not None) is (row.work == BRANCH)


def end(harness: Harness, row: Ending, model_url: str) -> Ran:
    """Run the runner to its end, or to the one that the row gives it."""
    process = harness.start(
        ANTHROPIC_BASE_URL=model_url,
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME=model_url,
        MODEL_PATIENCE_SECONDS="1",
        CHECKPOINT_SECONDS="0.5",
    )
    if row.kill is None:
        return finish(process)
    wait_until((harness.folder / "work1/agent/shop/READY").exists, process)
    if row.work == CHECKPOINT:
        wait_until(lambda: harness.git("for-each-ref", CHECKPOINT), process)
    below = descendants(process.pid)
    victim, number = row.kill
    pid = process.pid if victim == "runner" else next(p for p, name in below.items() if name == victim)
    os.kill(pid, number)
    ran = finish(process)
    if ran.code < 0:
        # In a task they would end with process 1.
        for survivor in below:
            stop(survivor)
    return ran


def descendants(pid: int) -> dict[int, str]:
    """Return every process below one, with its program's name."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,comm="], check=True, capture_output=True, text=True
    )
    processes = [line.split(None, 2) for line in listed.stdout.splitlines()]
    found: dict[int, str] = {}
    parents = {str(pid)}
    while parents:
        children = [one for one in processes if one[1] in parents]
        found |= {int(child): name for child, _, name in children}
        parents = {child for child, _, _ in children}
    return found


def stop(pid: int) -> None:
    """End a process that may have ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
