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

if TYPE_CHECKING:
    from pathlib import Path


class Judge(Protocol):
    """Holds exchanges of one kind against GitHub's description."""

    def problems(self, exchange: dict[str, Any], /) -> list[str]:
        """Say what is not as GitHub describes it."""


@dataclass
class Report:
    """What a test run exchanged with the stand-in.

    Attributes:
        violations: how often each departure from GitHub's description was seen.
    """

    counts: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)

    @property
    def summary(self) -> str:
        """One line for the terminal."""
        kinds = ", ".join(f"{self.counts[kind]:,} {name}" for kind, name in _NAMES.items())
        return f"{kinds}: {self.violations.total()} violations"


_NAMES = {"rest": "REST exchanges", "graphql": "GraphQL exchanges", "webhook": "webhooks"}


@cache
def _judges() -> dict[str, Judge]:
    return {"rest": Rest(), "graphql": GraphQL(), "webhook": Webhooks()}


def judge(folder: Path) -> Report:
    """Read what the stand-ins of a run wrote down, and hold it against GitHub's descriptions.

    Args:
        folder: with their files of JSON lines.
    """
    judges = _judges()
    report = Report()
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                exchange = json.loads(line)
                report.counts[exchange["kind"]] += 1
                report.violations.update(judges[exchange["kind"]].problems(exchange))
    return report
