"""Documents made from Atlassian's own schema of their format."""

from __future__ import annotations

import json
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from hypothesis import strategies as st

from local.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import DrawFn

SCHEMA: dict[str, Any] = json.loads(
    (ROOT / "local/jira_standin/jira_standin/adf.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
_DEPTH = 6
_MOST = 2
# What texts have besides a word of their own: signs of Markdown, white space, what nobody sees.
_AROUND = st.sampled_from(("", "", "", " ", "`", "``", "**", "\n", "|", "\u200b", "<!-- x -->", "# ", "- "))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and put together what has to hold at once."""
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if "allOf" not in schema:
        return schema
    first, *others = [resolved(part) for part in schema["allOf"]]
    # What one part does not let in, none can add.
    is_open = first.get("additionalProperties", True)
    added = {
        name: value
        for part in others
        for name, value in part["properties"].items()
        if is_open or name in first["properties"]
    }
    needed = {name for part in (first, *others) for name in part.get("required", ())}
    return {**first, "properties": {**first["properties"], **added}, "required": sorted(needed)}


def kinds() -> list[str]:
    """Return the names of all definitions that stand for a node."""
    return sorted(name for name in SCHEMA["definitions"] if name.endswith("_node") and name != "doc_node")


@st.composite
def documents(draw: DrawFn) -> dict[str, Any]:
    """Make a document."""
    made = _value(draw, {"$ref": "#/definitions/doc_node"}, _DEPTH, count())
    assert isinstance(made, dict)
    return made


@st.composite
def nodes(draw: DrawFn, name: str) -> dict[str, Any]:
    """Make one node by the name of its definition."""
    made = _value(draw, {"$ref": f"#/definitions/{name}"}, _DEPTH, count())
    assert isinstance(made, dict)
    return made


def words(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each word of the texts in a node, in their order, with its text."""
    if node.get("type") == "text":
        yield node["text"].partition("w")[2].partition("x")[0], node
    for child in node.get("content", ()):
        yield from words(child)


def _value(  # noqa: PLR0911 - one for each kind of schema
    draw: DrawFn, schema: dict[str, Any], depth: int, numbers: Iterator[int]
) -> Any:
    schema = resolved(schema)
    if "anyOf" in schema:
        options = schema["anyOf"]
        shallow = min(map(_key_depth, options))
        fitting = [option for option in options if _key_depth(option) <= max(depth, shallow)]
        return _value(draw, draw(st.sampled_from(fitting)), depth, numbers)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema.get("type"):
        case "object":
            return _object(draw, schema, depth, numbers)
        case "array":
            return _array(draw, schema, depth, numbers)
        case "number":
            return draw(st.integers(schema.get("minimum", 0), schema.get("maximum", 2_000)))
        case "boolean":
            return draw(st.booleans())
        case "string" if "pattern" in schema:
            return draw(st.sampled_from(("#ffffff", "#000000", "#97a0af", "#fff0b3")))
        case "string":
            return draw(st.sampled_from(("a", "b c", "https://x.example/")))
        case _:
            return draw(st.sampled_from(({}, {"url": "https://x.example/"})))


def _object(draw: DrawFn, schema: dict[str, Any], depth: int, numbers: Iterator[int]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if properties.get("type", {}).get("enum") == ["text"]:
        made: dict[str, Any] = {"type": "text", "text": f"{draw(_AROUND)}w{next(numbers)}x{draw(_AROUND)}"}
        if "items" in (marks := properties["marks"]) and draw(st.booleans()):
            made["marks"] = _array(draw, marks, depth, numbers)
        return made
    made = {}
    for name, part in properties.items():
        is_needed = name in schema.get("required", ())
        if is_needed or (_depth(json.dumps(part)) < depth and (name == "content" or draw(st.booleans()))):
            made[name] = _value(draw, part, depth - 1, numbers)
    return made


def _array(draw: DrawFn, schema: dict[str, Any], depth: int, numbers: Iterator[int]) -> list[Any]:
    items, least = schema.get("items", {}), schema.get("minItems", 0)
    most = min(schema.get("maxItems", _MOST), max(_MOST, least))
    size = draw(st.integers(least, most if items else 0))
    if isinstance(items, list):
        return [_value(draw, part, depth, numbers) for part in items[:size]]
    return [_value(draw, items, depth, numbers) for _ in range(size)]


def _key_depth(schema: dict[str, Any]) -> int:
    return _depth(json.dumps(schema))


@cache
def _depth(schema: str, within: frozenset[str] = frozenset()) -> int:
    """Return how many objects at least stand in each other in what a schema describes."""
    part = json.loads(schema)
    if schema in within:
        return 99
    within |= {schema}
    part = resolved(part)
    if "anyOf" in part:
        return min(_depth(json.dumps(option), within) for option in part["anyOf"])
    if part.get("type") == "array":
        items = part.get("items", {})
        parts = items if isinstance(items, list) else [items]
        least = part.get("minItems", 0)
        return (
            max((_depth(json.dumps(item), within) for item in parts[: max(least, 1)]), default=0)
            if least
            else 0
        )
    if part.get("type") != "object":
        return 0
    needed = (part["properties"][name] for name in part.get("required", ()) if name in part["properties"])
    return 1 + max((_depth(json.dumps(value), within) for value in needed), default=0)
