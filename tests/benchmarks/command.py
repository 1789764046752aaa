"""How long the command takes to start, beside other people's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.layout import venv_bin
from local.sam import ACCESS_KEY, SECRET_KEY
from local.stack import STACK
from tests.benchmarks.figures import Mark, Section, median
from tests.benchmarks.session import NotMeasuredError, running_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.benchmarks.figures import Figure

_BIN = Path(sys.prefix) / "bin"
_ROUNDS = 9
_HELP = Mark(250)
_LIST = Mark(600)
# Where they are installed; gh is none of this checkout's tools.
_OTHERS = (("gh", None), ("sam", venv_bin("sam") / "sam"), ("aws", _BIN / "aws"))


def measure(say: Callable[[str], None]) -> Section:
    """Measure the command on the stack that is up, or on one that is started for it.

    Raises:
        NotMeasuredError: no stack came up, or a command failed.
    """
    with running_stack(say) as stack:
        say("the command")
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": str(stack.described["endpoint_url"]),
            "AWS_DEFAULT_REGION": str(stack.described["region"]),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "PULLWRIGHT_STACK_NAME": STACK,
        }
        command = str(_BIN / "pullwright")
        figures = [
            _figure("pullwright --help", [command, "--help"], environment, _HELP),
            _figure("pullwright sessions", [command, "sessions"], environment, _LIST),
        ]
    for name, path in _OTHERS:
        found = str(path) if path is not None and path.exists() else shutil.which(name)
        if found:
            figures.append(_figure(f"{name} --version", [found, "--version"], os.environ, None))
    return Section(
        "Command",
        f"{_ROUNDS} processes each, from start to end, their output in a pipe. `sessions` asks "
        "CloudFormation once and DynamoDB four times, on the local stack. Of others, what is installed.",
        tuple(figures),
    )


def _figure(name: str, command: list[str], environment: Mapping[str, str], mark: Mark | None) -> Figure:
    taken = []
    for _ in range(_ROUNDS + 1):
        began = time.perf_counter()
        try:
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        except subprocess.CalledProcessError as error:
            raise NotMeasuredError(f"{name} ended with {error.returncode}") from error
        taken.append((time.perf_counter() - began) * 1000)
    # The first reads files that the others find in memory.
    return median(name, taken[1:], "ms", mark=mark)
