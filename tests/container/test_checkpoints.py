"""What is kept of a session that is cut off, and how the next one goes on from there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.world import World, finish

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

REF = "refs/pullwright/claude/7"
# Works until it is told to end; its prompt comes to light with its work.
SLOW = (
    'echo "$PROMPT" > PROMPT.md; echo half > HALF.md; echo mine > src/app.py;'
    'echo \'{"type":"system"}\'; touch READY;'
    "while ! [ -e GO ]; do sleep 0.1; done; rm -f READY GO; finish"
)


@pytest.fixture
def world() -> Iterator[World]:
    """Fresh surroundings."""
    with World.open() as opened:
        yield opened


def wait_until(there: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Return when something is there while a runner runs."""
    deadline = time.monotonic() + 30
    while not there():
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"it never came:\n{process.communicate()[0]}")
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def refs(world: World) -> str:
    """Return the names of our own refs on GitHub's side."""
    return world.git("for-each-ref", "--format=%(refname)", "refs/pullwright", "refs/pullwright-sessions")


def test_a_killed_session_goes_on_from_its_last_checkpoint(world: World) -> None:
    """SIGKILL loses nothing older than a checkpoint: the next session starts with it, and is told so."""
    head = world.git("rev-parse", "claude/7")
    world.fake_cli(SLOW)
    process = world.start(CHECKPOINT_SECONDS="0.5")
    wait_until(lambda: refs(world) and "HALF" in world.git("ls-tree", "--name-only", REF), process)
    wait_until(lambda: b"HALF.md" in world.objects.get(world.key("diff.patch"), b""), process)
    assert b"system" in world.artifact("transcript.jsonl")
    assert b"runner" in world.artifact("runner.log")
    assert world.key("result.json") not in world.objects
    process.kill()
    process.communicate()
    (world.folder / "work1/agent/shop/GO").touch()
    assert world.git("rev-parse", "claude/7") == head
    assert world.git("rev-parse", f"{REF}^") == head

    world.fake_cli(
        'echo "$PROMPT" > PROMPT2.md; git status --short > STATUS.md; echo whole >> HALF.md; finish'
    )
    ran = world.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert world.git("show", "claude/7:HALF.md") == "half\nwhole"
    assert world.git("show", "claude/7:src/app.py") == "mine"
    assert "M src/app.py" in world.git("show", "claude/7:STATUS.md").splitlines()
    assert "earlier session" not in world.git("show", "claude/7:PROMPT.md")
    assert "earlier session" in world.git("show", "claude/7:PROMPT2.md")
    assert world.git("rev-parse", "claude/7^") == head
    assert refs(world) == ""


def test_a_checkpoint_of_an_older_branch_is_left_alone(world: World) -> None:
    """Once somebody has pushed to the branch, work that was based on its old head is not mixed in."""
    seed = world.folder / "seed"
    for name, target in (("OLD.md", REF), ("NEW.md", "refs/heads/claude/7")):
        world.git("checkout", "-q", "--detach", "origin/claude/7", cwd=seed)
        (seed / name).write_text("x")
        world.git("add", name, cwd=seed)
        world.git("commit", "-q", "-m", name, cwd=seed)
        world.git("push", "-q", "origin", f"HEAD:{target}", cwd=seed)
    world.fake_cli("echo x > MINE.md; finish")
    ran = world.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert world.git("ls-tree", "--name-only", "claude/7").split() == [
        ".gitignore",
        "MINE.md",
        "NEW.md",
        "README.md",
        "src",
    ]


def test_work_that_the_branch_refuses_is_kept_in_our_own_ref(world: World) -> None:
    """A rule that protects the branch does not lose the work, and the failure says why."""
    rule = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
    world.git_data_answers["PATCH"] = [(422, rule, False)]
    world.fake_cli("echo x > X.md; finish")
    ran = world.run()
    assert ran.code == exit_codes.of("BranchProtected"), ran.output
    assert world.result.failure is not None
    assert "Changes must be made through a pull request" in world.result.failure.sentence
    assert world.git("log", "-1", "--format=%s", "claude/7") == "Begin work on #7"
    assert world.git("show", f"{REF}:X.md") == "x"


def test_a_checkpoint_that_somebody_else_made_meanwhile_is_not_overwritten(world: World) -> None:
    """Two runners of one branch never take each other's work away."""
    world.fake_cli(SLOW)
    process = world.start(CHECKPOINT_SECONDS="0.5")
    wait_until(lambda: refs(world), process)
    theirs = world.git("rev-parse", "main")
    world.git("update-ref", REF, theirs)
    folder = world.folder / "work1/agent/shop"
    (folder / "MORE.md").write_text("x")
    log = world.key("runner.log")
    wait_until(lambda: b"the checkpoint was rejected" in world.objects.get(log, b""), process)
    (folder / "GO").touch()
    ran = finish(process)
    assert ran.code == exit_codes.DONE, ran.output
    assert world.git("show", "claude/7:MORE.md") == "x"
    assert world.git("rev-parse", REF) == theirs
    assert refs(world).split() == [REF]
