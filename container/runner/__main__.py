"""`python -m runner`: the session of a task, whose repository is on GitHub."""

from __future__ import annotations

import os
import sys

from runner.clock import CLOCK, Clock
from runner.composition import prepare
from runner.settings import Settings
from runner.task import run


def main(clock: Clock = CLOCK) -> int:
    """Run the session that the task's environment names.

    Returns:
        The exit code, see `runner.exit_codes`.
    """
    return run(lambda: Settings.read(os.environ), prepare, clock)


if __name__ == "__main__":
    sys.exit(main())
