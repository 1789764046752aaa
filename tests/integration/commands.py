"""The command `pullwright` as a process of its own."""

from __future__ import annotations

import subprocess
import sys


def command(*arguments: str) -> list[str]:
    """Return how the command is called."""
    return [sys.executable, "-m", "pullwright_cli", *arguments]


def run(environment: dict[str, str], *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments), env=environment, input=text, check=False, capture_output=True, text=True
    )
