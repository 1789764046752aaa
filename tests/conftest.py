"""What all layers share: one summary, layer by layer."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from local.layout import TOOLS
from local.services import EXCHANGES
from tests.integration.rights import RIGHTS, judged, read_rights

# No test measures time: on a machine with much else to do, an example takes as long as it takes.
settings.register_profile("pullwright", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pullwright")

LAYERS = ("unit", "template", "statemachine", "container", "integration", "page")
_JUDGED = pytest.StashKey[list[str]]()
_RIGHTS = pytest.StashKey[list[str]]()
_MOST_VIOLATIONS = 40
# Longest first, so that all workers are busy to the end. The rest follows, each file for itself. Of two that
# fit, the longer counts: tests with a stack of their own need not wait for those that share one.
_GROUPS = (
    "tests/integration/test_faults.py",
    "tests/integration/test_",
    "tests/integration/test_r",
    "tests/integration/test_launcher.py",
    "tests/integration/test_deploy_command.py",
    "tests/integration/test_operations.py",
    "tests/integration/test_spare_capacity.py",
    "tests/container/test_escape.py",
    "tests/container/test_house_attacks.py",
    "tests/integration/engine/",
    "tests/container/test_house_rules.py",
    "tests/statemachine/",
    "tests/integration/github/",
    "tests/container/",
    "tests/unit/",
    "tests/",
)
_TOGETHER = (
    "tests/integration/test_",
    "tests/integration/test_r",
    "tests/integration/engine/",
    "tests/statemachine/",
)
"""Tests that share a stack or an engine, and so one worker. Those of the local stack are two halves by name:
all on one worker were the last to end."""


class Groups(LoadScopeScheduling):  # type: ignore[misc] # xdist's classes are untyped for mypy
    """Two workers for most tests that share a stack; the longest, and every other file, have one each."""

    def _split_scope(self, nodeid: str) -> str:
        group = _GROUPS[_rank(nodeid)]
        return group if group in _TOGETHER else nodeid.partition("::")[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the local stack's GitHub be slow: `make test LAYER=integration/test_faults.py LAG=404`."""
    parser.addoption(
        "--lag",
        type=int,
        choices=(401, 403, 404),
        help="GitHub does not know new tokens (told by this status) and new objects for 1.5 seconds",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have the GitHub stand-ins of this run write down what they are asked and what they answer."""
    # Images for CI often set it, and then each of the hundreds of processes here would compile its imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # What a shell runs in the background ignores Ctrl-C, and the commands under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()
    if not hasattr(config, "workerinput"):
        folder = TOOLS / "exchanges" / str(os.getpid())
        os.environ[EXCHANGES] = str(folder)
        os.environ[RIGHTS] = str(TOOLS / "rights" / str(os.getpid()))


def _judge_exchanges(config: pytest.Config) -> list[str]:
    """Hold what was written down against GitHub's own descriptions; return the departures."""
    folder = TOOLS / "exchanges" / str(os.getpid())
    if not folder.exists():
        return []
    # They take a second to read, which only a run with a stand-in has to spend.
    from tests.github_truth.report import judge  # noqa: PLC0415

    report = judge(folder)
    shutil.rmtree(folder)
    departures = [
        f"{times:>6} times: {violation}"
        for violation, times in report.violations.most_common(_MOST_VIOLATIONS)
    ]
    config.stash[_JUDGED] = [report.summary, *departures]
    return departures


def _judge_rights(config: pytest.Config) -> list[str]:
    """Hold all calls of the run against the policies of the roles that made them; return what is wrong."""
    folder = TOOLS / "rights" / str(os.getpid())
    if not folder.exists():
        return []
    found = read_rights(folder)
    shutil.rmtree(folder)
    wrong = judged(found, is_whole=_is_whole(config))
    summary = f"{len(found.used)} of {len(found.granted)} rights used, {len(found.refused)} calls refused"
    config.stash[_RIGHTS] = [summary, *wrong]
    return wrong


def _is_whole(config: pytest.Config) -> bool:
    """Return whether all modules that share a stack ran."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    ran = {report.nodeid.partition("::")[0] for report in reporter.stats.get("passed", [])}
    modules = (Path(__file__).parent / "integration").glob("test_*.py")
    return {f"tests/integration/{module.name}" for module in modules} <= ran


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge what the run left: a departure from a description, or from the roles' rights, fails it."""
    if hasattr(session.config, "workerinput"):
        return
    departures = [*_judge_exchanges(session.config), *_judge_rights(session.config)]
    if departures and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Share the tests between the workers."""
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the fast layers first, so that a plain mistake shows in seconds.

    With several workers the slow ones come first, so that none of them is left when all others have ended.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))
    else:
        items.sort(key=lambda item: LAYERS.index(_layer(item.nodeid)))


def pytest_collection_finish() -> None:
    """Let no search for garbage read again what all tests share; that was a seventh of the unit layer."""
    gc.freeze()
    gc.enable()


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

    for title, key in (("GitHub's and Atlassian's descriptions", _JUDGED), ("rights of the roles", _RIGHTS)):
        if (lines := terminalreporter.config.stash.get(key, None)) is not None:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line, red=lines[1:] != [])


def _rank(nodeid: str) -> int:
    return _GROUPS.index(max((group for group in _GROUPS if nodeid.startswith(group)), key=len))


def _layer(nodeid: str) -> str:
    # What fails before a test is known has no file.
    return nodeid.split("/")[1] if "/" in nodeid else ""
