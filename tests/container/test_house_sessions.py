"""House rules in whole sessions: the real runner and CLI, with a branch that differs from its base."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.test_checks import commit
from tests.container.test_endings import DONE, EDIT, READ
from tests.container.test_house_rules import head
from tests.container.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = {
    "CLAUDE.md": "HOUSE_BASE @docs/style.md\n",
    "docs/style.md": "HOUSE_STYLE\n",
    "src/AGENTS.md": "HOUSE_SRC\n",
    ".claude/agents/critic.md": head("HOUSE_CRITICISM", name="critic", description="HOUSE_CRITIC"),
}
HEAD = {
    "CLAUDE.md": "HOUSE_EVIL\n",
    "docs/style.md": "HOUSE_EVIL\n",
    "src/CLAUDE.md": "HOUSE_EVIL\n",
    ".claude/agents/critic.md": head("HOUSE_EVIL", name="critic", description="HOUSE_EVIL"),
    ".claude/settings.json": '{"permissions": {"deny": ["Edit"]}, "disableAllHooks": false}\n',
}


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in, which looks for marks."""
    with StandIn.running() as running:
        running.call("PUT", "marks", "HOUSE_[A-Z]+")
        yield running


@pytest.fixture
def world() -> Iterator[World]:
    """Provide a branch with rules of its own, behind a base that has others."""
    with World.open() as opened:
        opened.real_cli()
        commit(opened, "main", BASE)
        commit(opened, "claude/7", HEAD)
        yield opened


def work(world: World, standin: StandIn, *steps: dict[str, Any]) -> set[str]:
    """Run a session, and return all marks that its model saw."""
    standin.play(*steps, DONE)
    ran = world.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    return {mark for entry in standin.requests() for mark in entry.get("marks", [])}


@pytest.mark.parametrize("branch_is_ours", [True, False])
def test_the_runner_takes_the_rules_from_the_base_branch(
    world: World, standin: StandIn, *, branch_is_ours: bool
) -> None:
    """Our own branches are no exception: an earlier session has written there."""
    world.ask(branch_is_ours=branch_is_ours)
    seen = work(world, standin, READ, EDIT)
    assert seen == {"HOUSE_BASE", "HOUSE_STYLE", "HOUSE_SRC", "HOUSE_CRITIC"}
    assert world.git("show", "claude/7:src/app.py") == "print('hello')"
    assert world.git("diff", "--name-only", "claude/7^", "claude/7") == "src/app.py"


def test_the_agent_changes_the_branchs_rules_when_asked(world: World, standin: StandIn) -> None:
    """What it edits is the branch's file, not the base branch's, from which its own rules come."""
    edit = {
        "tool": "Edit",
        "input": {"file_path": "{cwd}/CLAUDE.md", "old_string": "HOUSE_EVIL", "new_string": "HOUSE_EDITED"},
    }
    look = {"tool": "Read", "input": {"file_path": "{cwd}/CLAUDE.md"}}
    work(world, standin, look, edit)
    assert world.git("show", "claude/7:CLAUDE.md") == "HOUSE_EDITED"
    assert world.git("diff", "--name-only", "claude/7^", "claude/7") == "CLAUDE.md"


def test_a_sub_agent_ends_before_the_session_does(world: World, standin: StandIn) -> None:
    """What it was asked for is answered, and the session goes on to its end."""
    ask = {"tool": "Task", "input": {"description": "x", "prompt": "Look at it", "subagent_type": "critic"}}
    seen = work(world, standin, ask, READ, EDIT)
    assert "HOUSE_CRITICISM" in seen
    assert world.git("show", "claude/7:src/app.py") == "print('hello')"
    assert world.result.outcome == "changed"


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_setup_plants_nothing_beside_the_rules(world: World, standin: StandIn) -> None:
    """It runs what the branch brings, and Claude Code's own state would be believed later."""
    setup = "setup: test ! -e ../../claude && ! mkdir ../../claude\n"
    commit(world, "main", {".pullwright/config.yaml": setup})
    assert "HOUSE_BASE" in work(world, standin, READ, EDIT)
    assert world.result.setup is not None
    assert world.result.setup.status == "passed", world.result.setup.output


def test_a_base_branch_that_is_gone_leaves_the_default_branchs_rules(world: World, standin: StandIn) -> None:
    """Somebody merged and deleted it."""
    world.ask(base="release")
    assert "HOUSE_BASE" in work(world, standin, READ, EDIT)


def test_rules_without_end_are_cut_and_people_are_told(world: World, standin: StandIn) -> None:
    """The session works with their beginning."""
    commit(world, "main", {"CLAUDE.md": "HOUSE_BASE\n" + "and so on\n" * 60_000 + "HOUSE_LAST\n"})
    seen = work(world, standin, READ, EDIT)
    assert "HOUSE_BASE" in seen
    assert "HOUSE_LAST" not in seen
    assert any("`CLAUDE.md`" in notice for notice in world.result.notices)
