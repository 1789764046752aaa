"""JSON Schemas out of an OpenAPI description, and what a value lacks of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MOST = 5
_LONGEST_END = 150
_EMAIL = jsonschema_rs.Draft202012Validator({"type": "string", "format": "email"}, validate_formats=True)


class Description:
    """One OpenAPI description.

    Args:
        nulls: fields by schema, such as `head/repo`, that can be null, whatever the description says.
    """

    def __init__(self, path: Path, nulls: Mapping[str, Sequence[str]] | None = None) -> None:
        name = f"urn:{path.parent.parent.name}"
        described = json.loads(path.read_text(encoding="utf-8"))
        for schema, fields in (nulls or {}).items():
            for field in fields:
                part = described["components"]["schemas"][schema]
                for step in field.split("/"):
                    part = part["properties"][step]
                part["nullable"] = True
        self.document: dict[str, Any] = _as_json_schema(described, name)
        self._registry = jsonschema_rs.Registry(
            [(name, {"components": self.document["components"]})], draft=jsonschema_rs.Draft202012
        )
        self._name = name
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def resolve(self, part: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference within the description."""
        while (reference := part.get("$ref")) is not None:
            part = self.document
            for step in reference.removeprefix(f"{self._name}#/").split("/"):
                part = part[step.replace("~1", "/").replace("~0", "~")]
        return part

    def problems(self, key: str, schema: dict[str, Any], value: object) -> list[str]:
        """Say where a value departs from a schema of this description.

        Args:
            key: names the schema, which is prepared once.
            value: decoded JSON.
        """
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                schema, registry=self._registry, validate_formats=True, formats={"email": _is_email}
            )
        validator = self._validators[key]
        if validator.is_valid(value):
            return []
        return [
            f"{'/'.join(map(str, error.instance_path)) or 'the whole'}: {_shortened(error.message)}"
            for error, _ in zip(validator.iter_errors(value), range(_MOST), strict=False)
        ]


def _is_email(text: str) -> bool:
    """Return whether a text is an address of e-mail, as GitHub uses the word.

    Its own bots' addresses, such as `41898282+github-actions[bot]@users.noreply.github.com`
    (https://github.com/actions/checkout#push-a-commit-using-the-built-in-token), need quotes by RFC 5321:
    GitHub's description would refuse commits that GitHub shows.
    """
    return _EMAIL.is_valid(text.replace("[bot]@", "@", 1))


def _shortened(message: str) -> str:
    """Keep both ends: the message begins with the value and ends with what is wrong about it."""
    if len(message) <= 2 * _LONGEST_END:
        return message
    return f"{message[:_LONGEST_END]} … {message[-_LONGEST_END:]}"


def _as_json_schema(part: Any, name: str) -> Any:
    """Turn OpenAPI 3.0's `nullable` into JSON Schema, and make references absolute."""
    if isinstance(part, list):
        return [_as_json_schema(item, name) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _as_json_schema(value, name) for key, value in part.items()}
    if isinstance(reference := made.get("$ref"), str) and reference.startswith("#/"):
        made["$ref"] = name + reference
    if made.get("nullable") is True:
        del made["nullable"]
        return {"anyOf": [made, {"type": "null"}]}
    return made
