"""Connects in a process's place, with an address that the process cannot change any more.

For machines whose loopback serves others too. It needs CAP_SYS_PTRACE, to duplicate the process's descriptor.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.egress import kernel
from runner.egress.identity import become

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_WAITING = 256
_MOST_KNOWN = 1024
_UNCHANGED = ctypes.c_long(-1)
_UNIX = struct.pack("=H", socket.AF_UNIX)
_CREDENTIALS = struct.Struct("=iii")


class Exact:
    """Connects as a user."""

    def __init__(self, uid: int) -> None:
        self._uid = uid
        self._waiting = ThreadPoolExecutor(_MOST_WAITING, "connect", lambda: become(uid))
        self._known: dict[int, tuple[bytes, Future[int]]] = {}

    def connect(self, own: int, address: bytes, file: int | None, answer: Callable[[int], bool]) -> None:
        """Connect a duplicate of a process's descriptor; in another thread if that may take a while.

        A signal can end the process's call before it is answered. The call is then made again, and gets the
        first one's result.

        Args:
            own: the duplicate; closed here.
            file: in the place of a path in the address; closed here.
            answer: told the error's number; returns whether anybody still waited for it.
        """
        inode = os.fstat(own).st_ino
        known, result = self._known.get(inode, (None, None))
        if result is None or known != address:
            result = self._begin(own, address, file)
            self._known[inode] = address, result
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        else:
            _close(own, file)

        def tell(done: Future[int]) -> None:
            if answer(done.result()):
                self._known.pop(inode, None)

        result.add_done_callback(tell)

    def _begin(self, own: int, address: bytes, file: int | None) -> Future[int]:
        done: Future[int] = Future()
        if not os.get_blocking(own):
            done.set_result(self._perform(own, address, file))
            return done
        # To wake a thread takes longer than most connections.
        if address[:2] == _UNIX or (error := _connect_at_once(own, address)) is None:
            return self._waiting.submit(self._perform, own, address, file)
        _close(own, file)
        done.set_result(error)
        return done

    def _perform(self, own: int, address: bytes, file: int | None) -> int:
        try:
            if address[:2] != _UNIX:
                return _connect(own, address)
            if file is not None:
                address = _UNIX + b"/proc/self/fd/%d\0" % file
            return self._connect_unix(own, address)
        except OSError as error:
            return error.errno or errno.EACCES
        finally:
            _close(own, file)

    def _connect_unix(self, own: int, address: bytes) -> int:
        # Of this thread alone: the server sees who connects.
        kernel.call("setresuid", _UNCHANGED, ctypes.c_long(self._uid), _UNCHANGED)
        try:
            if error := _connect(own, address):
                return error
        finally:
            kernel.call("setresuid", _UNCHANGED, ctypes.c_long(0), _UNCHANGED)
            become(self._uid)
        with socket.socket(fileno=os.dup(own)) as connected:
            if connected.type == socket.SOCK_DGRAM:
                return 0
            peer = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            if _CREDENTIALS.unpack(peer)[1] == self._uid:
                return 0
            connected.shutdown(socket.SHUT_RDWR)
        return errno.EACCES


def _connect(own: int, address: bytes) -> int:
    """Return the error's number, 0 without one."""
    return ctypes.get_errno() if kernel.libc.connect(own, address, len(address)) else 0


def _connect_at_once(own: int, address: bytes) -> int | None:
    """Return the error's number; None if the connection is still being made, which a further call waits for.

    (https://man7.org/linux/man-pages/man2/connect.2.html, EINPROGRESS and EALREADY)
    """
    try:
        os.set_blocking(own, False)
        try:
            error = _connect(own, address)
            if error == errno.EINPROGRESS:
                error = _connect(own, address)
        finally:
            os.set_blocking(own, True)
    except OSError as refusal:  # a descriptor that is only a path's
        error = refusal.errno or errno.EACCES
    return None if error == errno.EALREADY else error


def _close(*files: int | None) -> None:
    for file in files:
        if file is not None:
            with suppress(OSError):
                os.close(file)
