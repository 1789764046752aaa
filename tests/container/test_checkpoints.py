"""What is kept of a session that is cut off, and how the next one goes on from there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.harness import Harness, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.container.harness import Runner

REF = "refs/pullwright/claude/7"
# Works until it is told to end; its prompt comes to light with its work.
SLOW = (
    'echo "$PROMPT" > PROMPT.md; echo half > HALF.md; echo mine > src/app.py;'
    'echo \'{"type":"system"}\'; touch READY;'
    "while ! [ -e GO ]; do sleep 0.1; done; rm -f READY GO; finish"
)


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


def wait_until(there: Callable[[], object], process: Runner) -> None:
    """Return when something is there while a runner runs."""
    deadline = time.monotonic() + 30
    while not there():
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"it never came:\n{process.communicate()[0]}")
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def refs(harness: Harness) -> str:
    """Return the names of our own refs on GitHub's side."""
    return harness.git("for-each-ref", "--format=%(refname)", "refs/pullwright", "refs/pullwright-sessions")


def test_a_killed_session_goes_on_from_its_last_checkpoint(harness: Harness) -> None:
    """SIGKILL loses nothing older than a checkpoint: the next session starts with it, and is told so."""
    head = harness.git("rev-parse", "claude/7")
    harness.fake_cli(SLOW)
    process = harness.start(CHECKPOINT_SECONDS="0.5")
    wait_until(lambda: refs(harness) and "HALF" in harness.git("ls-tree", "--name-only", REF), process)
    wait_until(lambda: b"HALF.md" in harness.objects.get(harness.key("diff.patch"), b""), process)
    assert b"system" in harness.artifact("transcript.jsonl")
    assert b"runner" in harness.artifact("runner.log")
    assert harness.key("result.json") not in harness.objects
    process.kill()
    process.communicate()
    (harness.folder / "work1/agent/shop/GO").touch()
    assert harness.git("rev-parse", "claude/7") == head
    assert harness.git("rev-parse", f"{REF}^") == head

    harness.fake_cli(
        'echo "$PROMPT" > PROMPT2.md; git status --short > STATUS.md; echo whole >> HALF.md; finish'
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:HALF.md") == "half\nwhole"
    assert harness.git("show", "claude/7:src/app.py") == "mine"
    assert "M src/app.py" in harness.git("show", "claude/7:STATUS.md").splitlines()
    assert "earlier session" not in harness.git("show", "claude/7:PROMPT.md")
    assert "earlier session" in harness.git("show", "claude/7:PROMPT2.md")
    assert harness.git("rev-parse", "claude/7^") == head
    assert refs(harness) == ""


def test_a_checkpoint_of_an_older_branch_is_left_alone(harness: Harness) -> None:
    """Once somebody has pushed to the branch, work that was based on its old head is not mixed in."""
    seed = harness.folder / "seed"
    for name, target in (("OLD.md", REF), ("NEW.md", "refs/heads/claude/7")):
        harness.git("checkout", "-q", "--detach", "origin/claude/7", cwd=seed)
        (seed / name).write_text("x")
        harness.git("add", name, cwd=seed)
        harness.git("commit", "-q", "-m", name, cwd=seed)
        harness.git("push", "-q", "origin", f"HEAD:{target}", cwd=seed)
    harness.fake_cli("echo x > MINE.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("ls-tree", "--name-only", "claude/7").split() == [
        ".gitignore",
        "MINE.md",
        "NEW.md",
        "README.md",
        "src",
    ]


def test_work_that_the_branch_refuses_is_kept_in_our_own_ref(harness: Harness) -> None:
    """A rule that protects the branch does not lose the work, and the failure says why."""
    rule = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
    harness.git_data_answers["PATCH"] = [(422, rule, False)]
    harness.fake_cli("echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.of("BranchProtected"), ran.output
    assert harness.result.failure is not None
    assert "Changes must be made through a pull request" in harness.result.failure.sentence
    assert harness.git("log", "-1", "--format=%s", "claude/7") == "Begin work on #7"
    assert harness.git("show", f"{REF}:X.md") == "x"


def test_a_checkpoint_that_somebody_else_made_meanwhile_is_not_overwritten(harness: Harness) -> None:
    """Two runners of one branch never take each other's work away."""
    harness.fake_cli(SLOW)
    process = harness.start(CHECKPOINT_SECONDS="0.5")
    wait_until(lambda: refs(harness), process)
    theirs = harness.git("rev-parse", "main")
    harness.git("update-ref", REF, theirs)
    folder = harness.folder / "work1/agent/shop"
    (folder / "MORE.md").write_text("x")
    log = harness.key("runner.log")
    wait_until(lambda: b"the checkpoint was rejected" in harness.objects.get(log, b""), process)
    (folder / "GO").touch()
    ran = finish(process)
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:MORE.md") == "x"
    assert harness.git("rev-parse", REF) == theirs
    assert refs(harness).split() == [REF]
