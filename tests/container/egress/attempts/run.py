"""Makes attempts as the agent's user, each in a process of its own.

Exit code 0: it got what it wanted. 1: it was refused. Only the standard library and these modules are read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from . import ATTEMPTS
from .base import SCOPE, RefusedError


def _make(name: str, seconds: int, places: dict[str, Any]) -> tuple[int, str]:
    """Make one attempt in a process of its own; return its exit code and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.setsid()
        os.close(reading)
        for number in (0, 1, 2):
            os.dup2(writing if number else os.open("/dev/null", os.O_RDONLY), number)
        signal.alarm(seconds)
        try:
            ATTEMPTS[name](places)
            code = 0
        except (OSError, RefusedError) as error:
            os.write(1, repr(error).encode())
            code = 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent's loop is not for this process
            os.write(1, repr(error).encode())
            code = 2
        os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    said = b""
    while piece := os.read(reading, 4096):
        said += piece
    os.close(reading)
    return os.waitstatus_to_exitcode(status), said.decode(errors="replace")[-300:]


def main() -> None:
    """Make the attempts that standard input names, one a line, with the seconds that each may take."""
    places = json.loads(sys.argv[1])
    SCOPE[0] = places["device"]
    for line in sys.stdin:
        name, seconds = line.split()
        sys.stdout.write(json.dumps(_make(name, int(seconds), places)) + "\n")
        sys.stdout.flush()
