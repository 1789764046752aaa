"""Connections of this process that something else holds."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

_WITH_PORTS = (socket.AF_INET, socket.AF_INET6)


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
    """Shut a socket down if it joins these ports."""
    end = socket.socket(fileno=number)
    try:
        # One that listens has no peer, which is an error.
        with suppress(OSError):
            if end.family in _WITH_PORTS and (end.getsockname()[1], end.getpeername()[1]) == ports:
                end.shutdown(socket.SHUT_RDWR)
    finally:
        end.detach()
