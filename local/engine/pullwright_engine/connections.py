"""Connections of this process that something else holds."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path


def hang_up(ours: int, theirs: int) -> None:
    """End the connection between two ports of this machine; the web server does not tell its sockets."""
    for file in Path("/proc/self/fd").iterdir():
        # Some are gone by now.
        with suppress(OSError):
            copy = os.dup(int(file.name))
            try:
                if stat.S_ISSOCK(os.fstat(copy).st_mode):
                    _end_if_it_is(copy, (ours, theirs))
            finally:
                os.close(copy)


def _end_if_it_is(number: int, ports: tuple[int, int]) -> None:
    """Shut a socket down if it joins these ports; what has no peer has no such ports."""
    end = socket.socket(fileno=number)
    try:
        with suppress(OSError):
            if (end.getsockname()[1], end.getpeername()[1]) == ports:
                end.shutdown(socket.SHUT_RDWR)
    finally:
        end.detach()
