"""Lines of a transcript as people read them: what the agent said, the tools it used, their answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright.json_object import as_object, decode_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST = 20_000
_LONGEST_TITLE = 160
# Of a tool's input, what says most of what it does.
_TELLING = ("command", "file_path", "pattern", "query", "url", "description")


class Entry(NamedTuple):
    """One step of a conversation.

    Attributes:
        kind: `text`, `tool`, `result` or `note`.
        title: empty for a text.
        cut: how many characters are left out.
    """

    kind: str
    title: str
    text: str
    is_error: bool = False
    cut: int = 0


def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the steps that lines of the CLI's hold; what is no step is left out.

    https://code.claude.com/docs/en/headless#stream-responses
    """
    for line in lines:
        if not line.strip():
            continue
        event = decode_object(line)
        content = as_object(event.get("message")).get("content")
        if isinstance(content, str):
            yield _entry("text", "", content)
        for block in content if isinstance(content, list) else ():
            yield from _of_block(as_object(block))
        if event.get("type") == "result":
            turns = event.get("num_turns")
            yield _entry(
                "note", f"Ended: {event.get('subtype')}, {turns} turns", str(event.get("result") or "")
            )
        elif event.get("type") == "pullwright" or not event:
            yield _entry("note", "Left out", str(event.get("reason") or "a line that is no JSON object"))


def _of_block(block: dict[str, Any]) -> Iterator[Entry]:
    kind = block.get("type")
    if kind in ("text", "thinking"):
        yield _entry("text", "Thought" if kind == "thinking" else "", str(block.get(kind) or ""))
    elif kind == "tool_use":
        values = as_object(block.get("input"))
        told = next((str(values[name]) for name in _TELLING if values.get(name)), "")
        title = f"{block.get('name')}  {' '.join(told.split())}"
        shown = values.get("command") or json.dumps(values, ensure_ascii=False, indent=2)
        yield _entry("tool", title, str(shown))
    elif kind == "tool_result":
        is_error = bool(block.get("is_error"))
        title = "It failed" if is_error else "It answered"
        yield _entry("result", title, _text(block.get("content")), is_error=is_error)


def _entry(kind: str, title: str, text: str, *, is_error: bool = False) -> Entry:
    if len(title) > _LONGEST_TITLE:
        title = f"{title[:_LONGEST_TITLE]}…"
    return Entry(kind, title, text[:_LONGEST], is_error, max(0, len(text) - _LONGEST))


def _text(content: object) -> str:
    """Return the text of a tool's result, which is a string or a list of blocks."""
    if isinstance(content, list):
        return "\n".join(str(as_object(part).get("text", "(no text)")) for part in content)
    return str(content or "")
