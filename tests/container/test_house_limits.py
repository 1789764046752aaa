"""What house rules cannot do: start programs, have more tools, choose a model, read other files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.container.cli import StandIn
from tests.container.house import MODEL, TOOLS, Files, House
from tests.container.test_house_attacks import SERVER, hooks, settings, touch
from tests.container.test_house_rules import head, read, skill

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHOUT_BASH = tuple(tool for tool in TOOLS if tool != "Bash")
CRITIC = {"tool": "Task", "input": {"description": "x", "prompt": "HOUSE_ASKED", "subagent_type": "critic"}}


def acting(text: str, name: str, **fields: str) -> str:
    """Return a skill or an agent whose head asks for everything that it should not get."""
    asked: dict[str, Any] = {"hooks": hooks(), "mcpServers": [SERVER], "model": "claude-haiku-4-5"}
    more = {field: json.dumps(value) for field, value in asked.items()}
    return head(text, name=name, description=f"HOUSE_{name.upper()}", **more, **fields)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Provide the CLI and its model."""
    with StandIn.running() as standin, House.open(standin) as opened:
        yield opened


def test_heads_of_skills_agents_and_commands_start_nothing(house: House) -> None:
    """Their hooks and servers do not run, and their model is the session's."""
    base: Files = {
        ".claude/skills/tidy/SKILL.md": acting("HOUSE_TIDYING", "tidy"),
        ".claude/commands/ship.md": acting("HOUSE_SHIPPING", "ship"),
        ".claude/agents/critic.md": acting("HOUSE_CRITICISM", "critic", permissionMode="plan"),
        **settings(hooks=hooks()),
        "a.py": "x = 1\n",
    }
    asked = house.ask(base, steps=(skill("tidy"), skill("ship"), CRITIC, read("a.py")))
    assert {"HOUSE_TIDYING", "HOUSE_SHIPPING", "HOUSE_CRITICISM", "HOUSE_ASKED"} <= asked.everything
    assert (asked.ran, set(asked.models)) == (set(), {MODEL})


@pytest.mark.parametrize("tools", [TOOLS, WITHOUT_BASH])
def test_commands_in_skills_run_only_where_the_agent_has_bash(house: House, tools: tuple[str, ...]) -> None:
    """With Bash the agent could run them itself; without, the skill arrives and its command does not run."""
    base: Files = {
        ".claude/skills/tidy/SKILL.md": head(
            f"HOUSE_TIDYING !`{touch('inline')}`", name="tidy", description="x", **{"allowed-tools": "Bash"}
        )
    }
    asked = house.ask(base, steps=(skill("tidy"),), tools=tools)
    assert "HOUSE_TIDYING" in asked.everything
    assert asked.ran == ({"inline"} if tools == TOOLS else set())


def test_a_sub_agent_has_no_tool_that_the_configuration_leaves_out(house: House) -> None:
    """Its head names Bash, the configuration does not."""
    run = {"tool": "Bash", "input": {"command": touch("bash"), "description": "Run"}}
    base: Files = {
        ".claude/agents/critic.md": head(
            "HOUSE_CRITICISM", name="critic", description="x", tools="Bash, Read"
        )
    }
    steps = ({**CRITIC}, run, run)
    assert house.ask(base, steps=steps).ran == {"bash"}
    limited = house.ask(base, steps=steps, tools=WITHOUT_BASH)
    assert "HOUSE_CRITICISM" in limited.everything
    assert limited.ran == set()
    assert "Bash" not in limited.tools


def test_an_import_reads_nothing_outside_of_the_base_branch(house: House) -> None:
    """Neither the agent's home, nor the machine, nor the work tree, where the branch has its own file."""
    base: Files = {
        "CLAUDE.md": "HOUSE_BASE @~/x.md @/etc/hostname @../.home/x.md @../shop/x.md @x.md",
        "pkg/CLAUDE.md": "HOUSE_PKG @~/x.md @../../shop/x.md",
        "pkg/a.py": "x = 1\n",
    }
    home: Files = {"x.md": "HOUSE_HOME", ".claude/CLAUDE.md": "HOUSE_HOME"}
    asked = house.ask(base, {"x.md": "HOUSE_EVIL"}, home=home, steps=(read("pkg/a.py"),))
    assert asked.everything == {"HOUSE_BASE", "HOUSE_PKG"}


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_what_the_agent_plants_in_its_settings_does_not_act(house: House) -> None:
    """The agent can neither change nor replace what the runner wrote, nor add a skill or a rule."""
    planted = json.dumps(json.dumps({"hooks": hooks()}))
    script = (
        f'cd "$CLAUDE_CONFIG_DIR" || exit; for f in settings.json settings.local.json .mcp.json; do '
        f"echo {planted} > $f; done; rm -rf CLAUDE.md settings.json rules skills agents commands; "
        "mkdir -p skills/evil; echo HOUSE_EVIL > skills/evil/SKILL.md; echo HOUSE_EVIL > rules/evil.md; "
        'mv rules other; cd ..; mv claude other; mkdir -p "$HOME/.claude" claude; '
        f'echo {planted} > "$HOME/.claude/settings.json"; sleep 1.5; true'
    )
    plant = {"tool": "Bash", "input": {"command": script, "description": "Plant"}}
    base: Files = {"CLAUDE.md": "HOUSE_BASE", "pkg/CLAUDE.md": "HOUSE_PKG", "pkg/a.py": "x = 1\n"}
    asked = house.ask(base, steps=(plant, read("pkg/a.py")))
    assert asked.everything - {"HOUSE_EVIL"} == {"HOUSE_BASE", "HOUSE_PKG"}
    assert (asked.ran, len(asked.marks)) == (set(), 3)
    folder = asked.rules.folder
    assert (folder / "settings.json").read_text() == "{}\n"
    assert not (folder / "skills/evil").exists()
    assert not (folder / "rules/evil.md").exists()


def test_nothing_is_offered_for_nothing(house: House) -> None:
    """A repository without skills and agents costs no tool descriptions, and no word."""
    asked = house.ask({"README.md": "HOUSE_README"})
    assert not asked.tools & {"Skill", "Task", "Agent"}
    assert asked.everything == set()
    assert not (asked.rules.folder / "CLAUDE.md").exists()
