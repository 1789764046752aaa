"""Writes docs/contracts.md from the models and the tree of errors.

`make docs` runs it after a change; a unit test compares.
"""

from __future__ import annotations

import argparse
import json
import sys
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullwright import errors
from pullwright.brokering.models import BrokerGrant, PreviewGrant, PreviewMessage
from pullwright.evaluation import EvaluationTask
from pullwright.models import AgentRequest, OpenedPullRequest, SessionRequest
from pullwright.previewing.exits import EXITS
from pullwright.previewing.models import PreviewRequest
from pullwright.record import SessionRecord
from pullwright.results import AgentResult, SessionUsage, Verdict
from pullwright.reviewing.models import Answer, Findings
from pullwright.workers.schema import worker_schema
from pullwright_cli import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

PAGE = Path(__file__).with_name("contracts.md")
SCHEMA = Path(__file__).with_name("worker.schema.json")
COMMANDS = Path(__file__).with_name("commands.schema.json")
HEAD = """\
# Contracts

Drawn from `functions/pullwright/models.py`, `results.py`, `reviewing/models.py`, `record.py` and `errors/` by
`make docs`. Times are ISO 8601 in UTC, money is US dollars. The execution input rejects unknown fields; what
we store ignores them.
"""
MODELS: dict[str, type[BaseModel]] = {
    "Execution input": SessionRequest,
    "Execution input of a preview": PreviewRequest,
    "`sessions/<id>/request.json`": AgentRequest,
    "`sessions/<id>/result.json`": AgentResult,
    "`sessions/<id>/usage.json`": SessionUsage,
    "What the agent of a session that only comments answers": Answer,
    "`sessions/<id>/findings.json`": Findings,
    "What OpenPullRequest answers": OpenedPullRequest,
    "What ReportOutcome answers": Verdict,
    "What the broker answers": BrokerGrant,
    "What the broker answers to a preview's task": PreviewGrant,
    "What a preview's task sends to the broker": PreviewMessage,
    "A task of an evaluation: one line of a file of tasks": EvaluationTask,
    "The session's record, `SESSION#<id>` in the table": SessionRecord,
}


def _type(schema: dict[str, Any]) -> str:
    """Return a property's type as a reader would say it."""
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[1]}`"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema['items'])}" if "items" in schema else "list of numbers"
    bounds = {
        "minimum": "≥ {}",
        "exclusiveMinimum": "> {}",
        "maximum": "≤ {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "pattern": "`{}`",
    }
    details = [
        text.format(schema[name]).replace("|", "\\|") for name, text in bounds.items() if name in schema
    ]
    return ", ".join([kind, *details])


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    yield "| field | type | default |"
    yield "|---|---|---|"
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        default = "**needed**" if name in required else f"`{field.get('default', 'see its model')}`"
        yield f"| `{name}` | {_type(field)} | {default} |"


def _models() -> Iterator[str]:
    nested: dict[str, Any] = {}
    for title, model in MODELS.items():
        schema = model.model_json_schema()
        nested |= schema.get("$defs", {})
        yield f"## {title}\n\n`{model.__name__}`: {_first_line(model)}\n"
        yield from _fields(schema)
        yield ""
    yield "## Parts of the above\n"
    for name, schema in sorted(nested.items()):
        yield f"### {name}\n"
        if "enum" in schema:
            yield f"{_type(schema)}\n"
            continue
        yield from _fields(schema)
        yield ""


def _first_line(thing: type) -> str:
    return (getdoc(thing) or "").splitlines()[0]


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "The class name is the execution's `error` and the record's `error`. The runner ends with the"
    yield "exit code; 0 is success, and with 2 the task's environment is incomplete. `pullwright run --wait`"
    yield "ends with the same codes; 2 is wrong usage, and those from 30 on are the command's own: no session"
    yield "ends with them.\n"
    yield "| error | class | exit code | when | remedy |"
    yield "|---|---|---|---|---|"
    for name, error in errors.error_classes().items():
        facts = (f"`{name}`", error.failure_class, error.exit_code, _first_line(error), error.default_remedy)
        yield f"| {' | '.join(map(str, facts))} |"


def _exits() -> Iterator[str]:
    yield "\n## Exit codes of a preview's task\n"
    yield "With what the pull request's comment says of it, unless ECS knows better. 0 is no failure where"
    yield "the preview was not needed any more.\n"
    yield "| exit code | error | what happened |"
    yield "|---|---|---|"
    for code, error in EXITS.items():
        yield f"| {code} | `{type(error).__name__}` | {error.sentence} |"


def render() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_models(), *_errors(), *_exits()]) + "\n"


def render_schema() -> str:
    """Return the JSON Schema of a worker's file."""
    return json.dumps(worker_schema(), indent=2) + "\n"


def render_commands() -> str:
    """Return the JSON Schema of what the commands print."""
    return json.dumps(documents.schema(), indent=2) + "\n"


def main() -> int:
    """Write or check the page and the schemas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page instead of comparing it")
    if parser.parse_args().write:
        PAGE.write_text(render())
        SCHEMA.write_text(render_schema())
        COMMANDS.write_text(render_commands())
        return 0
    current = (PAGE.read_text(), SCHEMA.read_text(), COMMANDS.read_text())
    if current == (render(), render_schema(), render_commands()):
        return 0
    print(f"{PAGE.name}, {SCHEMA.name} or {COMMANDS.name} is out of date: run `make docs`", file=sys.stderr)  # noqa: T201 - a command's message
    return 1


if __name__ == "__main__":
    sys.exit(main())
