"""Requests and answers of the REST API, held against `@octokit/openapi`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.github_truth.places import REST
from tests.github_truth.schemas import Description

_ERROR = 400
_VALIDATION = 422
# What GitHub may answer to any request, described for the operation or not; a 500 of the stand-in is not.
_ALWAYS = frozenset({301, 304, 307, 400, 401, 403, 404, 410, 415, 422, 429})
# Of outdated comments: https://github.com/github/rest-api-description/issues/5568; the description of
# webhooks, which carry the same comments, has both so. Of forks that are gone:
# https://github.com/github/rest-api-description/issues/161, https://github.com/desktop/desktop/pull/3022.
# Of issues without a text: https://github.com/github/rest-api-description/issues/1639.
_NULLS = {
    "issue": ("body_html", "body_text"),
    "pull-request-review-comment": ("position", "line"),
    "pull-request": ("head/repo",),
    "pull-request-simple": ("head/repo",),
}
_PRODUCT = frozenset({"app", "installation"})


@dataclass(frozen=True)
class Operation:
    """One operation of the description.

    Attributes:
        pattern: matches its paths; a group for each parameter.
    """

    name: str
    method: str
    pattern: re.Pattern[str]
    parameters: dict[str, dict[str, Any]]
    definition: dict[str, Any]


class Rest:
    """The description of the whole REST API."""

    def __init__(self) -> None:
        self._description = Description(REST, _NULLS)
        document = self._description.document
        # Its copy of an installation wants an account that is user and enterprise at once; the component has
        # it right, with which one installation is described.
        listed = document["paths"]["/app/installations"]["get"]["responses"]["200"]
        listed["content"]["application/json"]["schema"]["items"] = document["components"]["schemas"][
            "installation"
        ]
        self._operations = [
            self._operation(method.upper(), path, definition)
            for path, methods in self._description.document["paths"].items()
            for method, definition in methods.items()
            if method in {"get", "post", "put", "patch", "delete"}
        ]
        # Fixed parts first: `/user/repos` is none of `/user/{id}`, nor `/commits/x/check-runs` one commit.
        self._operations.sort(key=_fixed_parts, reverse=True)

    def _operation(self, method: str, path: str, definition: dict[str, Any]) -> Operation:
        parameters = [self._description.resolve(parameter) for parameter in definition.get("parameters", [])]
        # A path of a ref or a file holds slashes.
        wide = ("ref", "path", "basehead", "branch")
        pattern = re.sub(
            r"\{(\w+)\}", lambda found: "(.+)" if found[1] in wide else "([^/]+)", path.replace(".", r"\.")
        )
        return Operation(
            f"{method} {path}",
            method,
            re.compile(pattern + r"\Z"),
            {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"},
            definition,
        )

    def find(self, method: str, path: str) -> Operation | None:
        """Find the operation of a request."""
        return next(
            (
                operation
                for operation in self._operations
                if operation.method == method and operation.pattern.match(path)
            ),
            None,
        )

    def problems(self, exchange: dict[str, Any]) -> list[str]:
        """Say what is not as GitHub describes it.

        The product's own requests are checked; the tests' people also send what GitHub refuses. Answers are
        checked whoever asked.
        """
        operation = self.find(exchange["method"], exchange["path"])
        if operation is None:
            if exchange["status"] == 404:
                return []
            return [f"{exchange['method']} {exchange['path']}: GitHub has no such operation"]
        found = self._answer(operation, exchange)
        if exchange["actor"] in _PRODUCT and exchange["status"] < _ERROR:
            found += self._request(operation, exchange)
        return [f"{operation.name} {exchange['status']}: {problem}" for problem in found]

    def _request(self, operation: Operation, exchange: dict[str, Any]) -> list[str]:
        found = [
            f"query: no parameter {name}" for name in exchange["query"].keys() - operation.parameters.keys()
        ]
        for name, text in exchange["query"].items():
            if name in operation.parameters:
                schema = operation.parameters[name]["schema"]
                value = _typed(self._description.resolve(schema), text)
                key = f"{operation.name} ?{name}"
                found += [f"query {name}: {p}" for p in self._description.problems(key, schema, value)]
        body = operation.definition.get("requestBody")
        content = (body or {}).get("content", {}).get("application/json")
        if content is None:
            return found + ([] if exchange["body"] is None else ["body: GitHub takes none"])
        if exchange["body"] is None:
            return found + (["body: missing"] if body and body.get("required") else [])
        problems = self._description.problems(f"{operation.name} body", content["schema"], exchange["body"])
        return found + [f"body: {problem}" for problem in problems]

    def _answer(self, operation: Operation, exchange: dict[str, Any]) -> list[str]:
        status, answer = exchange["status"], exchange["answer"]
        described = operation.definition["responses"].get(str(status))
        if described is None:
            if status not in _ALWAYS:
                return ["answer: GitHub does not describe this status"]
            return self._error(status, answer) if status >= _ERROR else []
        content = self._description.resolve(described).get("content", {})
        if "json" not in exchange["media_type"]:
            return []
        schema = next((part["schema"] for kind, part in content.items() if "json" in kind), None)
        if schema is None:
            return [] if answer is None or status >= _ERROR else ["answer: GitHub gives no body"]
        key = f"{operation.name} {status}"
        return [f"answer: {problem}" for problem in self._description.problems(key, schema, answer)]

    def _error(self, status: int, answer: object) -> list[str]:
        name = "validation-error" if status == _VALIDATION and _has_errors(answer) else "basic-error"
        schema = self._description.document["components"]["schemas"][name]
        return [f"answer: {problem}" for problem in self._description.problems(name, schema, answer)]


def _fixed_parts(operation: Operation) -> tuple[int, int]:
    parts = operation.name.split("/")
    fixed = [part for part in parts if "{" not in part]
    return len(fixed), -len(parts)


def _has_errors(answer: object) -> bool:
    return isinstance(answer, dict) and "errors" in answer


def _typed(schema: dict[str, Any], text: str) -> object:
    kind = schema.get("type")
    if kind == "integer" and text.lstrip("-").isdecimal():
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text
