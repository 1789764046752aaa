"""House rules reach the agent from the base branch: the real CLI, the runner's command line, 20 repositories.

The oracle is the CLI itself: what it reads by itself in the base branch (`--setting-sources=project`) has to
arrive, and `AGENTS.md`, which it does not read, besides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.container.cli import StandIn
from tests.container.house import Files, House, Link

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Provide the CLI and its model."""
    with StandIn.running() as standin, House.open(standin) as opened:
        yield opened


@pytest.mark.parametrize("name", REPOSITORIES)
def test_the_base_branchs_rules_arrive_as_the_cli_reads_them(house: House, name: str) -> None:
    """The marks in the model's requests are those of the CLI's own way, and AGENTS.md's."""
    repository = REPOSITORIES[name]
    own = house.ask(repository.files, steps=repository.steps, own="project")
    brought = house.ask(repository.files, steps=repository.steps)
    assert brought.everything == own.everything | repository.also
    assert repository.first <= brought.marks[0]
    assert brought.marks[0] == own.marks[0] | (repository.also & brought.marks[0])
