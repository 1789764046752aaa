"""Two tasks of one session, as after an answer of ECS's that was lost: whatever their order, it ends once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.endpoints import SESSION, TASK_ARN
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "arn:of:another:task"
KEPT = b"what the other task has kept"


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Ask for a session whose agent adds one file."""
    with Harness.open() as opened:
        opened.fake_cli("echo x > X.md; finish")
        yield opened


def push(harness: Harness, *trailers: str) -> str:
    """Bring the other task's work onto the branch, or somebody's."""
    seed = harness.folder / "seed"
    (seed / "OTHER.md").write_text("y\n")
    harness.git("add", "OTHER.md", cwd=seed)
    message = "\n".join(["The greeting is misspelt", "", *trailers])
    harness.git("commit", "-q", "-m", message, cwd=seed)
    harness.git("push", "-q", "origin", "claude/7", cwd=seed)
    return harness.git("rev-parse", "claude/7")


def push_of_session(harness: Harness) -> str:
    """Bring the other task's work onto the branch."""
    return push(harness, f"Pullwright-Session: {SESSION}")


def take_over(harness: Harness) -> None:
    """Let the other task claim the session, and keep its artifacts."""
    harness.record["task_arn"] = OTHER
    for name in ("result.json", "diff.patch", "transcript.jsonl", "usage.json"):
        harness.objects[harness.key(name)] = KEPT


def test_the_older_task_pushes_while_the_newer_one_works(harness: Harness) -> None:
    """The newer task takes the work that is on the branch for the session's: it is not paid for twice."""
    harness.record["task_arn"] = OTHER
    harness.before_git_data["POST"] = lambda: push_of_session(harness)
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.failure, result.commit) == (
        "changed",
        None,
        harness.git("rev-parse", "claude/7"),
    )
    assert (result.files_changed, result.additions) == (1, 1)
    assert "ECS started two tasks." in result.notices[0]
    assert b"OTHER.md" in harness.artifact("diff.patch")
    assert harness.git("show", "claude/7:OTHER.md") == "y"
    assert harness.git("for-each-ref", "refs/pullwright", "refs/pullwright-sessions") == ""


def test_somebody_pushes_while_the_newer_task_works(harness: Harness) -> None:
    """What is not the session's own is no work of its other task."""
    harness.record["task_arn"] = OTHER
    harness.before_git_data["POST"] = lambda: push(harness)
    assert harness.run().code == exit_codes.of("PushRefused")
    assert harness.result.commit is None
    assert harness.git("show", "refs/pullwright/claude/7:X.md") == "x"


def test_the_newer_task_pushes_first(harness: Harness) -> None:
    """The older one, past its last look at the record, is refused, and leaves the newer one's artifacts."""

    def other_task() -> None:
        push_of_session(harness)
        take_over(harness)

    harness.before_git_data["POST"] = other_task
    ran = harness.run()
    assert ran.code == exit_codes.NOT_OURS, ran.output
    assert {harness.artifact(name) for name in ("result.json", "diff.patch", "transcript.jsonl")} == {KEPT}


def test_the_newer_task_begins_while_the_older_one_pushes(harness: Harness) -> None:
    """The older one has pushed and has no say any more: the newer one tells what came of the session."""
    harness.before_git_data["PATCH"] = lambda: take_over(harness)
    ran = harness.run()
    assert ran.code == exit_codes.NOT_OURS, ran.output
    assert harness.git("show", "claude/7:X.md") == "x"
    assert {harness.artifact(name) for name in ("result.json", "transcript.jsonl", "usage.json")} == {KEPT}


def test_the_older_task_never_takes_the_session_back(harness: Harness) -> None:
    """Both have credentials when the newer one claims: the broker, asked again, refuses the older one."""
    harness.record["task_arn"] = OTHER
    harness.broker_answers[:] = [200, 409]
    ran = harness.run()
    assert ran.code == exit_codes.NOT_OURS, ran.output
    assert harness.record["task_arn"] == OTHER


def test_the_newer_task_takes_the_session_over(harness: Harness) -> None:
    """The broker, asked again, lets the newer task have it."""
    harness.record["task_arn"] = OTHER
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.record["task_arn"] == TASK_ARN
