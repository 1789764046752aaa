"""Runners that are forked from a process which has their modules loaded: loading is half of a short session.

`python -m tests.container.loaded_runner` is that process. It asks nothing, reads no variable and starts no
thread before it forks; what becomes a runner then runs the runner's own `main`. Its `/proc/<pid>/environ` and
`cmdline` are those of the process that it was forked from, so tests in which an agent looks for secrets there
start their runners afresh.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).parents[2]
_MESSAGE_BYTES = 1 << 16
_READ = 1 << 16


class ForkedRunner:
    """One runner, held as `subprocess.Popen` holds a process.

    Args:
        clock: file that holds by how many seconds its clock is moved; None for the machine's.

    Attributes:
        returncode: None until its end was seen; negative for the signal that ended it.
    """

    def __init__(self, cwd: Path, environment: Mapping[str, str], clock: Path | None = None) -> None:
        self.returncode: int | None = None
        self._printed = bytearray()
        self._output, output = os.pipe()
        self._status, status = os.pipe()
        order = {"cwd": str(cwd), "environment": dict(environment), "clock": str(clock) if clock else None}
        server = _server()
        socket.send_fds(server, [json.dumps(order).encode()], [output, status])
        for descriptor in (output, status):
            os.close(descriptor)
        self.pid = int(server.recv(_MESSAGE_BYTES))

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return the exit code."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("runner", timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Read what it prints until nobody can print any more, and wait for its end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._output >= 0:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._output], [], [], left)[0]:
                raise subprocess.TimeoutExpired("runner", timeout or 0)
            if piece := os.read(self._output, _READ):
                self._printed += piece
            else:
                os.close(self._output)
                self._output = -1
        self.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return self._printed.decode(), None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end, as ECS does."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            with open(self._status, "rb") as stream:  # noqa: PTH123 - a descriptor
                self.returncode = int(stream.read())
        return self.returncode


@cache
def _server() -> socket.socket:
    """Start the process that forks, once for all tests of this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.container.loaded_runner", str(theirs.fileno())],
            cwd=_ROOT,
            env={"PATH": os.environ["PATH"]},
            pass_fds=[theirs.fileno()],
        )

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours


class _Order(NamedTuple):
    """A runner to become."""

    cwd: str
    environment: dict[str, str]
    clock: str | None
    output: int


def _serve(server: socket.socket) -> _Order | None:
    """Fork a runner for each order until nobody can give any.

    Returns:
        The order, in the process that becomes its runner.
    """
    awaited: dict[int, int] = {}

    def tell(*_: object) -> None:
        """Tell how runners have ended."""
        while awaited:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with open(awaited.pop(pid), "w") as stream:  # noqa: PTH123 - a descriptor
                stream.write(str(os.waitstatus_to_exitcode(status)))

    signal.signal(signal.SIGCHLD, tell)
    while True:
        message, descriptors, _, _ = socket.recv_fds(server, _MESSAGE_BYTES, 2)
        if not message:
            return None
        output, status = descriptors
        # One that ends at once must be known by then.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        else:
            awaited[pid] = status
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        if not pid:
            for descriptor in (status, *awaited.values(), server.detach()):
                os.close(descriptor)
            return _Order(**json.loads(message), output=output)
        os.close(output)
        server.send(str(pid).encode())


def _build_what_is_built_on_first_use() -> None:
    """Read AWS's descriptions of its services and build validators of models: a quarter of its work."""
    import boto3  # noqa: PLC0415 - as in `_main`
    import botocore.session  # noqa: PLC0415 - as above
    from pydantic import BaseModel  # noqa: PLC0415 - as above

    # Every session of botocore makes a loader of its own, which reads them anew.
    botocore.session.create_loader = cache(botocore.session.create_loader)
    session = boto3.Session("made-up", "made-up", region_name="eu-central-1")
    for service in ("dynamodb", "s3"):
        session.client(service)
    models: list[type[BaseModel]] = [BaseModel]
    while models:
        model = models.pop()
        models += model.__subclasses__()
        if not model.__pydantic_complete__ and model.__module__.startswith(("pullwright.", "runner.")):
            model.model_rebuild()


def _main() -> NoReturn:
    # What every runner loads; nothing of it may depend on the variables that an order brings.
    from runner.__main__ import main  # noqa: PLC0415 - whoever starts the server does without
    from tests.container.moved_runner import MovedClock  # noqa: PLC0415 - as above

    _build_what_is_built_on_first_use()
    gc.freeze()
    order = _serve(socket.socket(fileno=int(sys.argv[1])))
    if order is None:
        sys.exit()
    for stream in (1, 2):
        os.dup2(order.output, stream)
    os.close(order.output)
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.cwd)
    sys.exit(main(MovedClock(Path(order.clock))) if order.clock else main())


if __name__ == "__main__":
    _main()
