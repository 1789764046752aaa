"""Reads the addresses that connect(2) is given, and decides which lead out of the cage by themselves."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from typing import NamedTuple

LONGEST = 128
"""`struct sockaddr_storage` has so many bytes; the kernel refuses longer ones."""
_IPV4_LENGTH, _IPV6_LENGTH = 16, 24
_MAPPED = b"\0" * 10 + b"\xff\xff"
# The kernel takes the unspecified address for its own machine's.
_UNSPECIFIED = {b"\0" * 4: "127.0.0.1", b"\0" * 16: "::1"}
_IPV6_LOOPBACK = b"\0" * 15 + b"\1"
_ANY_LOOPBACK = 127


class Loopback(NamedTuple):
    """A port of one of this machine's loopback addresses."""

    host: str
    port: int


class UnixSocket(NamedTuple):
    """A file's path, or an abstract name, which begins with a zero byte."""

    name: bytes

    @property
    def is_abstract(self) -> bool:
        """Whether no file stands for it."""
        return self.name[:1] == b"\0"


class RefusedError(OSError):
    """The address is not allowed.

    Attributes:
        target: where it leads to, for people.
    """

    def __init__(self, number: int, target: str) -> None:
        super().__init__(number, os.strerror(number))
        self.target = target


def read_address(address: bytes) -> Loopback | UnixSocket | None:
    """Read an address as the kernel does.

    Returns:
        None for AF_UNSPEC, which dissolves an existing connection.

    Raises:
        RefusedError: it leads to another machine.
        OSError: it is no address.
    """
    family = int.from_bytes(address[:2], "little")
    if family == socket.AF_UNSPEC:
        return None
    if family == socket.AF_UNIX:
        return _unix(address[2:])
    if family == socket.AF_INET and len(address) >= _IPV4_LENGTH:
        host = address[4:8]
    elif family == socket.AF_INET6 and len(address) >= _IPV6_LENGTH:
        host = address[8:24].removeprefix(_MAPPED)
    else:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    port = int.from_bytes(address[2:4], "big")
    if host in _UNSPECIFIED:
        return Loopback(_UNSPECIFIED[host], port)
    name = ipaddress.ip_address(host)
    if host == _IPV6_LOOPBACK or (len(host) == 4 and host[0] == _ANY_LOOPBACK):  # noqa: PLR2004 - bytes of IPv4
        return Loopback(str(name), port)
    raise RefusedError(errno.ENETUNREACH, f"[{name}]:{port}" if name.version == 6 else f"{name}:{port}")  # noqa: PLR2004


def _unix(name: bytes) -> UnixSocket:
    if name[:1] == b"\0":
        return UnixSocket(name)
    path = name.partition(b"\0")[0]
    if not path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return UnixSocket(path)
