"""Whatever the agent leaves outside of the pushed tree does not change what a check says.

The corpus is `escape/checks.py`. Each attempt is shown to work first: where the agent runs the check itself,
in its own folder and with its own home, it passes. Attempts that do not meddle with one another share a
session, each with a check of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.escape.checks import GROUPS, PLANTED, PYTHON, Plant
from tests.container.harness import Harness
from tests.container.test_checks import commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright.results import CheckResult

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


@contextmanager
def failing() -> Iterator[Harness]:
    """Provide a fresh harness, with a repository whose test fails."""
    with Harness.open() as opened:
        shutil.copy(PROGRAM, opened.folder)
        (opened.folder / "good.py").write_text(GOOD.format("True"))
        (opened.folder / "spot").mkdir()
        (opened.folder / "spot").chmod(0o777)
        commit(opened, "claude/7", FILES)
        yield opened


def fill_in(text: str, harness: Harness, key: int) -> str:
    """Replace the words of a plant by what they stand for in one harness."""
    words = {
        "$PLANT": f"{harness.folder}/plant.py",
        "$MARK": f"judged-{key}",
        "$KEY": str(key),
        "$WORK": f"{harness.folder}/work1",
        "$SPOT": f"{harness.folder}/spot",
        "$GOOD": f"{harness.folder}/good.py",
    }
    for word, value in words.items():
        text = text.replace(word, value)
    return text


@dataclass(frozen=True)
class Judged:
    """One session, in which an agent planted and checks judged.

    Attributes:
        alone: by plant, the exit code of its check where the agent ran it itself, right after planting.
        checks: by plant, what the runner says of its check.
        pushed: names of the files in the agent's commit.
    """

    alone: dict[str, str]
    checks: dict[str, CheckResult]
    notices: tuple[str, ...]
    pushed: list[str]


def judge(harness: Harness, plants: dict[str, Plant]) -> Judged:
    """Let an agent plant one thing after the other, each with a key of its own, and the checks judge."""
    first = 20_000 + secrets.randbelow(10_000)
    checks, script = [], []
    for key, (name, plant) in enumerate(plants.items(), first):
        command = fill_in(plant.check, harness, key)
        checks.append({"name": name, "command": command})
        (harness.folder / f"{name}.sh").write_text(command)
        script.append(f"(\n{fill_in(plant.script, harness, key)}\n)")
        script.append(
            f'bash -c "$(cat {harness.folder}/{name}.sh)" > /dev/null 2>&1; echo "{name} $?" >> ALONE.md'
        )
    # JSON is YAML too.
    commit(harness, "main", {".pullwright/config.yaml": f"checks: {json.dumps(checks)}\n"})
    harness.fake_cli("\n".join([*script, "finish"]))
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    lines = harness.git("show", "claude/7:ALONE.md").splitlines()
    result = harness.result
    return Judged(
        dict(line.split() for line in lines),
        {check.name: check for check in result.checks},
        result.notices,
        harness.git("diff", "--name-only", "claude/7^", "claude/7").splitlines(),
    )


@pytest.fixture(scope="module")
def sessions() -> dict[tuple[str, ...], Judged]:
    """Provide what came of the groups' sessions, each held when the first of its attempts is looked at."""
    return {}


@pytest.mark.parametrize("name", [name for group in GROUPS for name in group])
def test_nothing_outside_of_the_pushed_tree_changes_a_check(
    sessions: dict[tuple[str, ...], Judged], name: str
) -> None:
    """A check that fails on the pushed tree fails, whatever else the agent has left."""
    group = next(group for group in GROUPS if name in group)
    if group not in sessions:
        with failing() as harness:
            sessions[group] = judge(harness, {name: PLANTED[name] for name in group})
    judged = sessions[group]
    alone = judged.alone[name]
    assert (alone == "0") is PLANTED[name].works_alone, f"the attempt is blunt: the check ended with {alone}"
    check = judged.checks[name]
    assert check.status == "failed", check.output
    # This agent is a script: it has no conversation in which it could be asked to mend anything.
    assert judged.notices == (
        "The agent was not asked to mend the checks that fail: its conversation was not kept.",
    )
    assert judged.pushed == ["ALONE.md"]


def test_every_attempt_is_made() -> None:
    """No attempt is in no session, or in two."""
    assert sorted(name for group in GROUPS for name in group) == sorted(PLANTED)


def test_a_check_without_attempts_passes() -> None:
    """The surroundings are good enough for a test that passes."""
    with failing() as harness:
        commit(harness, "claude/7", {"tests/test_it.py": GOOD.format("True")})
        judged = judge(harness, {"nothing": Plant("true")})
    assert judged.alone == {"nothing": "0"}
    [check] = judged.checks.values()
    assert (check.status, check.command) == ("passed", PYTHON)
