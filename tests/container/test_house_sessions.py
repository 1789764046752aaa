"""House rules in whole sessions: the real runner and CLI, with a branch that differs from its base."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.harness import Harness
from tests.container.test_checks import commit, configure
from tests.container.test_endings import DONE, EDIT, READ
from tests.container.test_house_rules import head

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
def harness() -> Iterator[Harness]:
    """Provide a branch with rules of its own, above a base that has others."""
    with Harness.open() as opened:
        opened.real_cli()
        # The branch has its base, and has changed the rules since.
        configure(opened, BASE)
        commit(opened, "claude/7", HEAD)
        yield opened


def work(harness: Harness, standin: StandIn, *steps: dict[str, Any]) -> set[str]:
    """Run a session, and return all marks that its model saw."""
    standin.play(*steps, DONE)
    ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    return {mark for entry in standin.requests() for mark in entry.get("marks", [])}


@pytest.mark.parametrize("branch_is_ours", [True, False])
def test_the_runner_takes_the_rules_from_the_base_branch(
    harness: Harness, standin: StandIn, *, branch_is_ours: bool
) -> None:
    """Our own branches are no exception: an earlier session has written there."""
    harness.ask(branch_is_ours=branch_is_ours)
    seen = work(harness, standin, READ, EDIT)
    assert seen == {"HOUSE_BASE", "HOUSE_STYLE", "HOUSE_SRC", "HOUSE_CRITIC"}
    assert harness.git("show", "claude/7:src/app.py") == "print('hello')"
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "src/app.py"


def test_the_agent_changes_the_branchs_rules_when_asked(harness: Harness, standin: StandIn) -> None:
    """What it edits is the branch's file, not the base branch's, from which its own rules come."""
    edit = {
        "tool": "Edit",
        "input": {"file_path": "{cwd}/CLAUDE.md", "old_string": "HOUSE_EVIL", "new_string": "HOUSE_EDITED"},
    }
    look = {"tool": "Read", "input": {"file_path": "{cwd}/CLAUDE.md"}}
    work(harness, standin, look, edit)
    assert harness.git("show", "claude/7:CLAUDE.md") == "HOUSE_EDITED"
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "CLAUDE.md"


def test_a_sub_agent_ends_before_the_session_does(harness: Harness, standin: StandIn) -> None:
    """What it was asked for is answered, and the session goes on to its end."""
    ask = {"tool": "Task", "input": {"description": "x", "prompt": "Look at it", "subagent_type": "critic"}}
    seen = work(harness, standin, ask, READ, EDIT)
    assert "HOUSE_CRITICISM" in seen
    assert harness.git("show", "claude/7:src/app.py") == "print('hello')"
    assert harness.result.outcome == "changed"


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_setup_plants_nothing_beside_the_rules(harness: Harness, standin: StandIn) -> None:
    """It runs what the branch brings, and Claude Code's own state would be believed later."""
    setup = "setup: test ! -e ../../claude && ! mkdir ../../claude\n"
    commit(harness, "main", {".pullwright/config.yaml": setup})
    assert "HOUSE_BASE" in work(harness, standin, READ, EDIT)
    assert harness.result.setup is not None
    assert harness.result.setup.status == "passed", harness.result.setup.output


def test_a_base_branch_that_is_gone_leaves_the_default_branchs_rules(
    harness: Harness, standin: StandIn
) -> None:
    """Somebody merged and deleted it."""
    harness.ask(base="release")
    assert "HOUSE_BASE" in work(harness, standin, READ, EDIT)


def test_rules_without_end_are_cut_and_people_are_told(harness: Harness, standin: StandIn) -> None:
    """The session works with their beginning."""
    harness.ask(branch_is_ours=False)
    commit(harness, "main", {"CLAUDE.md": "HOUSE_BASE\n" + "and so on\n" * 60_000 + "HOUSE_LAST\n"})
    seen = work(harness, standin, READ, EDIT)
    assert "HOUSE_BASE" in seen
    assert "HOUSE_LAST" not in seen
    assert any("`CLAUDE.md`" in notice for notice in harness.result.notices)
