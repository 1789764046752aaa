"""What attempts have in common: how they are registered, and how they fail."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS: dict[str, Callable[[dict[str, Any]], object]] = {}
libc = ctypes.CDLL(None, use_errno=True)
SECONDS = 0.6
ARM = platform.machine() == "aarch64"
FAST_OPEN = 0x20000000
UDP_LITE = 136
RACES = 400


class RefusedError(Exception):
    """The attempt had no effect."""


def attempt(name: str) -> Callable[[Callable[[dict[str, Any]], object]], Callable[[dict[str, Any]], object]]:
    """Register an attempt."""

    def register(function: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
        ATTEMPTS[name] = function
        return function

    return register


def need(condition: object) -> None:
    """Fail unless something is so."""
    if not condition:
        raise RefusedError


def call(number: int, *arguments: object) -> int:
    """Make a system call by its number."""
    result = int(libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


SCOPE = [0]
"""The device of link-local addresses."""


def connects(family: int, host: str, port: int) -> None:
    """Connect, in the ordinary way."""
    with socket.socket(family) as client:
        client.settimeout(SECONDS)
        client.connect((host, port) if family == socket.AF_INET else (host, port, 0, SCOPE[0]))


def sendmmsg(descriptor: int, address: bytes, data: bytes, flags: int) -> None:
    """Send one message with the call that sends several."""
    name, body = (
        ctypes.create_string_buffer(address, len(address)),
        ctypes.create_string_buffer(data, len(data)),
    )
    vector = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(body), len(data)), 16)
    message = struct.pack(
        "=QIxxxxQQQQixxxxIxxxx", ctypes.addressof(name), len(address), ctypes.addressof(vector), 1, 0, 0, 0, 0
    )
    call(269 if ARM else 307, descriptor, ctypes.create_string_buffer(message, len(message)), 1, flags)


def v4(host: str, port: int) -> bytes:
    """Return an address as connect(2) takes it."""
    return struct.pack("=H2s4s8x", socket.AF_INET, port.to_bytes(2, "big"), socket.inet_aton(host))


def udp() -> socket.socket:
    """Return a UDP socket."""
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
