"""`pullwright run --local` without a container: the runner, the real CLI and git on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from pullwright import errors
from tests.container.cli import StandIn, find_cli
from tests.container.local_run import KEY, STEPS, Checkout
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def model() -> Iterator[StandIn]:
    """Provide the scripted model."""
    with StandIn.running() as standin:
        yield standin


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Provide a checkout with changes that nobody has committed."""
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Provide the environment of a person who has Claude Code and a key."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "claude").symlink_to(find_cli())
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "ANTHROPIC_API_KEY": KEY,
        "PULLWRIGHT_ALLOW_SAME_USER": "1",
    }


def test_the_work_becomes_a_branch_and_nothing_else_of_the_checkout_changes(
    checkout: Checkout, model: StandIn, environ: dict[str, str]
) -> None:
    """Work tree, index, current branch and settings stay; the key is in no file, nor for the agent to see."""
    model.play(*STEPS)
    before = checkout.state()
    ran = checkout.run(
        "--no-container", "--json", "--model-url", model.url, "Mend the greeting", environ=environ
    )
    assert ran.code == 0, ran.err
    found = ran.document
    assert matches("LocalRun", found)
    assert checkout.state() == before
    assert checkout.branches() == [found["branch"]]
    assert checkout.git("show", f"{found['branch']}:src/app.py") == "print('hello')"
    assert checkout.git("show", f"{found['branch']}:README.md") == "# A shop"
    assert checkout.git("log", "--format=%s", f"trunk..{found['branch']}") == "Mend the greeting"
    assert found["cost_usd"] > 0
    assert "No container is used" in ran.err
    assert "What is not committed" in ran.err
    if os.geteuid() == 0:
        assert checkout.holding(KEY) == []


def test_a_patch_is_enough(checkout: Checkout, model: StandIn, environ: dict[str, str]) -> None:
    """With --no-branch the checkout gets nothing, and the patch fits it."""
    model.play(*STEPS)
    arguments = ("--no-container", "--no-branch", "--json", "--model-url", model.url, "Mend the greeting")
    ran = checkout.run(*arguments, environ=environ)
    assert ran.code == 0, ran.err
    assert ran.document["branch"] is None
    assert checkout.branches() == []
    checkout.git("apply", "--check", str(ran.document["patch"]))


def test_a_session_that_fails_ends_with_its_errors_code(
    checkout: Checkout, model: StandIn, environ: dict[str, str]
) -> None:
    """A limit that is reached is said, its exit code is the command's, and what was done is kept."""
    model.play(*STEPS[1:3], {"tool": "Bash", "input": {"command": "true"}}, repeat_last=True)
    arguments = ("--no-container", "--json", "--turns", "4", "--model-url", model.url, "Mend the greeting")
    ran = checkout.run(*arguments, environ=environ)
    assert ran.document["error"] == "TurnLimit", ran.err
    assert ran.code == errors.TurnLimit.exit_code
    assert ran.document["patch"]


def test_ctrl_c_keeps_what_was_done(checkout: Checkout, model: StandIn, environ: dict[str, str]) -> None:
    """The runner is asked to end, and its work becomes the branch."""
    model.play(*STEPS[1:3], {"tool": "Bash", "input": {"command": "echo begun; sleep 60"}}, STEPS[3])
    running = subprocess.Popen(
        checkout.command("--no-container", "--json", "--model-url", model.url, "Mend the greeting"),
        cwd=checkout.folder,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "sleep 60" in line:
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert running.returncode == errors.TaskStopped.exit_code, err
    assert "hello" in checkout.git("show", f"{checkout.branches()[0]}:src/app.py"), out
