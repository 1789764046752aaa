"""How long an edit takes to be live in the local stack while `make watch` runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from local.edits import DEFINITION
from local.layout import ROOT
from tests.benchmarks.figures import Figure, Mark, Section, median
from tests.benchmarks.session import NotMeasuredError, running_stack

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 5
_MARK = Mark(5)
_EDITS = (
    (
        "function, and the machine that names its version",
        ROOT / "functions/pullwright/log.py",
        "live functions",
    ),
    ("state machine", DEFINITION, "live state machine"),
    ("runner", ROOT / "container/runner/disk.py", "live runner"),
)


def measure(say: Callable[[str], None]) -> Section:
    """Measure on the stack that is up, or on one that is started for it.

    Raises:
        NotMeasuredError: no stack came up, or an edit was not published.
    """
    with running_stack(say) as stack:
        figures = _measured(Path(stack.described["log_dir"]).parent, say)
    return Section(
        "Edit",
        f"`make watch` on the local stack: {_ROUNDS} times each, a file is saved as it was, and the seconds "
        "count until its versions are live. The first edit of a function compiles the packages once, and is "
        "not counted.",
        figures,
    )


def _measured(folder: Path, say: Callable[[str], None]) -> tuple[Figure, ...]:
    watching = subprocess.Popen(
        # A job in a shell's background would not hear Ctrl-C.
        ["env", "--default-signal=INT", sys.executable, "-m", "local", "watch"],
        cwd=ROOT,
        env={**os.environ, "PULLWRIGHT_LOCAL": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output = watching.stdout
        if output is None:
            raise NotMeasuredError("`local watch` has no output")
        _read_until(output, "Watching")
        _edit(output, *_EDITS[0][1:])
        figures = []
        for name, path, words in _EDITS:
            say(f"edits: {name}")
            seconds = [_edit(output, path, words) for _ in range(_ROUNDS)]
            figures.append(median(name, seconds, "s", mark=_MARK))
        return tuple(figures)
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait()


def _edit(output: IO[str], path: Path, words: str) -> float:
    # What belongs to the edit before has been read by then.
    time.sleep(1)
    began = time.monotonic()
    path.touch()
    _read_until(output, words)
    return time.monotonic() - began


def _read_until(output: IO[str], words: str) -> None:
    said = []
    for line in output:
        said.append(line)
        if words in line:
            return
    raise NotMeasuredError(f"`local watch` ended: {''.join(said).strip()[-500:]}")
