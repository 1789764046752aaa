"""Brings the base branch's house rules to the agent, in a folder that stands for a person's own settings.

Claude Code reads it as its configuration folder (`CLAUDE_CONFIG_DIR`), and nothing of the work tree: neither
instructions nor settings. So a branch has no say, whatever it holds, and the agent can still be asked to
change those files. The folder belongs to the runner's user; the agent's can add files, and change none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.git.tree import shown
from runner.log import logger
from runner.rules.abilities import find_abilities
from runner.rules.bounds import Bounds
from runner.rules.folder import fits, link, make, write
from runner.rules.instructions import find_instructions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runner.rules.base import BaseFiles
    from runner.rules.instructions import Instructions

_SHOWN = 3
# The agent could fill those that are missing while it works.
_FOLDERS = ("rules", "skills", "agents", "commands", "plugins", "output-styles", "workflows")
_HEADER = """\
The instructions in this folder are the house rules of the repository that you work on, as its branch {base} \
has them. Paths in them count from the repository's root. The files that they come from may read otherwise \
in the current directory: then what is said here holds.
"""


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What was brought.

    Attributes:
        tools: the tools that make use of skills, commands and agents, if there are any.
    """

    folder: Path
    tools: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def settings(self, tools: Sequence[str]) -> str:
        """Return settings for the command line, above which only the machine's own stand."""
        return json.dumps(
            {
                "disableAllHooks": True,
                "disableBundledSkills": True,
                # A command of a skill's text would be refused without Bash, and the text with it.
                "disableSkillShellExecution": "Bash" not in tools,
                # An import may name any file of the machine: none but those in the folder is read.
                "claudeMdExcludes": [f"!{self.folder}/**"],
            }
        )


def deliver(files: BaseFiles, folder: Path, base: str) -> HouseRules:
    """Fill the configuration folder.

    Args:
        folder: where; it must not exist yet.
    """
    folder.mkdir()
    folder = folder.resolve()
    for name in _FOLDERS:
        make(folder / name)
    write(folder / "settings.json", b"{}\n")
    rules = _bring(files, folder, base)
    # Everybody may add files, as the CLI does, and nobody take away or replace what is there.
    folder.chmod(0o1777)
    return rules


def _bring(files: BaseFiles, folder: Path, base: str) -> HouseRules:
    bounds = Bounds()
    entries = [
        path
        for number, group in enumerate(find_instructions(files))
        for path in _write_group(group, folder / f"instructions/{number}", bounds)
    ]
    for number, path in enumerate(entries):
        link(folder / f"rules/{number:04}.md", path)
    if entries:
        write(folder / "CLAUDE.md", _HEADER.format(base=base).encode())
    abilities = find_abilities(files)
    for name, content in abilities.files.items():
        write(folder / name, content, program=name in abilities.programs)
    logger.info("house rules", instructions=len(entries), abilities=len(abilities.files))
    notices = [
        *_notice("Too long as instructions, only the beginning was given to the agent: {}", bounds.cut),
        *_notice("Not given to the agent, for want of room: {}", bounds.left_out + abilities.left_out),
    ]
    return HouseRules(folder, abilities.tools, tuple(notices))


def _write_group(group: Instructions, root: Path, bounds: Bounds) -> list[Path]:
    """Write files as they lie in the repository, so that they find each other.

    Returns:
        Where those are that are read for themselves.
    """
    texts = bounds.fit(group)
    for path, content in texts.items():
        write(root / path, content)
    for lexical, real in group.links.items():
        if real in texts and fits(lexical):
            link(root / lexical, root / real)
    return [root / path for path in group.sources if path in texts]


def _notice(sentence: str, paths: list[str]) -> list[str]:
    if not paths:
        return []
    names = [shown(path) for path in dict.fromkeys(paths)]
    more = len(names) - _SHOWN
    return [f"{sentence.format(', '.join(names[:_SHOWN]))}{f' and {more} more' if more > 0 else ''}."]
