"""Real tools in the cage: they find the proxy by their own settings, and own servers by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.container.test_egress import SEPARATE, WHY_NOT

ROOT = Path(__file__).parents[2]
TOOLS = (
    *("pip install", "npm ci", "git clone", "curl", "Java"),
    *("a suite of Python's with its own server", "a suite of Node's with its own server"),
)
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


@pytest.fixture(scope="module")
def work() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Provide how every tool ended, bare and in the cage, against registries of the test's own."""
    command = [*SEPARATE, "--kill-child", sys.executable, "-m", "tests.container.egress.work", "1"]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=300
    )
    found: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_it_works_as_it_does_outside(work: dict[str, dict[str, list[dict[str, Any]]]], tool: str) -> None:
    """Nothing but the variables of the proxy is said to it."""
    if tool not in work:
        pytest.skip(f"{tool}: its program is not on this machine")
    for place in ("bare", "caged"):
        [made] = work[tool][place]
        assert made["code"] == 0, (place, made["said"])
