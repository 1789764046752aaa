"""Answers the filter's questions: `python -m runner.egress.supervisor <control> <listener> <settings>`.

It makes the sockets of the caged processes, which never leave the loopback device, and checks where they
connect. When it ends, the kernel answers every further question with ENOSYS: a cage without its supervisor is
closed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import select
import signal
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.egress import kernel
from runner.egress.addresses import LONGEST, Loopback, RefusedError, UnixSocket, read_address
from runner.egress.datagrams import LONGEST as LONGEST_DATAGRAM
from runner.egress.datagrams import Datagrams
from runner.egress.identity import become, duplicate
from runner.egress.owners import tcp_servers, unix_servers
from runner.egress.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Collection

    from runner.egress.exact import Exact

_QUESTION = struct.Struct("=QIIiIQ6Q")
_QUESTION_BYTES = 80
_KINDS = {
    (socket.SOCK_STREAM, 0),
    (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    (socket.SOCK_DGRAM, 0),
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
}
_FLAGS = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
_CHECKED_FAMILIES = [
    struct.pack("=H", family) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
]
_LOWER_HALF = 0xFFFFFFFF
_KERNEL_HALF = 63
_NAME_SERVICE = 53


class Supervisor:
    """One cage's.

    Args:
        uid: user and group of the caged processes, whose servers they may connect to.
        ports: further ports of loopback, whoever serves them.
        exact: connects in a process's place, so that no address changes after it was checked. Without it,
            such a race wins a connection to another server of this machine's loopback at most.
    """

    def __init__(self, listener: int, uid: int, ports: Collection[int], exact: Exact | None) -> None:
        self._listener = listener
        self._uid = uid
        self._exact = exact
        self._adds_and_sends = True
        self._calls = {
            kernel.here().calls["socket"]: self._make_socket,
            kernel.here().calls["connect"]: self._connect,
            kernel.here().calls["sendto"]: self._send,
        }
        self._datagrams = Datagrams(uid)
        self.ports = frozenset(ports)
        self.refused = Tally()

    def serve(self, control: socket.socket) -> None:
        """Answer until the runner or the last caged process has ended."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(control, select.POLLIN)
        pending = b""
        while True:
            for descriptor, events in poll.poll():
                if descriptor == self._listener:
                    if not events & select.POLLIN:
                        poll.unregister(self._listener)  # no process is under the filter any more
                    else:
                        self._answer_one()
                elif not (piece := control.recv(1 << 16)):
                    return
                else:
                    *lines, pending = (pending + piece).split(b"\n")
                    for line in lines:
                        control.sendall(json.dumps(self._obey(json.loads(line))).encode() + b"\n")

    def _obey(self, message: dict[str, Any]) -> dict[str, Any]:
        if "ports" in message:
            self.ports = frozenset(message["ports"])
        return {"refused": self.refused.take()} if message.get("take") else {}

    def _answer_one(self) -> None:
        question = bytearray(_QUESTION_BYTES)
        try:
            fcntl.ioctl(self._listener, kernel.IOCTL_RECEIVE, question)
        except OSError:
            return  # who asked was killed or interrupted meanwhile
        number, pid, _, call, _, _, *arguments = _QUESTION.unpack_from(question)
        try:
            self._calls[call](number, pid, arguments)
        except RefusedError as error:
            self.refused.add(error.target)
            self._answer(number, error.errno or errno.EACCES)
        except OSError as error:
            self._answer(number, error.errno or errno.EACCES)
        except Exception:  # noqa: BLE001 - whatever it is, the cage stays closed and goes on
            self._answer(number, errno.EACCES)

    def _answer(self, number: int, error: int = 0, value: int = 0, flags: int = 0) -> bool:
        """Answer, and return whether anybody still waited for it."""
        try:
            fcntl.ioctl(self._listener, kernel.IOCTL_SEND, struct.pack("=QqiI", number, value, -error, flags))
        except OSError:
            return False
        return True

    def _make_socket(self, number: int, _pid: int, arguments: list[int]) -> None:
        family, kind, protocol = (argument & _LOWER_HALF for argument in arguments[:3])
        flags = kind & _FLAGS
        if (kind & ~flags, protocol) not in _KINDS:
            raise OSError(errno.EPROTONOSUPPORT, "neither TCP nor UDP")
        with socket.socket(family, kind, protocol) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
            if kind & ~flags == socket.SOCK_DGRAM:
                _make_mute(made)
                self._datagrams.keep(made)
            self._hand_over(number, made, os.O_CLOEXEC if flags & socket.SOCK_CLOEXEC else 0)

    def _hand_over(self, number: int, made: socket.socket, flags: int) -> None:
        if self._adds_and_sends:
            try:
                self._add(number, kernel.ADD_FD_AND_SEND, made, flags)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._adds_and_sends = False  # before Linux 5.14
            else:
                return
        # A signal in between leaves a descriptor with whoever asked, of a socket like any other of the cage.
        self._answer(number, value=self._add(number, 0, made, flags))

    def _add(self, number: int, flags: int, made: socket.socket, descriptor_flags: int) -> int:
        # Only for a buffer that may change does fcntl return what the kernel returned.
        request = bytearray(struct.pack("=QIIII", number, flags, made.fileno(), 0, descriptor_flags))
        return int(fcntl.ioctl(self._listener, kernel.IOCTL_ADD_FD, request))

    def _connect(self, number: int, pid: int, arguments: list[int]) -> None:
        descriptor, pointer, length = arguments[0] & _LOWER_HALF, arguments[1], arguments[2] & _LOWER_HALF
        if self._exact is None:
            file = self._check(pid, self._read_memory(number, pid, pointer, length))
            if file is not None:
                os.close(file)
            self._answer(number, flags=kernel.ANSWER_CONTINUE)
            return
        own = duplicate(pid, descriptor)
        try:
            address = self._read_memory(number, pid, pointer, length)
            file = self._check(pid, address)
        except OSError:
            os.close(own)
            raise
        self._exact.connect(own, address, file, lambda error: self._answer(number, error))

    def _send(self, number: int, pid: int, arguments: list[int]) -> None:
        """Send a datagram in the process's place; whatever else this call is made for, the kernel does."""
        descriptor, pointer, length, _, name, name_length = arguments
        address = self._read_memory(number, pid, name, name_length & _LOWER_HALF)
        target = read_address(address) if address[:2] in _CHECKED_FAMILIES else None
        if isinstance(target, Loopback):
            _refuse_names(target)
            inode = self._socket_inode(number, pid, descriptor & _LOWER_HALF)
            data = self._read_memory(number, pid, pointer, length, LONGEST_DATAGRAM)
            if self._datagrams.send(inode, target, data):
                self._answer(number, value=length)
                return
        elif isinstance(target, UnixSocket) and (file := self._check_unix(pid, target)) is not None:
            os.close(file)
        # A UDP socket of the process's own is shut for writing.
        self._answer(number, flags=kernel.ANSWER_CONTINUE)

    def _socket_inode(self, number: int, pid: int, descriptor: int) -> int:
        """Return the inode of a process's socket; 0 if it is none."""
        target = str(Path(f"/proc/{pid}/fd/{descriptor}").readlink())
        fcntl.ioctl(self._listener, kernel.IOCTL_IS_VALID, struct.pack("=Q", number))
        kind, _, inode = target.partition(":")
        return int(inode.strip("[]")) if kind == "socket" else 0

    def _read_memory(self, number: int, pid: int, pointer: int, length: int, longest: int = LONGEST) -> bytes:
        if length > longest or pointer >> _KERNEL_HALF:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            # If the question still stands, the number was that process's all the time until now.
            fcntl.ioctl(self._listener, kernel.IOCTL_IS_VALID, struct.pack("=Q", number))
            return os.pread(memory, length, pointer)
        finally:
            os.close(memory)

    def _check(self, pid: int, address: bytes) -> int | None:
        """Check an address, and return a socket's file if it names one.

        Raises:
            OSError: it may not be connected to.
        """
        target = read_address(address)
        if target is None:
            return None
        if isinstance(target, UnixSocket):
            return self._check_unix(pid, target)
        _refuse_names(target)
        if target.port not in self.ports:
            servers = tcp_servers(target.port)
            if servers != {self._uid}:
                raise (
                    RefusedError(errno.EACCES, f"localhost:{target.port}")
                    if servers
                    else ConnectionRefusedError(errno.ECONNREFUSED, "nobody listens")
                )
        return None

    def _check_unix(self, pid: int, target: UnixSocket) -> int | None:
        if target.is_abstract:
            if unix_servers(target.name) - {self._uid}:
                raise RefusedError(errno.EACCES, "an abstract socket")
            return None
        start = "root" if target.name.startswith(b"/") else "cwd"
        path = f"/proc/{pid}/{start}/".encode() + target.name
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        status = os.fstat(file)
        if stat.S_ISSOCK(status.st_mode) and status.st_uid == self._uid:
            return file
        os.close(file)
        if not stat.S_ISSOCK(status.st_mode):
            raise ConnectionRefusedError(errno.ECONNREFUSED, "no socket")
        raise RefusedError(errno.EACCES, f"unix:{target.name.decode(errors='replace')}")


def _refuse_names(target: Loopback) -> None:
    """Refuse the port of name servers: what they are asked leaves the machine.

    A container runtime may lead this port of a loopback address to its own, whoever seems to have it here.
    """
    if target.port == _NAME_SERVICE:
        raise RefusedError(errno.EACCES, f"localhost:{target.port}")


def _make_mute(made: socket.socket) -> None:
    """Let a UDP socket receive and never send.

    Sent datagrams can leave the device that their socket is bound to: IP_PKTINFO names another, and
    connect(AF_UNSPEC) forgets it.
    """
    try:
        made.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:  # what UDP says after having done it
            raise


def main() -> None:
    """Serve one cage."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    control, listener, settings = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    uid = settings["uid"]
    exact = None
    if settings["exact"]:
        # It takes as long to load as everything else here, and tasks do not need it.
        from runner.egress.exact import Exact  # noqa: PLC0415 - see above

        exact = Exact(uid)
    os.setgroups([])
    # What is imported from here on may not be readable any more.
    become(uid)
    with socket.socket(fileno=control) as ours:
        Supervisor(listener, uid, settings["ports"], exact).serve(ours)


if __name__ == "__main__":
    main()
