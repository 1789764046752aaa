"""Races and floods."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import threading
from contextlib import suppress
from typing import Any

from .base import ARM, RACES, SECONDS, attempt, connects, libc, need, udp, v4


def _race(places: dict[str, Any], first: bytes, second: bytes) -> int:
    """Change an address while connect(2) is being decided; return how often it connected to the second."""
    del places
    buffer = ctypes.create_string_buffer(first, 16)
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            ctypes.memmove(buffer, second, 16)
            ctypes.memmove(buffer, first, 16)

    thread = threading.Thread(target=change)
    thread.start()
    won = 0
    try:
        for _ in range(RACES):
            with socket.socket() as client:
                client.settimeout(SECONDS)
                if libc.connect(client.fileno(), buffer, 16) == 0:
                    won += v4(*client.getpeername())[2:8] == second[2:8]
    finally:
        stop.set()
        thread.join()
    return won


@attempt("an_address_that_changes_to_one_outside")
def _(places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        need(_race(places, v4(*server.getsockname()), v4(places["public"], 443)))


@attempt("an_address_that_changes_to_root_s")
def _(places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        need(_race(places, v4(*server.getsockname()), v4("127.0.0.1", places["root_tcp"])))


@attempt("a_descriptor_that_changes_to_a_datagram_s")
def _(places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        datagrams, spare = udp(), socket.socket()
        number = os.dup(spare.fileno())
        stop = threading.Event()

        def change() -> None:
            while not stop.is_set():
                os.dup2(datagrams.fileno(), number)
                os.dup2(spare.fileno(), number)

        thread = threading.Thread(target=change)
        thread.start()
        try:
            for _ in range(RACES):
                libc.connect(number, bytes(16), 16)
                libc.connect(number, v4(*server.getsockname()), 16)
        finally:
            stop.set()
            thread.join()
        datagrams.sendto(b"secret", (places["public"], 443))


@attempt("signals_while_a_socket_is_made")
def _(places: dict[str, Any]) -> None:
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    made = []
    for _ in range(RACES):
        try:
            made.append(socket.socket())
        except OSError:
            continue
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in range(3, 3 + 2 * RACES):
        libc.connect(number, v4(places["public"], 443), 16)
    need([one for one in made if one.getsockopt(socket.SOL_SOCKET, 25, 16) != b"lo\0"])


@attempt("a_flood_of_sockets")
def _(places: dict[str, Any]) -> None:
    made: list[socket.socket] = []
    with suppress(OSError):
        made.extend(socket.socket() for _ in range(2000))
    for one in made[-50:]:
        one.setblocking(False)  # noqa: FBT003 - the standard library's argument
        need(one.connect_ex((places["public"], 443)) == errno.EINPROGRESS)


@attempt("a_flood_of_processes")
def _(places: dict[str, Any]) -> None:
    children = []
    for _ in range(60):
        child = os.fork()
        if not child:
            try:
                connects(socket.AF_INET, places["public"], 443)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    need([child for child in children if os.waitpid(child, 0)[1] == 0])


@attempt("addresses_that_cannot_be_read")
def _(_places: dict[str, Any]) -> None:
    made = socket.socket()
    number = 203 if ARM else 42
    won = 0
    for pointer in (0, 8, 1 << 40, (1 << 64) - 4096, 1 << 63):
        for length in (0, 2, 16, 128, 1 << 20, 0xFFFFFFFF):
            won += (
                libc.syscall(
                    ctypes.c_long(number), made.fileno(), ctypes.c_void_p(pointer), ctypes.c_ulong(length)
                )
                == 0
            )
    need(won)


@attempt("connecting_what_is_no_socket")
def _(_places: dict[str, Any]) -> None:
    need(0 in [libc.connect(number, v4("127.0.0.1", 1), 16) for number in (0, 1, 2, 99, -1)])
