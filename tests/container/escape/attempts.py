"""How a list of attempts becomes a program for the agent, and what it leaves is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOLS = Path(__file__).with_name("tools.py")

# The runner is the first ancestor that belongs to root; the CLI has processes of its own in between.
PREAMBLE = """\
RUNNER=$$
while [ "$(stat -c %u /proc/$RUNNER)" = "$(id -u)" ]; do RUNNER=$(ps -o ppid= -p $RUNNER | tr -d ' '); done
WORK=$(dirname "$(dirname "$HOME")")
TOOLS=$WORK/../tools.py
LOOT=$HOME/loot
mkdir -p "$LOOT"
try() { timeout 20 sh -c "$2" > "$LOOT/$1.out" 2>&1 < /dev/null; echo $? > "$LOOT/$1.code"; }
export RUNNER WORK TOOLS
try found_runner 'tr "\\0" " " < /proc/$RUNNER/cmdline'
"""


@dataclass(frozen=True)
class Loot:
    """What came of one attempt.

    Attributes:
        code: exit code; 0 means that it got what it wanted.
    """

    code: int
    output: bytes


def program(attempts: Mapping[str, str]) -> str:
    """Return a shell program that makes all attempts, one after the other.

    Args:
        attempts: commands by name.
    """
    return PREAMBLE + "".join(f"try {name} {quote(command)}\n" for name, command in attempts.items())


def read_loot(home: Path) -> dict[str, Loot]:
    """Return what the attempts left in the agent's home, by name."""
    return {
        code.stem: Loot(int(code.read_text() or -1), code.with_suffix(".out").read_bytes())
        for code in sorted((home / "loot").glob("*.code"))
    }
