"""House rules reach the agent from the base branch: the real CLI, the runner's command line, 20 repositories.

The oracle is the CLI itself: what it reads by itself in the base branch (`--setting-sources=project`) has to
arrive, and `AGENTS.md`, which it does not read, besides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.container.cli import StandIn
from tests.container.house import Asked, Files, House, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read(path: str) -> dict[str, Any]:
    """Return a turn in which the model reads a file."""
    return {"tool": "Read", "input": {"file_path": f"{{cwd}}/{path}"}}


def skill(name: str) -> dict[str, Any]:
    """Return a turn in which the model calls a skill or a command."""
    return {"tool": "Skill", "input": {"skill": name}}


def head(text: str, **fields: str) -> str:
    """Return a Markdown file with fields at its head."""
    return "\n".join(["---", *(f"{name}: {value}" for name, value in fields.items()), "---", text])


@dataclass(frozen=True)
class Row:
    """A repository.

    Attributes:
        also: marks that arrive though the CLI would not read them: of AGENTS.md.
    """

    files: Files
    steps: tuple[dict[str, Any], ...] = ()
    also: frozenset[str] = field(default_factory=frozenset)
    first: frozenset[str] = field(default_factory=frozenset)


def row(files: Files, *steps: dict[str, Any], also: tuple[str, ...] = (), first: tuple[str, ...] = ()) -> Row:
    """Return a row of the table."""
    return Row(files, steps, frozenset(also), frozenset(first))


REPOSITORIES = {
    "CLAUDE.md": row({"CLAUDE.md": "HOUSE_ROOT"}, first=("HOUSE_ROOT",)),
    "in the folder .claude": row({".claude/CLAUDE.md": "HOUSE_DOT", "CLAUDE.md": "HOUSE_ROOT"}),
    "imports": row(
        {"CLAUDE.md": "See @docs/style.md and @./docs/more.md.", "docs/style.md": "HOUSE_STYLE"},
        first=("HOUSE_STYLE",),
    ),
    "imports of imports": row(
        {
            "CLAUDE.md": "HOUSE_0\n- @docs/1.md",
            **{f"docs/{n}.md": f"HOUSE_{n}\n**@{n + 1}.md**" for n in range(1, 8)},
        }
    ),
    "imports in code": row(
        {
            "CLAUDE.md": "Mail `@docs/a.md`\n```\n@docs/b.md\n```\n@docs/c.md#part\n@docs/my_notes.md",
            **{f"docs/{n}.md": f"HOUSE_{n.upper()}" for n in ("a", "b", "c", "my_notes")},
        }
    ),
    "imports that go round": row({"CLAUDE.md": "HOUSE_A @b.md", "b.md": "HOUSE_B @CLAUDE.md @b.md"}),
    "imports of other places": row({"CLAUDE.md": "HOUSE_A @/etc/hostname @../x.md @~/x.md @missing.md"}),
    "nested": row(
        {"pkg/CLAUDE.md": "HOUSE_NESTED @more.md", "pkg/more.md": "HOUSE_MORE", "pkg/src/a.py": "1"},
        read("pkg/src/a.py"),
    ),
    "nested twice": row(
        {"a/CLAUDE.md": "HOUSE_A", "a/b/CLAUDE.md": "HOUSE_B", "a/b/x.py": "1", "c/CLAUDE.md": "HOUSE_C"},
        read("a/b/x.py"),
    ),
    "nested in odd folders": row(
        {"app/[slug]/{x}/(g h)/CLAUDE.md": "HOUSE_ODD", "app/[slug]/{x}/(g h)/a.py": "1"},
        read("app/[slug]/{x}/(g h)/a.py"),
    ),
    "nested, but not there": row({"pkg/CLAUDE.md": "HOUSE_NESTED", "pkg2/a.py": "1"}, read("pkg2/a.py")),
    "rules": row(
        {
            ".claude/rules/a.md": "HOUSE_A",
            ".claude/rules/deep/b.md": "HOUSE_B",
            ".claude/rules/c.txt": "HOUSE_C",
        }
    ),
    "rules for some files": row(
        {
            ".claude/rules/list.md": '---\npaths:\n  - "src/**/*.py"\n---\nHOUSE_LIST',
            ".claude/rules/text.md": head("HOUSE_TEXT", paths='"**/*.{py,ts}, *.md"'),
            ".claude/rules/other.md": head("HOUSE_OTHER", paths='"docs/**"'),
            "src/a.py": "1",
        },
        read("src/a.py"),
    ),
    "nested rules": row(
        {
            "pkg/.claude/rules/all.md": "HOUSE_ALL",
            "pkg/.claude/rules/any.md": head("HOUSE_ANY", paths='"*.py"'),
            "pkg/.claude/rules/src.md": head("HOUSE_SRC", paths='"src/*.py"'),
            "pkg/.claude/rules/no.md": head("HOUSE_NO", paths='"pkg/src/*.py"'),
            "pkg/src/a.py": "1",
        },
        read("pkg/src/a.py"),
    ),
    "links": row(
        {
            "docs/AGENTS.md": "HOUSE_LINKED @next.md",
            "docs/next.md": "HOUSE_NEXT",
            "CLAUDE.md": Link("docs/AGENTS.md"),
            "shared/rules/r.md": "HOUSE_R",
            ".claude/rules": Link("../shared/rules"),
        },
        first=("HOUSE_LINKED", "HOUSE_R"),
    ),
    "skills": row(
        {
            ".claude/skills/tidy/SKILL.md": head(
                "HOUSE_BODY", name="tidy", description="HOUSE_TIDY: tidy up"
            ),
            ".claude/skills/plain/SKILL.md": "HOUSE_PLAIN does without a head",
        },
        skill("tidy"),
        first=("HOUSE_TIDY",),
    ),
    "nested skills": row(
        {
            "pkg/.claude/skills/tidy/SKILL.md": head("x", name="tidy", description="HOUSE_TIDY"),
            "pkg/a.py": "1",
        },
        read("pkg/a.py"),
    ),
    "agents": row({".claude/agents/deep/critic.md": head("x", name="critic", description="HOUSE_CRITIC")}),
    "commands": row(
        {".claude/commands/db/migrate.md": head("HOUSE_BODY $ARGUMENTS", description="HOUSE_MIGRATE")},
        skill("db:migrate"),
    ),
    "AGENTS.md": row({"AGENTS.md": "HOUSE_AGENTS"}, also=("HOUSE_AGENTS",), first=("HOUSE_AGENTS",)),
    "AGENTS.md beside CLAUDE.md": row(
        {"AGENTS.md": "HOUSE_AGENTS", "CLAUDE.md": "HOUSE_CLAUDE"}, also=("HOUSE_AGENTS",)
    ),
    "AGENTS.md imported": row({"AGENTS.md": "HOUSE_AGENTS", "CLAUDE.md": "@AGENTS.md"}),
    "AGENTS.md nested": row(
        {"pkg/AGENTS.md": "HOUSE_AGENTS", "pkg/a.py": "1"}, read("pkg/a.py"), also=("HOUSE_AGENTS",)
    ),
    "nothing": row({"src/a.py": "HOUSE_READ"}, read("src/a.py")),
    "not meant": row(
        {"CLAUDE.local.md": "HOUSE_LOCAL", "docs/claude.md": "HOUSE_LOWER", "claude.md": "HOUSE_L"}
    ),
}


GROUPS = (
    ("CLAUDE.md", "nested", "rules", "agents"),
    ("in the folder .claude", "imports", "nested twice", "skills"),
    (
        "imports of imports",
        "imports in code",
        "imports that go round",
        "imports of other places",
        "nested in odd folders",
    ),
    ("links", "nested, but not there", "commands"),
    ("AGENTS.md", "nested skills"),
    ("AGENTS.md beside CLAUDE.md", "rules for some files", "AGENTS.md nested"),
    ("AGENTS.md imported", "nested rules"),
    ("nothing", "not meant"),
)
"""Repositories that are asked about in one: two starts of the CLI take as long as twenty turns. They share no
file but CLAUDE.md, whose texts then follow each other, and what brings in a tool does so alone."""


def named(row_name: str, marks: set[str]) -> set[str]:
    """Return marks as they stand in a group's files: with the row's number."""
    return {mark.replace("HOUSE_", f"HOUSE_R{_number(row_name)}_", 1) for mark in marks}


def of(row_name: str, marks: set[str]) -> set[str]:
    """Return the marks of one row."""
    return {mark for mark in marks if mark.startswith(f"HOUSE_R{_number(row_name)}_")}


def _number(row_name: str) -> int:
    return list(REPOSITORIES).index(row_name)


def together(names: tuple[str, ...]) -> Row:
    """Return the repositories of a group as one."""
    files: Files = {}
    for name in names:
        for path, content in REPOSITORIES[name].files.items():
            text = content
            if isinstance(content, str):
                text = content.replace("HOUSE_", f"HOUSE_R{_number(name)}_")
            if path == "CLAUDE.md" and path in files:
                text = f"{files[path]}\n\n{text}"
            else:
                assert path not in files, (names, path)
            files[path] = text
    return Row(files, tuple(step for name in names for step in REPOSITORIES[name].steps))


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Provide the CLI and its model."""
    with StandIn.running() as standin, House.open(standin) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(house: House) -> Callable[[str], tuple[Asked, Asked]]:
    """Provide what the CLI by itself, and as the runner starts it, asks about a row; once for each group."""
    known: dict[tuple[str, ...], tuple[Asked, Asked]] = {}

    def both(name: str) -> tuple[Asked, Asked]:
        [group] = [names for names in GROUPS if name in names]
        if group not in known:
            repository = together(group)
            known[group] = (
                house.ask(repository.files, steps=repository.steps, own="project"),
                house.ask(repository.files, steps=repository.steps),
            )
        return known[group]

    return both


@pytest.mark.parametrize("name", REPOSITORIES)
def test_the_base_branchs_rules_arrive_as_the_cli_reads_them(
    ask: Callable[[str], tuple[Asked, Asked]], name: str
) -> None:
    """The marks in the model's requests are those of the CLI's own way, and AGENTS.md's."""
    also, first = (named(name, set(marks)) for marks in (REPOSITORIES[name].also, REPOSITORIES[name].first))
    own, brought = ask(name)
    assert len(own.marks) == len(brought.marks)
    own_first, brought_first = of(name, own.marks[0]), of(name, brought.marks[0])
    assert of(name, brought.everything) == of(name, own.everything) | also
    assert first <= brought_first
    assert brought_first == own_first | (also & brought_first)
