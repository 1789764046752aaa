"""The JSON Schema of a worker's file, for editors: docs/worker.schema.json is drawn from it."""

import re
from inspect import cleandoc
from typing import Any

from pullwright.workers.definition import WorkerDefinition

_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def worker_schema() -> dict[str, Any]:
    """Return the schema; what fields need of one another is checked by the reader alone."""
    schema = WorkerDefinition.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        _describe(part)
    # The file's name says it.
    schema["required"] = [name for name in schema.get("required", []) if name != "id"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A worker of Pullwright: .pullwright/workers/<id>.yaml",
        **{name: value for name, value in schema.items() if name != "title"},
    }


def _describe(part: dict[str, Any]) -> None:
    """Turn a docstring's attributes into the descriptions of the fields."""
    text, _, attributes = cleandoc(part.get("description", "")).partition("\n\nAttributes:\n")
    part["description"] = " ".join(text.split())
    meanings = {name: " ".join(meaning.split()) for name, meaning in _ATTRIBUTE.findall(attributes)}
    for name, field in part.get("properties", {}).items():
        field.pop("title", None)
        if name in meanings:
            field["description"] = meanings[name]
    part.pop("title", None)
