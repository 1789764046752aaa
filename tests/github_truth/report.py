"""All exchanges of a test run, counted and judged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from tests.github_truth.graphql import GraphQL
from tests.github_truth.rest import Rest
from tests.github_truth.webhooks import Webhooks
from tests.jira_truth.judging import Jira

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Judge(Protocol):
    """Holds exchanges of one kind against its service's description."""

    def problems(self, exchange: dict[str, Any], /) -> list[str]:
        """Say what is not as the service describes it."""


@dataclass
class Report:
    """What a test run exchanged with the stand-in.

    Attributes:
        violations: how often each departure from a service's description was seen.
    """

    counts: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)

    @property
    def summary(self) -> str:
        """One line for the terminal."""
        met = (kind for kind in _NAMES if self.counts[kind])
        kinds = ", ".join(f"{self.counts[kind]:,} {_NAMES[kind]}" for kind in met)
        return f"{kinds}: {self.violations.total()} violations"


_NAMES = {
    "rest": "REST exchanges",
    "graphql": "GraphQL exchanges",
    "webhook": "webhooks",
    "jira": "exchanges of Jira",
    "jira webhook": "webhooks of Jira",
}
_JUDGES: dict[str, Callable[[], Judge]] = {
    "rest": Rest,
    "graphql": GraphQL,
    "webhook": Webhooks,
    "jira": Jira,
    "jira webhook": Jira,
}


@cache
def _judge(kind: str) -> Judge:
    return _JUDGES[kind]()


def judge(folder: Path) -> Report:
    """Read what the stand-ins of a run wrote down, and hold it against the services' own descriptions.

    Args:
        folder: with their files of JSON lines.
    """
    report = Report()
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                exchange = json.loads(line)
                report.counts[exchange["kind"]] += 1
                report.violations.update(_judge(exchange["kind"]).problems(exchange))
    return report
