"""The fields at the head of a Markdown file, of which only harmless ones are kept.

https://code.claude.com/docs/en/skills#frontmatter-reference and
https://code.claude.com/docs/en/sub-agents#supported-frontmatter-fields: what is not in one of the lists here
could start programs (`hooks`, `mcpServers`), choose another model, or change what is permitted.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

SKILL_FIELDS = frozenset(
    {
        *("name", "description", "when_to_use", "argument-hint", "arguments", "paths", "version", "license"),
        *("disable-model-invocation", "user-invocable", "disallowed-tools"),
    }
)
AGENT_FIELDS = frozenset({"name", "description", "tools", "disallowedTools", "skills", "maxTurns", "color"})
_HEAD = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"([A-Za-z][A-Za-z_-]*):[ \t]+(\S.*?)[ \t]*\r?")
_LONGEST = 32 << 10


def split(text: str) -> tuple[dict[str, Any], str]:
    """Separate a file's fields from its text.

    What is no valid YAML is read line by line, as Claude Code forgives it too: descriptions often hold a
    colon.
    """
    found = _HEAD.match(text)
    if found is None:
        return {}, text.removeprefix("\ufeff")
    head = found[1]
    # As in pullwright.repository.document: few repositories have such files.
    from ruamel.yaml import YAML  # noqa: PLC0415 - see above
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415
    from ruamel.yaml.events import AliasEvent  # noqa: PLC0415

    try:
        reader = YAML(typ="safe", pure=True)
        if len(head) > _LONGEST or any(isinstance(event, AliasEvent) for event in reader.parse(head)):
            loaded = None
        else:
            loaded = reader.load(head)
    except (YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # The library's scanner lets some of these out.
        loaded = None
    if not isinstance(loaded, dict):
        lines = (_LINE.fullmatch(line) for line in head[:_LONGEST].split("\n"))
        loaded = {line[1]: line[2].strip("\"'") for line in lines if line}
    return {str(name): value for name, value in loaded.items()}, text[found.end() :]


def kept(fields: dict[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    """Return the fields that are in a list and hold a plain value or a list of those."""
    return {
        name: value
        for name, value in fields.items()
        if name in allowed
        and (_plain(value) or (isinstance(value, list) and all(_plain(entry) for entry in value)))
    }


def joined(fields: dict[str, Any], text: str) -> str:
    """Put fields and text together; the text never counts as fields, whatever it begins with."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items()]
    return "".join(["---\n", *(lines or ["version: 1\n"]), "---\n", text])


def patterns(value: object) -> list[str]:
    """Give the patterns of a field `paths`: a list, or a text with commas outside of braces."""
    texts: Iterable[object] = value if isinstance(value, list) else [value]
    found = [
        part.strip() for text in texts if isinstance(text, str) for part in re.split(r",(?![^{}]*\})", text)
    ]
    return [part for part in found if part]


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool)
