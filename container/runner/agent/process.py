"""One run of a program as the agent's user, watched until it and everything it started have ended."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO, TYPE_CHECKING

from runner.children import child, wait_for
from runner.log import logger
from runner.user import User, end_group, end_leftovers, reap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.agent.input import AgentInput

GRACE_SECONDS = 8.0
_LOOK_SECONDS = 0.1
_REAP_EVERY = 50
_DRAIN_SECONDS = 5.0
_LONGEST_LINE = 16 << 20
_STDERR_LINES = 40
_SHOWN_OF_A_LINE = 2000
_SHOWN_FAILURES = 5


class Stop(Enum):
    """Why the agent was stopped before it ended."""

    TERMINATED = auto()
    OVERTIME = auto()
    OVERTURNS = auto()
    STUCK = auto()
    LOST = auto()
    DISK_FULL = auto()


ShouldStop = Callable[[], Stop | None]
"""Asked several times a second; the first answer ends what runs."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the process ended.

    Attributes:
        exit_code: negative if a signal ended it, as in `subprocess`.
        stop: why we stopped it, if we did.
    """

    exit_code: int
    stop: Stop | None
    stderr: str


def run_as_agent(
    command: Sequence[str],
    *,
    user: User,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[bytes], None],
    should_stop: ShouldStop,
    agent_input: AgentInput | None = None,
    settle: Callable[[Stop | None], None] = lambda _: None,
) -> Ended:
    """Run a program to its end.

    Args:
        on_line: called in another thread with each line of its standard output.
        agent_input: what it is told on its standard input, which is empty without it.
        settle: called when the program has ended, before every other child of this process is ended too.
    """
    last: deque[str] = deque(maxlen=_STDERR_LINES)
    with child(
        user.command(command),
        start=user.start,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.PIPE if agent_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        if agent_input and process.stdin:
            agent_input.write_to(process.stdin)
        readers = [
            _reader("agent-stdout", process.stdout, on_line),
            _reader("agent-stderr", process.stderr, lambda line: last.append(_shortened(line))),
        ]
        stop = None
        try:
            stop = _watch(process, should_stop)
        finally:
            # What the agent started in the background must not change files while they are collected.
            end_group(process.pid, signal.SIGKILL)
            process.wait()
            if agent_input:
                agent_input.end()
            settle(stop)
            if left := end_leftovers():
                logger.info("processes that the agent left were ended", count=left)
        for reader in readers:
            reader.join(_DRAIN_SECONDS)
    return Ended(process.returncode, stop, "".join(last)[-2000:])


def _shortened(line: bytes) -> str:
    return line[:_SHOWN_OF_A_LINE].decode(errors="replace")


def _watch(process: subprocess.Popen[bytes], should_stop: ShouldStop) -> Stop | None:
    looks = 0
    while process.poll() is None:
        if stop := should_stop():
            end_group(process.pid, signal.SIGTERM)
            if wait_for(process, GRACE_SECONDS) is None:
                end_group(process.pid, signal.SIGKILL)
            return stop
        looks += 1
        if looks % _REAP_EVERY == 0:
            reap()
        wait_for(process, _LOOK_SECONDS)
    return None


def _reader(name: str, stream: IO[bytes] | None, take: Callable[[bytes], None]) -> threading.Thread:
    def read() -> None:
        if stream is None:
            return
        failures = 0
        with stream:
            for line in _lines(stream):
                try:
                    take(line)
                except Exception:  # noqa: BLE001 - whatever it is, the agent must not block on a full pipe
                    failures += 1
                    if failures <= _SHOWN_FAILURES:
                        logger.exception("a line of the agent was not understood")
        if failures > _SHOWN_FAILURES:
            logger.warning("further lines of the agent were not understood", count=failures)

    thread = threading.Thread(target=read, name=name, daemon=True)
    thread.start()
    return thread


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the stream's lines; of one that is too long, the beginning."""
    is_new = True
    while piece := stream.readline(_LONGEST_LINE):
        if is_new:
            yield piece
        is_new = piece.endswith(b"\n")
