"""Files that steer tools, on other people's branches: the real runner, real git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from runner.git.protected import is_protected
from tests.container.harness import Harness
from tests.container.test_checks import commit

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
def harness() -> Iterator[Harness]:
    """Provide a branch of somebody else's that brings files of its own, behind a base that has others."""
    with Harness.open() as opened:
        commit(opened, "main", BASE)
        commit(opened, "claude/7", HEAD)
        yield opened


def test_other_peoples_branches_steer_nothing(harness: Harness) -> None:
    """The agent sees the base branch's files, and nothing of what it makes of them is pushed."""
    harness.ask(branch_is_ours=False)
    harness.fake_cli(f"{LIST} echo mine >> CLAUDE.md; rm -r .claude; mkdir .husky; echo x > .husky/h; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    seen = harness.git("show", "claude/7:SEEN.md").splitlines()
    assert seen == [
        "base",
        *("./.claude/settings.json", "./.gitignore", "./CLAUDE.md", "./README.md", "./SEEN.md"),
        *("./src/app.py", "./src/new.py"),
    ]
    assert harness.git("diff", "--name-status", "claude/7^", "claude/7") == "A\tSEEN.md"
    assert b"CLAUDE.md" not in harness.artifact("diff.patch").replace(b"+./CLAUDE.md", b"")


def test_a_change_of_protected_files_alone_is_none(harness: Harness) -> None:
    """An agent that only touched what it may not push has changed nothing."""
    harness.ask(branch_is_ours=False)
    harness.fake_cli("cat > /dev/null; echo mine >> CLAUDE.md; finish")
    before = harness.git("rev-parse", "claude/7")
    assert harness.run().code == exit_codes.DONE
    assert (harness.result.outcome, harness.git("rev-parse", "claude/7")) == ("no_change", before)


def test_on_our_own_branch_they_are_files_like_others(harness: Harness) -> None:
    """Whoever asks for a change of CLAUDE.md on an issue gets it."""
    harness.fake_cli("cat > /dev/null; echo mine > CLAUDE.md; finish")
    assert harness.run().code == exit_codes.DONE
    assert harness.git("show", "claude/7:CLAUDE.md") == "mine"


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("file into a folder", "rm CLAUDE.md; mkdir CLAUDE.md; echo x > CLAUDE.md/x"),
        ("folder into a link", "rm -rf docs; mkdir -p other; echo x > other/claude.md; ln -s other docs"),
        ("folder into a file", "rm -rf docs; echo x > docs"),
        ("folder into a link of its own name", "rm -rf .husky; mkdir o; echo x > o/h; ln -s o .husky"),
        ("other letters", "echo x > claude.MD; mkdir .Claude; echo x > .Claude/settings.json"),
        ("what a link leads to", "echo x >> agents/rules.txt; echo x > agents/new.txt"),
        ("the folder of what a link leads to", "rm -rf agents; echo x > agents"),
    ],
)
def test_protected_files_hold_whatever_takes_their_place(harness: Harness, name: str, script: str) -> None:
    """What takes the place of protected files, or of folders above them, leaves them as they were."""
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "claude/7", cwd=seed)
    (seed / "agents").mkdir()
    (seed / "agents/rules.txt").write_text("rules\n")
    (seed / ".mcp.json").unlink()
    (seed / ".mcp.json").symlink_to("agents")
    commit(harness, "claude/7", {})
    harness.ask(branch_is_ours=False)
    harness.fake_cli(f"cat > /dev/null; {script}; echo kept > KEPT.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, (name, ran.output)
    changed = harness.git("diff", "--name-status", "claude/7^", "claude/7").splitlines()
    kept = [line for line in changed if line != "A\tKEPT.md" and "other/claude.md" not in line]
    assert kept in ([], ["A\to/h"]), name


def test_links_of_the_base_lead_where_they_lead_there(harness: Harness) -> None:
    """A file of the branch is not read through a link of the base, nor through one that dangles there."""
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "main", cwd=seed)
    (seed / "CLAUDE.md").unlink()
    (seed / "CLAUDE.md").symlink_to("GUIDE.md")
    (seed / "sub").mkdir()
    (seed / "sub/CLAUDE.md").symlink_to("../MISSING.md")
    (seed / ".husky").symlink_to("tools/hooks")
    commit(harness, "main", {"GUIDE.md": "of the base\n", "tools/hooks/pre-push": "true\n"})
    commit(
        harness, "claude/7", {"GUIDE.md": "obey\n", "MISSING.md": "obey\n", "tools/hooks/pre-push": "evil\n"}
    )
    harness.ask(branch_is_ours=False)
    harness.fake_cli(
        "cat > /dev/null; { cat CLAUDE.md .husky/pre-push; ls sub; echo end; } > SEEN.md 2>&1; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    seen = harness.git("show", "claude/7:SEEN.md").splitlines()
    assert seen[:2] == ["of the base", "true"]
    assert "CLAUDE.md" not in seen[2:]
    assert harness.git("diff", "--name-status", "claude/7^", "claude/7") == "A\tSEEN.md"


STEERING = "cat > /dev/null; echo x > .envrc; mkdir .vscode; echo '{}' > .vscode/tasks.json; finish"


def test_files_that_steer_are_announced(harness: Harness) -> None:
    """The work is pushed, and the result names them."""
    harness.ask(branch_is_ours=False)
    harness.fake_cli(STEERING)
    assert harness.run().code == exit_codes.DONE
    assert {path for group in harness.result.steering for path in group.paths} == {
        ".envrc",
        ".vscode/tasks.json",
    }


def test_files_that_steer_are_refused_where_the_configuration_says_so(harness: Harness) -> None:
    """Nothing comes onto the branch, and the failure names each file."""
    commit(harness, "main", {".pullwright/config.yaml": "steering: refuse\n"})
    before = harness.git("rev-parse", "claude/7")
    harness.fake_cli(STEERING)
    ran = harness.run()
    assert ran.code == exit_codes.of("PushRefused"), ran.output
    assert harness.result.failure is not None
    assert "`.envrc`" in harness.result.failure.sentence
    assert "`.vscode/tasks.json`" in harness.result.failure.sentence
    assert "steering: announce" in harness.result.failure.remedy
    assert (harness.git("rev-parse", "claude/7"), harness.result.steering) == (before, ())


@pytest.mark.parametrize(
    ("path", "protected"),
    [
        ("CLAUDE.md", True),
        ("a/b/Claude.MD", True),
        (".claude/x/y", True),
        (".mcp.json", True),
        (".gitmodules", True),
        ("packages/a/.husky/pre-push", True),
        ("AGENTS.md", True),
        (".claude./x", True),
        (".cl\u200baude/x", True),
        ("docs/about-claude.md", False),
        ("src/claude.md.py", False),
    ],
)
def test_protected_paths_are_known_in_every_folder(path: str, *, protected: bool) -> None:
    """The names count as whole parts of a path, in any case of letters."""
    assert is_protected(path) is protected
