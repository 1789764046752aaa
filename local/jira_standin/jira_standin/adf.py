"""Atlassian Document Format: what is valid, and its text.

`adf.json` is `dist/json-schema/v1/full.json` of npm's @atlaskit/adf-schema 57.7.22, without its white space:
copyright Atlassian Pty Ltd, under the Apache License 2.0 (`adf.LICENSE`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs

_HEADINGS = "heading"
_BLOCKS = (
    "paragraph",
    _HEADINGS,
    "codeBlock",
    "listItem",
    "tableRow",
    "rule",
    "taskItem",
    "decisionItem",
    "caption",
)
_ATTRIBUTES = ("text", "shortName", "title", "url", "alt")


_VALIDATOR = jsonschema_rs.validator_for(
    json.loads(Path(__file__).with_name("adf.json").read_text(encoding="utf-8"))
)


def is_document(value: object) -> bool:
    """Tell whether a value is a document by Atlassian's own schema."""
    return _VALIDATOR.is_valid(value)


def text(document: dict[str, Any] | None) -> str:
    """Return a document's text, as webhooks and the changelog have it.

    Jira gives it there in its older wiki markup; here blocks are lines of plain text and headings begin with
    `h1. ` and so on.
    """
    return "" if document is None else _text(document).strip("\n")


def _text(node: dict[str, Any]) -> str:
    kind, attributes = node.get("type"), node.get("attrs") or {}
    if kind == "text":
        return str(node.get("text", ""))
    if kind == "hardBreak":
        return "\n"
    inner = "".join(_text(child) for child in node.get("content") or ())
    if not node.get("content"):
        inner = str(next((attributes[name] for name in _ATTRIBUTES if attributes.get(name)), ""))
    if kind == _HEADINGS:
        inner = f"h{attributes.get('level', 1)}. {inner}"
    return f"{inner}\n\n" if kind in _BLOCKS else inner
