"""Requests, answers and webhooks of the Jira stand-in, held against Atlassian's description.

Atlassian's OpenAPI document is not on npm by itself; jira.js is generated from it, and `schemas.mjs` prints
what that client knows. Webhooks of administrators have no description but the documentation's example.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs

from local.layout import TOOLS

_ERROR = 400
_FAILED = 500
_UNDESCRIBED = "/rest/webhooks/1.0/"
_EVENT = {"timestamp", "webhookEvent", "user", "issue"}


@dataclass(frozen=True)
class Operation:
    """One operation of the description.

    Attributes:
        body: names of the body's members; None where they are not described.
    """

    name: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[str]
    body: frozenset[str] | None
    answer: Any


def _described() -> dict[str, Any]:
    script = Path(__file__).with_name("schemas.mjs")
    command = ["node", str(script), str(TOOLS / "node/node_modules")]
    made = subprocess.run(
        command, env={**os.environ, "AUDIT_SCHEMAS": "true"}, capture_output=True, text=True, check=True
    )
    described: dict[str, Any] = json.loads(made.stdout)
    return described


def _validator(schema: Any) -> Any:
    return None if schema is None else jsonschema_rs.validator_for(schema)


class Jira:
    """Atlassian's description of Jira's REST API, version 3."""

    @cached_property
    def _document(self) -> dict[str, Any]:
        return _described()

    @cached_property
    def _models(self) -> dict[str, Any]:
        return {name: _validator(schema) for name, schema in self._document["models"].items()}

    @cached_property
    def _operations(self) -> list[Operation]:
        return [
            Operation(
                name=f"{it['method']} {it['path']}",
                method=it["method"],
                pattern=re.compile(re.sub(r"\{\w+\}", "[^/]+", it["path"])),
                query=frozenset(it["query"]),
                body=None if it["body"] is None else frozenset(it["body"]),
                answer=_validator(it["answer"]),
            )
            # Fixed parts first: `/project/search` is no project.
            for it in sorted(self._document["operations"], key=lambda it: it["path"].count("{"))
        ]

    def problems(self, exchange: dict[str, Any]) -> list[str]:
        """Say what is not as Atlassian describes it."""
        if exchange["kind"] == "jira webhook":
            return self._of_event(exchange["body"])
        method, path, status = exchange["method"], exchange["path"], exchange["status"]
        where = f"{method} {path} {status}"
        if status >= _FAILED:
            return [f"{where}: the stand-in failed"]
        if status >= _ERROR:
            return [f"{where}: {it}" for it in self._of_refusal(exchange)]
        if path.startswith(_UNDESCRIBED):
            return []
        found = next(
            (it for it in self._operations if it.method == method and it.pattern.fullmatch(path)), None
        )
        if found is None:
            return [f"{where}: Atlassian's document has no such operation"]
        return [f"{found.name} {status}: {it}" for it in self._of_success(found, exchange)]

    def _of_refusal(self, exchange: dict[str, Any]) -> list[str]:
        if not exchange["media_type"].startswith("application/json"):
            return []
        return _errors(self._models["ErrorCollection"], exchange["answer"])

    def _of_success(self, operation: Operation, exchange: dict[str, Any]) -> list[str]:
        found = [f"unknown query parameter {name}" for name in set(exchange["query"]) - operation.query]
        body = exchange["body"]
        if operation.body is not None and isinstance(body, dict):
            found += [f"unknown member of the body {name}" for name in set(body) - operation.body]
        if operation.answer is not None and exchange["answer"] is not None:
            found += _errors(operation.answer, exchange["answer"])
        return found

    def _of_event(self, event: dict[str, Any]) -> list[str]:
        found = [f"an event without {name}" for name in _EVENT - set(event)]
        if found:
            return found
        found += _errors(self._models["UserDetails"], event["user"])
        found += _errors(self._models["Issue"], event["issue"])
        for item in event.get("changelog", {}).get("items", []):
            found += _errors(self._models["ChangeDetails"], item)
        return [f"{event['webhookEvent']}: {it}" for it in found]


def _errors(validator: Any, value: Any) -> list[str]:
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
        for error in validator.iter_errors(value)
    ]
