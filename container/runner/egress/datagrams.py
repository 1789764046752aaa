"""Sends datagrams in a process's place, to UDP sockets of its own user on loopback.

The process's sockets stay shut for writing. What it asks for with sendto(2) is copied and checked, and leaves
from a socket of the supervisor's with the same port. The kernel lets two sockets have one port if they are
bound to different devices.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runner.egress import kernel
from runner.egress.addresses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.egress.addresses import Loopback

LONGEST = 65_507
"""Bytes of the longest datagram over IPv4."""
_MOST_UNBOUND = 16
_TABLES = ("/proc/net/udp", "/proc/net/udp6")
_DISSOLVE = bytes(16)


class _Entry(NamedTuple):
    """A bound UDP socket of this machine's."""

    host: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    user: int
    inode: int


class Datagrams:
    """Sends for the processes of one user.

    Args:
        uid: of whom sender and receivers have to be.
    """

    def __init__(self, uid: int) -> None:
        self._uid = uid
        self._unbound: dict[int, socket.socket] = {}

    def keep(self, made: socket.socket) -> None:
        """Remember a UDP socket that a process gets, to give it a port with its first datagram.

        Those that have a port by now are forgotten: it has to be free once the process closes its socket.
        """
        for inode, kept in list(self._unbound.items()):
            if kept.getsockname()[1] or len(self._unbound) >= _MOST_UNBOUND:
                self._unbound.pop(inode).close()
        self._unbound[os.fstat(made.fileno()).st_ino] = made.dup()

    def send(self, inode: int, target: Loopback, data: bytes) -> bool:
        """Send from the socket with this inode; return False if it is none that this is for.

        Raises:
            RefusedError: the receiver is somebody else's.
            OSError: it could not be sent.
        """
        if (unbound := self._unbound.pop(inode, None)) is not None:
            with unbound:
                if not unbound.getsockname()[1]:
                    unbound.bind(("", 0))
        entries = list(_bound())
        sender = next((entry for entry in entries if (entry.inode, entry.user) == (inode, self._uid)), None)
        device = next((name for _, name in socket.if_nameindex() if name != "lo"), None)
        if sender is None or device is None:
            return False
        receivers = {entry.user for entry in entries if entry.port == target.port}
        if receivers - {self._uid}:
            raise RefusedError(errno.EACCES, f"localhost:{target.port}")
        if receivers:
            _send(sender, device, target, data)
        return True


def _send(sender: _Entry, device: str, target: Loopback, data: bytes) -> None:
    receiver = ipaddress.ip_address(target.host)
    host = sender.host
    if isinstance(host, ipaddress.IPv6Address):
        host = host.ipv4_mapped or host
    if isinstance(receiver, ipaddress.IPv4Address):
        family = socket.AF_INET
        source = str(host) if host.version == receiver.version else ""
        if host.version != receiver.version and not host.is_unspecified:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
    elif isinstance(sender.host, ipaddress.IPv4Address):
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    else:
        # With another device the kernel does not bind ::1, but it chooses it as this way's source.
        family, source = socket.AF_INET6, ""
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.settimeout(0)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        made.bind((source, sender.port))
        # It forgets the device, and keeps the port. What arrives there goes on to the process: its socket is
        # bound to the device that it arrives on, which the kernel prefers.
        kernel.libc.connect(made.fileno(), _DISSOLVE, len(_DISSOLVE))
        made.sendto(data, (target.host, target.port))


def _bound() -> Iterator[_Entry]:
    """Yield every UDP socket that has a port (https://man7.org/linux/man-pages/man5/proc_net.5.html)."""
    for table in _TABLES:
        for line in Path(table).read_bytes().splitlines()[1:]:
            fields = line.split()
            host, _, port = fields[1].partition(b":")
            yield _Entry(_address(host), int(port, 16), int(fields[7]), int(fields[9]))


def _address(digits: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address in the table's form: words of 32 bits in the machine's order of bytes."""
    words = bytes.fromhex(digits.decode())
    return ipaddress.ip_address(b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4)))
