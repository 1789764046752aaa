"""The attempts of the proof: a program of its own, `probe.py <places>`, that prints which of them succeed.

It runs without any module of ours, and makes itself the agent's user once it has everything loaded.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER = "reaching a server of root's on loopback"
OWN_ADDRESS = "reaching a server of root's at the task's own address"
ABSTRACT = "reaching an abstract socket of root's"
DATAGRAM = "sending a datagram"
OTHER_DEVICE = "sending a datagram over a device of one's choice"
DISCONNECTED = "sending a datagram after disconnecting its socket"
UNBOUND = "a socket that is not bound to loopback"
IO_URING = "io_uring"
LISTENER = "answering the filter's questions oneself"
VSOCK = "AF_VSOCK"
ALGORITHMS = "AF_ALG"
NETFILTER = "netlink of netfilter's"
OWN_SERVER = "a server of one's own"
PROXY = "the proxy"

_SECONDS = 5.0
_BIND_TO_DEVICE = 25
_NETFILTER = 12
_IO_URING_SETUP = 425
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_DUMPABLE, _NO_NEW_PRIVS = 4, 38
_PROXY_ANSWERS = b"HTTP/1.1 403 "


def attempts(places: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Return the attempts; one that raises OSError has failed.

    Args:
        places: ports `tcp`, `udp` and `proxy`, the address `own`, the name `abstract`; `word` is sent.
    """
    loopback = ("127.0.0.1", places["udp"])
    word = places["word"].encode()
    return {
        SERVER: lambda: _connect("127.0.0.1", places["tcp"]),
        OWN_ADDRESS: lambda: _connect(places["own"], places["tcp"]),
        ABSTRACT: lambda: _connect_abstract(places["abstract"]),
        DATAGRAM: lambda: _datagram().sendto(word, loopback),
        OTHER_DEVICE: lambda: _datagram().sendmsg(
            [word], [(socket.IPPROTO_IP, 8, struct.pack("=iII", 1, 0, 0))], 0, loopback
        ),
        DISCONNECTED: lambda: _send_disconnected(word, loopback),
        UNBOUND: _unbound,
        IO_URING: lambda: _call(_IO_URING_SETUP, 4, ctypes.create_string_buffer(120)),
        LISTENER: _listen,
        VSOCK: lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
        ALGORITHMS: lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
        NETFILTER: lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER),
        OWN_SERVER: _own_server,
        PROXY: lambda: _ask_proxy(places["proxy"]),
    }


def _connect(host: str, port: int) -> None:
    # Not by `create_connection`, whose encoding of names cannot be loaded any more.
    with socket.socket() as client:
        client.settimeout(_SECONDS)
        client.connect((host, port))


def _connect_abstract(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"\0{name}")


def _datagram() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _send_disconnected(word: bytes, place: tuple[str, int]) -> None:
    with _datagram() as sender:
        sender.connect(place)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.connect(sender.fileno(), bytes(16), 16):
            raise OSError(ctypes.get_errno(), "connect")
        sender.sendto(word, place)


def _unbound() -> None:
    with socket.socket() as made:
        if made.getsockopt(socket.SOL_SOCKET, _BIND_TO_DEVICE, 16):
            made.setsockopt(socket.SOL_SOCKET, _BIND_TO_DEVICE, b"")


def _listen() -> None:
    allow = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000))
    program = struct.pack("=H6xQ", 1, ctypes.addressof(allow))
    _call(_SECCOMP[platform.machine()], 1, 8, program)


def _call(number: int, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), *arguments) < 0:
        raise OSError(ctypes.get_errno(), "system call")


def _own_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        _connect(*server.getsockname())


def _ask_proxy(port: int) -> None:
    with socket.socket() as client:
        client.settimeout(_SECONDS)
        client.connect(("127.0.0.1", port))
        client.sendall(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")
        if not client.recv(1024).startswith(_PROXY_ANSWERS):
            raise ConnectionError


def main() -> None:
    """Make all attempts."""
    places = json.loads(sys.argv[1])
    made = attempts(places)
    uid = places["uid"]
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    libc = ctypes.CDLL(None)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    # As after the execve of a process that is started as this user: others of the user may read its memory.
    libc.prctl(_DUMPABLE, 1, 0, 0, 0)
    done = []
    for name, attempt in made.items():
        try:
            attempt()
        except OSError:
            continue
        done.append(name)
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    main()
