"""What house rules are found in a tree, and what is made of them before they are written."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.abilities import find_abilities
from runner.rules.base import BaseFiles
from runner.rules.bounds import MAX_ALWAYS, MAX_TEXT
from runner.rules.delivery import deliver
from runner.rules.frontmatter import AGENT_FIELDS, SKILL_FIELDS, joined, kept, patterns, split
from runner.rules.instructions import below, find_instructions, imports, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

LINK = "120000"
NAMES = st.sampled_from(["a", "b", "c", "CLAUDE.md"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.lists(st.sampled_from(["a", "b", "c", "..", ".", "CLAUDE.md"]), min_size=1, max_size=3).map(
    "/".join
)


def tree(files: dict[str, str], links: dict[str, str] | None = None) -> BaseFiles:
    """Return a tree with these files and links, whose blobs are called by their paths."""
    everything = {**files, **(links or {})}
    entries = [(path, LINK if path in (links or {}) else "100644", path) for path in everything]

    def read(names: Sequence[str]) -> dict[str, bytes]:
        return {name: everything[name].encode() for name in names}

    return BaseFiles(entries, read)


def _without_conflicts(files: set[str], links: dict[str, str]) -> tuple[set[str], dict[str, str]]:
    """Leave out what lies below a file or a link, as git knows no such trees."""
    leaves = files | set(links)
    fitting = {
        path for path in leaves if not any(other != path and path.startswith(f"{other}/") for other in leaves)
    }
    return {path for path in files if path in fitting and path not in links}, {
        path: target for path, target in links.items() if path in fitting
    }


@given(files=st.sets(PATHS, max_size=5), links=st.dictionaries(PATHS, TARGETS, max_size=4), asked=TARGETS)
def test_links_lead_where_the_file_system_leads_them(
    files: set[str], links: dict[str, str], asked: str
) -> None:
    """The oracle is the kernel: a checkout of the same tree, and what lies outside of it is nothing."""
    files, links = _without_conflicts(files, links)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve() / "x/y/z/root"
        root.mkdir(parents=True)
        for path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(path)
        for path, target in links.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(target)
        found = tree(dict.fromkeys(files, ""), links).file(asked)
        try:
            real = os.path.relpath(os.path.realpath(root / asked, strict=True), root)
        except OSError:
            real = ".."
        # Git keeps no empty folders, and no path may leave the tree even to come back.
        if found is not None:
            assert found == real
        elif real in files:
            assert ".." in asked.split("/") or any(".." in target for target in links.values())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@a.md", {"docs/a.md"}),
        ("see @../b.md, and @./c.md.", {"b.md", "docs/c.md"}),
        ("**@d.md** (@e.md) |@f.md|", {"docs/d.md", "docs/e.md", "docs/f.md"}),
        ("@with\\ space.md @g.md#part", {"docs/with space.md", "docs/g.md"}),
        ("@/etc/passwd @~/.ssh/id_rsa @../../x.md mail@example.org", set()),
    ],
)
def test_imports_are_found_from_the_files_own_folder(text: str, found: set[str]) -> None:
    """More may be found; what is elsewhere on the machine is not."""
    everything = set(imports("docs/CLAUDE.md", text))
    assert found <= everything
    assert not any(path.startswith(("/", "..", "~")) for path in everything)


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=20), max_size=5), st.text())
def test_only_listed_fields_of_a_head_are_kept(fields: dict[str, str], text: str) -> None:
    """Whatever a head says, and however its text goes on, YAML's own reader finds no other field."""
    head = yaml.safe_dump(
        {**fields, "hooks": {"Stop": []}, "model": "other", "name": "x"}, allow_unicode=True
    )
    for allowed in (SKILL_FIELDS, AGENT_FIELDS):
        written = joined(kept(split(f"---\n{head}---\n{text}")[0], allowed), text)
        start = re.match(r"---\n(.*?)---\n", written, re.DOTALL)
        assert start is not None
        assert set(yaml.safe_load(start[1])) <= allowed
        assert "name: " in start[1]


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        ("name: a\ndescription: Use this: always", {"name": "a", "description": "Use this: always"}),
        ("name: &a x\ndescription: *a", {"name": "&a x", "description": "*a"}),
        ("description: |\n  one\n  two", {"description": "one\ntwo\n"}),
        ("paths: [a, {b: c}]", {}),
        ("hooks:\n  Stop: []", {}),
    ],
)
def test_heads_are_read_as_forgivingly_as_they_are_written(head: str, fields: dict[str, str]) -> None:
    """A colon in a description costs neither the name nor the rest."""
    assert kept(split(f"---\r\n{head}\n---\r\ntext")[0], SKILL_FIELDS) == fields


