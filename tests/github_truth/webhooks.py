"""Webhooks, held against `@octokit/openapi-webhooks`."""

from __future__ import annotations

from typing import Any

from tests.github_truth.places import WEBHOOKS
from tests.github_truth.schemas import Description

# Of forks that are gone: https://github.com/atlassian/github-for-jira/pull/105.
_NULLS = {"pull-request": ("head/repo",)}


class Webhooks:
    """The description of all webhooks."""

    def __init__(self) -> None:
        self._description = Description(WEBHOOKS, _NULLS)

    def problems(self, delivery: dict[str, Any]) -> list[str]:
        """Say what is not as GitHub describes it.

        Args:
            delivery: headers and payload, as the stand-in wrote them down.
        """
        headers = {name.lower(): value for name, value in delivery["headers"].items()}
        event, action = headers.get("x-github-event", ""), delivery["body"].get("action")
        name = "-".join(part.replace("_", "-") for part in (event, action) if part)
        described = self._description.document["webhooks"].get(name)
        if described is None:
            return [f"{name}: GitHub has no such webhook"]
        definition = described["post"]
        parameters = [self._description.resolve(one) for one in definition.get("parameters", [])]
        wanted = {one["name"].lower() for one in parameters if one.get("required")}
        # The signature is computed, and left out of what is written down.
        missing = sorted(wanted - headers.keys() - {"x-hub-signature-256", "x-hub-signature"})
        found = [f"header {header} is missing" for header in missing]
        schema = definition["requestBody"]["content"]["application/json"]["schema"]
        found += self._description.problems(name, schema, delivery["body"])
        return [f"{name}: {problem}" for problem in found]
