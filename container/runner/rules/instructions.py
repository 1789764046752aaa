"""Which texts of the base branch are instructions, where they hold, and what they import."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.rules.base import folder_of
from runner.rules.frontmatter import patterns, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.rules.base import BaseFiles

# Claude Code follows imports up to five files deep, the first one included.
_HOPS = 5
_IMPORT = re.compile(r"@((?:[^\s\\]|\\ )+)")
# Where an import may end because Markdown goes on there; too many ends only bring files that nobody reads.
_END = re.compile(r"[^\w./ -]|_|\.(?=\W|\Z)|\Z")
_MOST_ENDS = 20
_SAFE = re.compile(r"[\w./-]")


@dataclass(slots=True)
class Instructions:
    """Files that count together.

    Attributes:
        patterns: for which files they count; for the whole session if there are none.
        sources: the files that are read for themselves.
        links: where the tree has links to imported files, and the files' own paths.
        texts: contents of the sources and of what they import, by path.
        left_out: files that are too large to be read.
    """

    patterns: tuple[str, ...] = ()
    sources: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def read(self, files: BaseFiles) -> None:
        """Read the sources and everything that they import."""
        wanted = list(dict.fromkeys(self.sources))
        seen = set(wanted)
        for _ in range(_HOPS):
            contents = files.contents(wanted)
            self.left_out += [path for path in wanted if path not in contents]
            imported: dict[str, None] = {}
            for path, content in contents.items():
                if b"\0" in content:
                    # It may be mentioned, and is not imported: it is no text.
                    continue
                self.texts[path] = content
                for lexical in imports(path, content.decode(errors="replace")):
                    if (real := files.file(lexical)) is not None:
                        imported[real] = None
                        if real != lexical:
                            self.links[lexical] = real
            wanted = [path for path in imported if path not in seen]
            seen.update(wanted)
            if not wanted:
                return


def imports(path: str, text: str) -> Iterator[str]:
    """Find the paths that a text may import, and some that it does not.

    Which of them stand in code, and so import nothing, is left to Claude Code.

    Args:
        path: the text's own, from which the others are counted.
        text: Markdown.

    Yields:
        Paths from the root. What lies in somebody's home or outside of the repository is left out.
    """
    for found in _IMPORT.finditer(text):
        name = found[1].replace("\\ ", " ")
        if name.startswith(("/", "~")):
            continue
        for end in list(_END.finditer(name))[-_MOST_ENDS:]:
            joined = posixpath.normpath(posixpath.join(folder_of(path), name[: end.start()]))
            if end.start() and not joined.startswith(".."):
                yield joined


def find_instructions(files: BaseFiles) -> list[Instructions]:
    """Return all instructions, those for the whole session first; each has been read."""
    always = Instructions()
    nested: dict[str, Instructions] = {}
    ruled: list[Instructions] = []
    for folder, kinds in sorted(files.holders().items()):
        here = always if not folder else nested.setdefault(folder, Instructions((f"{literal(folder)}/**",)))
        prefix = f"{folder}/" if folder else ""
        own = [files.file(f"{prefix}{name}") for name in ("CLAUDE.md", ".claude/CLAUDE.md")]
        here.sources += [path for path in own if path]
        agents = files.file(f"{prefix}AGENTS.md") if "AGENTS.md" in kinds else None
        if agents and not _says_the_same(files, agents, [path for path in own if path]):
            here.sources.append(agents)
        rules = [path for name, path in files.walk(f"{prefix}.claude/rules") if name.endswith(".md")]
        if not folder:
            here.sources += rules
            continue
        for path, content in files.contents(rules).items():
            own_patterns = patterns(split(content.decode(errors="replace"))[0].get("paths"))
            if own_patterns:
                ruled.append(Instructions(tuple(below(folder, pattern) for pattern in own_patterns), [path]))
            else:
                here.sources.append(path)
    for folder_instructions in nested.values():
        folder_instructions.sources = [p for p in folder_instructions.sources if p not in always.sources]
    found = [group for group in (always, *nested.values(), *ruled) if group.sources]
    for group in found:
        group.sources = list(dict.fromkeys(group.sources))
        group.read(files)
    return found


def literal(folder: str) -> str:
    """Give a folder as part of a pattern: what may have a meaning there stands for any character."""
    return "".join(char if _SAFE.fullmatch(char) else "?" for char in folder)


def below(folder: str, pattern: str) -> str:
    """Return a pattern that counts from a folder, as one that counts from the root.

    As in https://git-scm.com/docs/gitignore, one without a slash counts at every depth.
    """
    negated, bare = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    depth = "" if "/" in bare.rstrip("/") else "**/"
    return f"{negated}{literal(folder)}/{depth}{bare.lstrip('/')}"


def _says_the_same(files: BaseFiles, agents: str, others: Sequence[str]) -> bool:
    """Return whether a folder's CLAUDE.md holds all of its AGENTS.md already."""
    if agents in others:
        return True
    contents = files.contents([agents, *others])
    text = b" ".join(contents.get(agents, b"").split())
    return any(text in b" ".join(contents.get(path, b"").split()) for path in others)