@pytest.mark.parametrize("text", ["---\nhooks: x\n---\n", "\n---\nhooks: x\n---\n", "\ufeff---\nhooks: x"])
def test_a_text_never_becomes_a_head(text: str) -> None:
    """What follows our head is text, also if it looks like another head."""
    assert "hooks" not in split(joined({}, text))[0]


def test_patterns_of_a_folder_hold_in_it_alone() -> None:
    """As git's own ignore files count them."""
    assert patterns("**/*.{py,ts}, *.md") == ["**/*.{py,ts}", "*.md"]
    assert patterns(["a", 1, ""]) == ["a"]
    assert below("pkg", "*.py") == "pkg/**/*.py"
    assert below("pkg", "src/*.py") == "pkg/src/*.py"
    assert below("pkg", "/src/") == "pkg/src/"
    assert below("pkg", "!gen/x") == "!pkg/gen/x"
    assert literal("app/[slug]/{x y}") == "app/?slug?/?x?y?"


@pytest.mark.parametrize(
    ("files", "links", "sources"),
    [
        ({"AGENTS.md": "a", "CLAUDE.md": "b"}, {}, ["CLAUDE.md", "AGENTS.md"]),
        ({"AGENTS.md": "same \n text", "CLAUDE.md": "first\nsame text\nlast"}, {}, ["CLAUDE.md"]),
        ({"AGENTS.md": "a"}, {"CLAUDE.md": "AGENTS.md"}, ["AGENTS.md"]),
        ({"AGENTS.md": "a"}, {"CLAUDE.md": "../AGENTS.md"}, ["AGENTS.md"]),
        ({"agents.md": "a", "Claude.md": "b"}, {}, []),
    ],
)
def test_agents_md_is_read_once(files: dict[str, str], links: dict[str, str], sources: list[str]) -> None:
    """It is left out where CLAUDE.md holds or is the same."""
    found = find_instructions(tree(files, links))
    assert [source for group in found for source in group.sources] == sources


def test_a_plugin_among_the_skills_is_not_brought() -> None:
    """Hidden files could make one of a skill."""
    files = {
        ".claude/skills/x/SKILL.md": "x",
        ".claude/skills/x/.claude-plugin/plugin.json": "{}",
        ".claude/skills/.hidden/SKILL.md": "x",
        ".claude/skills/x/scripts/run.sh": "true",
    }
    assert set(find_abilities(tree(files)).files) == {"skills/x/SKILL.md", "skills/x/scripts/run.sh"}


def test_what_is_too_long_is_cut_or_left_out_and_named(tmp_path: Path) -> None:
    """One file has a bound, and so have all together; the folder never holds more."""
    files = {f".claude/rules/{number}.md": "word\n" * (MAX_TEXT // 5 + number) for number in range(4)}
    rules = deliver(tree(files), tmp_path / "claude", "main")
    written = list((tmp_path / "claude/instructions").rglob("*.md"))
    assert sum(path.stat().st_size for path in written) <= MAX_ALWAYS
    assert written
    assert len(rules.notices) == 2
    assert all("`.claude/rules/" in notice for notice in rules.notices)


def test_names_that_the_file_system_does_not_take_stop_nothing(tmp_path: Path) -> None:
    """They are left out and named."""
    files = {f"{'a' * 300}/CLAUDE.md": "x", "CLAUDE.md": "y"}
    rules = deliver(tree(files), tmp_path / "claude", "main")
    assert len(rules.notices) == 1
    assert len(list((tmp_path / "claude/rules").iterdir())) == 1
