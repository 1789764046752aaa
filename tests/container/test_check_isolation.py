"""Whatever the agent leaves outside of the pushed tree does not change what a check says.

The corpus is `escape/checks.py`. Each attempt is shown to work first: where the agent runs the check itself,
in its own folder and with its own home, it passes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.escape.checks import PLANTED, PYTHON, Plant
from tests.container.test_checks import commit
from tests.container.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")

PROGRAM = Path(__file__).parent / "escape/plant.py"
GOOD = """\
from unittest import TestCase

class Greeting(TestCase):
    def test_it(self):
        self.assertTrue({})
"""
FILES = {
    ".gitignore": "ignored/\n*.pyc\nnode_modules\n.venv\n",
    "tests/__init__.py": "",
    "tests/test_it.py": GOOD.format("False"),
}


@pytest.fixture
def world() -> Iterator[World]:
    """Fresh surroundings, with a repository whose test fails."""
    with World.open() as opened:
        shutil.copy(PROGRAM, opened.folder)
        (opened.folder / "good.py").write_text(GOOD.format("True"))
        (opened.folder / "spot").mkdir()
        (opened.folder / "spot").chmod(0o777)
        commit(opened, "claude/7", FILES)
        yield opened


class Words:
    """What the words of a plant stand for in one world."""

    def __init__(self, world: World) -> None:
        key = str(20_000 + secrets.randbelow(10_000))
        self._words = {
            "$PLANT": f"{world.folder}/plant.py",
            "$MARK": f"judged-{key}",
            "$KEY": key,
            "$WORK": f"{world.folder}/work1",
            "$SPOT": f"{world.folder}/spot",
            "$GOOD": f"{world.folder}/good.py",
        }

    def fill_in(self, text: str) -> str:
        """Replace them."""
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text


def ask(world: World, plant: Plant, setup: str = "") -> str:
    """Let an agent plant and the check judge, and return what the check said to the agent itself."""
    words = Words(world)
    check = words.fill_in(plant.check)
    configuration = f"checks: [{{name: judge, command: {json.dumps(check)}}}]\n"
    if setup:
        configuration += f"setup: {json.dumps(setup)}\n"
    commit(world, "main", {".pullwright/config.yaml": configuration})
    (world.folder / "check.sh").write_text(check)
    world.fake_cli(
        f"(\n{words.fill_in(plant.script)}\n)\n"
        f'bash -c "$(cat {world.folder}/check.sh)" > /dev/null 2>&1; echo $? > ALONE.md; finish'
    )
    ran = world.run()
    assert ran.code == exit_codes.DONE, ran.output
    return world.git("show", "claude/7:ALONE.md")


@pytest.mark.parametrize("name", PLANTED)
def test_nothing_outside_of_the_pushed_tree_changes_a_check(world: World, name: str) -> None:
    """A check that fails on the pushed tree fails, whatever else the agent has left."""
    plant = PLANTED[name]
    alone = ask(world, plant)
    assert (alone == "0") is plant.works_alone, f"the attempt is blunt: the check ended with {alone}"
    [check] = world.result.checks
    assert check.status == "failed", check.output
    assert world.result.notices == ()
    pushed = world.git("diff", "--name-only", "claude/7^", "claude/7").splitlines()
    assert pushed == ["ALONE.md"]


def test_a_check_without_attempts_passes(world: World) -> None:
    """The surroundings are good enough for a test that passes."""
    commit(world, "claude/7", {"tests/test_it.py": GOOD.format("True")})
    assert ask(world, Plant("true")) == "0"
    assert [check.status for check in world.result.checks] == ["passed"]
    assert world.result.checks[0].command == PYTHON
