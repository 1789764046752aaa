"""How the runner talks to the two processes of the cage: a line of JSON each way, over a socket pair."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from runner.children import end_service, start_service

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = 5.0


class ServiceEndedError(Exception):
    """The process does not answer any more."""


class Service:
    """A process of the cage, as the runner holds it.

    Args:
        module: started as a program, with the descriptor of its end of the socket pair, then these arguments.
        prefix: a program that starts it, with its arguments.
        pass_fds: descriptors that it inherits under their numbers.
    """

    def __init__(
        self, module: str, *arguments: object, prefix: Sequence[str] = (), pass_fds: Sequence[int] = ()
    ) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_SECONDS)
        self._lines = self._socket.makefile("rb")
        with theirs:
            self._process = start_service(
                [*prefix, sys.executable, "-P", "-m", module, str(theirs.fileno()), *map(str, arguments)],
                pass_fds=[theirs.fileno(), *pass_fds],
                stdin=subprocess.DEVNULL,
            )

    def ask(self, **message: Any) -> dict[str, Any]:
        """Send a message and return the answer.

        Raises:
            ServiceEndedError: there is none.
        """
        with self._lock:
            try:
                self._socket.sendall(json.dumps(message).encode() + b"\n")
                line = self._lines.readline()
            except OSError as error:
                raise ServiceEndedError from error
        if not line:
            raise ServiceEndedError
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._lines.close()
        self._socket.close()
        end_service(self._process)
