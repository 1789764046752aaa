"""Processes that a part of the runner waits for itself, told apart from orphans that anybody may reap.

Whoever waits for a child that somebody else has reaped learns nothing of how it ended, and
`subprocess` then calls it a success.
"""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Start = Callable[..., subprocess.Popen[bytes]]
"""Starts a process, with the arguments of `subprocess.Popen`."""

_lock = threading.Lock()
_awaited: set[int] = set()
_services: set[int] = set()


@contextmanager
def child(
    command: Sequence[str], *, start: Start = subprocess.Popen, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that the caller waits for before the block ends."""
    # Not to be reaped between its start and its registration.
    with _lock:
        process = start(command, **options)
        _awaited.add(process.pid)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        with _lock:
            _awaited.discard(process.pid)


def wait_for(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Wait for a process's end, and return its exit code; None if it still runs.

    With a timeout, `Popen.wait` looks at intervals that grow to 50 ms. A session waits for a hundred short
    processes, one after the other.
    """
    if process.poll() is not None:
        return process.returncode
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not on Linux, or before 5.3
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return process.wait() if poll.poll(seconds * 1000) else None
    finally:
        os.close(descriptor)


def start_service(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process of the runner's own, which stays when everything else is ended."""
    with _lock:
        process = subprocess.Popen(command, **options)
        _awaited.add(process.pid)
        _services.add(process.pid)
    return process


def end_service(process: subprocess.Popen[bytes]) -> None:
    """End such a process."""
    process.kill()
    process.wait()
    with _lock:
        _awaited.discard(process.pid)
        _services.discard(process.pid)


def services() -> frozenset[int]:
    """Return the ids of the runner's own processes."""
    with _lock:
        return frozenset(_services)


def reap_orphans(pids: Iterable[int]) -> None:
    """Reap ended children that nobody waits for.

    Args:
        pids: children of this process that have ended.
    """
    with _lock:
        for pid in set(pids) - _awaited:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
