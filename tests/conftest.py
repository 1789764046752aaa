"""What all layers share: one summary, layer by layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

LAYERS = ("unit", "template", "statemachine", "container", "integration")
_WITHOUT_THE_STACK = tuple(f"tests/integration/{part}" for part in ("engine/", "github/", "test_launcher.py"))


class Groups(LoadScopeScheduling):  # type: ignore[misc] # xdist's classes are untyped for mypy
    """One worker for the tests that share a stack, one for the container layer, one for all others."""

    def _split_scope(self, nodeid: str) -> str:
        layer = _layer(nodeid)
        if layer == "integration":
            return "others" if nodeid.startswith(_WITHOUT_THE_STACK) else "stack"
        return "container" if layer == "container" else "others"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Share the tests between the workers."""
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the fast layers first, so that a plain mistake shows in seconds.

    With several workers the integration tests take longest and have to begin at once.
    """
    items.sort(key=lambda item: LAYERS.index(_layer(item.nodeid)))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _layer(item.nodeid) != "integration")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line per layer under pytest's own report."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            counts[_layer(report.nodeid)][outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            if duration := getattr(report, "duration", None):
                seconds[_layer(report.nodeid)] += duration
    terminalreporter.section("layers")
    for layer in (name for name in LAYERS if counts[name]):
        numbers = ", ".join(f"{number} {outcome}" for outcome, number in counts[layer].items())
        terminalreporter.write_line(f"{layer:<13} {numbers:<36} {seconds[layer]:7.1f} s")


def _layer(nodeid: str) -> str:
    return nodeid.split("/")[1]
