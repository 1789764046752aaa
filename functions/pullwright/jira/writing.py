"""Writes Atlassian Document Format. Texts of others need no escaping: a text node holds nothing but text."""

from typing import Any

from pullwright.text import plain_line

Node = dict[str, Any]
_LONGEST = 1_000


def text(words: str, *marks: Node) -> Node:
    """Return words on one line; the format knows no empty text, so none becomes a dash."""
    made: Node = {"type": "text", "text": plain_line(words, _LONGEST) or "-"}
    return {**made, "marks": list(marks)} if marks else made


def bold(words: str) -> Node:
    """Return words that stand out."""
    return text(words, {"type": "strong"})


def link(address: str) -> Node:
    """Return an address that leads where it says."""
    return text(address, {"type": "link", "attrs": {"href": address}})


def paragraph(*parts: Node) -> Node:
    """Return a paragraph, with a space between its parts."""
    content: list[Node] = []
    for part in parts:
        content += ([{"type": "text", "text": " "}] if content else []) + [part]
    return {"type": "paragraph", "content": content}


def document(*blocks: Node) -> Node:
    """Return a document."""
    return {"type": "doc", "version": 1, "content": list(blocks)}
