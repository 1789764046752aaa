"""Processes of the launcher: each leads its own group, is found again later, and is ended in parallel.

A process is identified by its id and start time, so one that got the same id later is never ended.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pullwright_engine.processes import started_at

_STARTED: list[subprocess.Popen[bytes]] = []
"""Kept, because a `Popen` that is forgotten while its process lives complains. They are to outlive us."""


@dataclass(frozen=True)
class Process:
    """A process that was started, by id and start time.

    Attributes:
        pid: its id, which is its group's too.
        started_at: as `started_at` gave it.
    """

    name: str
    pid: int
    started_at: str | None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.started_at is not None and started_at(self.pid) == self.started_at

    def as_json(self) -> dict[str, object]:
        """For `stack.json`."""
        return asdict(self)


class NotReadyError(RuntimeError):
    """A process ended or did not answer in time."""

    def __init__(self, name: str, log: Path) -> None:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:] if log.exists() else []
        super().__init__("\n".join([f"{name} did not start; the end of {log}:", *tail]))


def free_port() -> int:
    """Return a port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_on_demand(
    name: str, port: int, command: list[str], *, environment: Mapping[str, str], log: Path, cwd: Path
) -> Process:
    """Start a process that becomes a server when somebody connects to its port on loopback.

    Args:
        command: gets `--fd` with the listening socket.
    """
    with _listen(port) as listener:
        descriptor = listener.fileno()
        waiting = [sys.executable, "-S", str(Path(__file__).with_name("on_demand.py")), str(descriptor)]
        return start(name, [*waiting, *command], environment=environment, log=log, cwd=cwd, keep=[descriptor])


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off, which would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def start(
    name: str,
    command: list[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    cwd: Path,
    keep: Sequence[int] = (),
) -> Process:
    """Start a process that outlives this one.

    Args:
        keep: descriptors that it shall have too.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep,
        )
    _STARTED.append(process)
    return Process(name, process.pid, started_at(process.pid))


def wait_until(ready: Callable[[], bool], process: Process, *, log: Path, seconds: float) -> None:
    """Wait for a process to answer.

    Raises:
        NotReadyError: it ended, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not process.alive or time.monotonic() > deadline:
            raise NotReadyError(process.name, log)
        time.sleep(0.05)


def children(notes: Path) -> list[Process]:
    """Return the processes that the engine left notes about."""
    found = []
    for note in sorted(notes.glob("*.json")):
        with contextlib.suppress(ValueError, KeyError, OSError):
            entry = json.loads(note.read_text(encoding="utf-8"))
            found.append(Process(entry["kind"], entry["pid"], entry["started_at"]))
    return found


def end(processes: Iterable[Process], *, seconds: float) -> list[str]:
    """End processes, all at the same time: SIGTERM, and SIGKILL to the group of what is left.

    Returns:
        The names of those that had to be killed.
    """
    left = [process for process in processes if process.alive]
    for process in left:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [process for process in left if process.alive]
    for process in left:
        _signal(process, signal.SIGKILL)
    while any(process.alive for process in left):
        time.sleep(0.02)
    for started in _STARTED:
        started.poll()
    return [process.name for process in left]


def _signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
