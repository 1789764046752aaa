"""Whether the repository's workflows may run on what a session pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from github_standin.workflows import skips
from runner import exit_codes
from tests.container.harness import Harness
from tests.container.test_checks import commit

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = ".pullwright/config.yaml"


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


@pytest.mark.parametrize(
    ("request_", "configuration", "is_held"),
    [
        ({"repository_is_private": True}, None, False),
        ({"repository_is_private": False}, None, True),
        ({"repository_is_private": True}, "ci: hold\n", True),
        ({"repository_is_private": False}, "ci: run\n", False),
        # What cannot be read might have said so.
        ({"repository_is_private": True}, "ci: perhaps\n", True),
        ({"repository_is_private": True}, "ci: [", True),
    ],
)
def test_ci_is_held_where_nobody_has_decided_otherwise(
    harness: Harness, request_: dict[str, Any], configuration: str | None, *, is_held: bool
) -> None:
    """Work in a public repository waits, as does all work while the configuration cannot be read."""
    if configuration is not None:
        commit(harness, "main", {PATH: configuration})
    harness.ask(stub=True, **request_)
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.result.ci == ("hold" if is_held else "run")
    assert harness.result.commit == harness.git("rev-parse", "claude/7")
    message = harness.git("log", "-1", "--format=%B", "claude/7")
    assert skips(message) is is_held
    # The hold changes no file, and a branch has both or neither.
    subjects = harness.git("log", "-3", "--format=%s", "claude/7").splitlines()
    hold = ["Hold CI until somebody has read the work"] if is_held else []
    assert subjects[: len(hold) + 1] == [*hold, "The greeting is misspelt"]


def test_a_second_task_takes_over_held_work_whole(harness: Harness) -> None:
    """It finds both commits of the first task, counts its files and says that CI is held."""
    harness.ask(stub=True, repository_is_private=False)
    assert harness.run().code == exit_codes.DONE
    del harness.objects[harness.key("result.json")]
    harness.record["task_arn"] = "arn:aws:ecs:eu-central-1:000000000000:task/agents/another"
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.files_changed, result.ci) == ("changed", 1, "hold")
    assert result.commit == harness.git("rev-parse", "claude/7")
