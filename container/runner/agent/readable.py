"""The transcript for people: what the agent said and did, in Markdown, within bounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pullwright.json_object import as_object
from runner.agent.stream import content_blocks

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.results import EgressResult

MAX_CHARACTERS = 4 << 20
_LONGEST_TEXT = 20_000
_LONGEST_INPUT = 4_000
_LONGEST_RESULT = 2_000
_FULL = "\n*The rest is in transcript.jsonl.*\n"


class ReadableTranscript:
    """Writes each step as it comes."""

    def __init__(self, path: Path, *, max_characters: int = MAX_CHARACTERS) -> None:
        self._file = path.open("a", encoding="utf-8", errors="replace")
        self._room = max_characters

    def take(self, event: dict[str, Any]) -> None:
        """Take one line of the CLI's, decoded; what is not part of the conversation is left out."""
        for block in content_blocks(event):
            self._write(_render(block))
        if event.get("type") == "result":
            self._write(f"\n---\n\nEnded: {event.get('subtype')}, {event.get('num_turns')} turns.\n")

    def close(self) -> None:
        """End it."""
        self._file.close()

    def _write(self, text: str) -> None:
        if not text or self._room <= 0 or self._file.closed:
            return
        self._room -= len(text)
        self._file.write(text if self._room > 0 else _FULL)
        # What was written stays readable if this process dies.
        self._file.flush()


def add_refused(path: Path, egress: EgressResult) -> None:
    """Add what the session's processes could not reach to a transcript, if there are both."""
    if egress.refused and path.exists():
        lines = [f"- {refused.step}: {refused.count} x `{refused.target}`" for refused in egress.refused]
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(["\n---\n\nNot reachable:\n", *lines, ""]))


def _render(block: dict[str, Any]) -> str:
    kind = block.get("type")
    if kind == "text":
        return f"\n{_cut(str(block.get('text')), _LONGEST_TEXT)}\n"
    if kind == "tool_use":
        values = as_object(block.get("input"))
        name = "".join(c for c in str(block.get("name")) if c.isalnum() or c in "_-")
        shown = values.get("command") or json.dumps(values, ensure_ascii=False, indent=1)
        return f"\n### {name}\n\n{_fenced(str(shown), _LONGEST_INPUT)}"
    if kind == "tool_result":
        heading = "It failed:" if block.get("is_error") else "It answered:"
        return f"\n{heading}\n\n{_fenced(_text(block.get('content')), _LONGEST_RESULT)}"
    return ""


def _text(content: object) -> str:
    """Return the text of a tool's result, which is a string or a list of blocks."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "(no text)")) for part in content if isinstance(part, dict))
    return str(content or "")


def _fenced(text: str, longest: int) -> str:
    """Return a block that its own content cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{_cut(text, longest)}\n{fence}\n"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\n… {len(text) - longest} characters more"
