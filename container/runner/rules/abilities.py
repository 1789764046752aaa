"""Skills, agents and commands of the base branch, as Claude Code's own folder holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.rules.folder import fits
from runner.rules.frontmatter import AGENT_FIELDS, SKILL_FIELDS, joined, kept, patterns, split
from runner.rules.instructions import below, literal

if TYPE_CHECKING:
    from runner.rules.base import BaseFiles

MAX_FILES = 2_000
MAX_BYTES = 16 << 20


@dataclass(slots=True)
class Abilities:
    """Skills, agents and commands, each of which the agent can call by its name.

    Attributes:
        files: contents by their paths in the folder.
        programs: which of them may be executed.
        left_out: files of the base branch for which there is no room.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    programs: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools of Claude Code that use what was found."""
        kinds = {path.partition("/")[0] for path in self.files}
        return (
            *(("Skill",) if kinds & {"skills", "commands"} else ()),
            *(("Task",) if "agents" in kinds else ()),
        )


def find_abilities(files: BaseFiles) -> Abilities:
    """Read them, and take out of their heads what could start programs or change what is permitted."""
    found = Abilities()
    wanted: dict[str, tuple[str, str]] = {}
    for kind in ("agents", "commands", "skills"):
        for name, path in files.walk(f".claude/{kind}"):
            wanted[f"{kind}/{name}"] = (path, "")
    wanted |= _nested_skills(files, {name.split("/")[1] for name in wanted if name.startswith("skills/")})
    # A skill may hold a whole plugin, with hooks and servers, in folders whose names begin with a dot.
    wanted = {name: entry for name, entry in wanted.items() if "/." not in name}
    chosen = dict(list(wanted.items())[:MAX_FILES])
    found.left_out += [path for name, (path, _) in wanted.items() if name not in chosen]
    contents = files.contents([path for path, _ in chosen.values()])
    room = MAX_BYTES
    for name, (path, folder) in chosen.items():
        content = contents.get(path)
        if content is None or len(content) > room or not fits(name):
            found.left_out.append(path)
            continue
        room -= len(content)
        found.files[name] = _harmless(name, content, folder)
        if files.is_program(path):
            found.programs.add(name)
    return found


def _nested_skills(files: BaseFiles, taken: set[str]) -> dict[str, tuple[str, str]]:
    """Skills of folders, which are offered once the agent looks at a file in there."""
    wanted = {}
    names: dict[tuple[str, str], str] = {}
    for folder in sorted(
        folder for folder, kinds in files.holders().items() if ".claude" in kinds and folder
    ):
        for rest, path in files.walk(f"{folder}/.claude/skills"):
            skill, _, inside = rest.partition("/")
            if not inside:
                continue
            if (folder, skill) not in names:
                names[folder, skill] = f"{folder.replace('/', '-')}-{skill}" if skill in taken else skill
                taken.add(names[folder, skill])
            wanted[f"skills/{names[folder, skill]}/{inside}"] = (path, folder)
    return wanted


def _harmless(name: str, content: bytes, folder: str) -> bytes:
    """Return a file with the harmless part of its head.

    Args:
        folder: the one that it belongs to; empty for the root.
    """
    kind, _, rest = name.partition("/")
    is_definition = name.lower().endswith((".md", ".markdown")) and (
        kind != "skills" or rest.count("/") == 0 or rest.lower().endswith("/skill.md")
    )
    if not is_definition:
        return content
    fields, text = split(content.decode(errors="replace"))
    fields = kept(fields, AGENT_FIELDS if kind == "agents" else SKILL_FIELDS)
    if folder:
        own = patterns(fields.get("paths"))
        fields["paths"] = [below(folder, pattern) for pattern in own] or [f"{literal(folder)}/**"]
    return joined(fields, text).encode()
