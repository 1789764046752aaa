"""TCP to other machines and to other users' servers, with every option that could lead there."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .base import ARM, ATTEMPTS, FAST_OPEN, SECONDS, attempt, call, connects, libc, need, sendmmsg, v4

if TYPE_CHECKING:
    from collections.abc import Callable


TCP: dict[str, tuple[int, str, int | str]] = {
    "public": (socket.AF_INET, "{public}", 443),
    "public_by_plain_http": (socket.AF_INET, "{public}", 80),
    "public_v6": (socket.AF_INET6, "{public6}", 443),
    "metadata": (socket.AF_INET, "169.254.170.2", 80),
    "instance_metadata": (socket.AF_INET, "169.254.169.254", 80),
    "router": (socket.AF_INET, "{router}", 80),
    "nameserver": (socket.AF_INET, "{router}", 53),
    "own_address": (socket.AF_INET, "{own}", "{root_tcp}"),
    "own_address_v6": (socket.AF_INET6, "{own6}", "{root_tcp}"),
    "mapped": (socket.AF_INET6, "::ffff:{public}", 443),
    "compatible": (socket.AF_INET6, "::{public}", 443),
    "nat64": (socket.AF_INET6, "64:ff9b::{public}", 443),
    "link_local_v6": (socket.AF_INET6, "fe80::1", 443),
    "broadcast": (socket.AF_INET, "255.255.255.255", 443),
    "multicast": (socket.AF_INET, "224.0.0.251", 443),
    "reserved": (socket.AF_INET, "240.0.0.1", 443),
    "root_s_server": (socket.AF_INET, "127.0.0.1", "{root_tcp}"),
    "root_s_server_elsewhere_on_loopback": (socket.AF_INET, "127.77.0.1", "{root_tcp}"),
    "root_s_server_unspecified": (socket.AF_INET, "0.0.0.0", "{root_tcp}"),  # noqa: S104 - to be refused
    "root_s_server_v6": (socket.AF_INET6, "::1", "{root_tcp}"),
    "root_s_server_v6_unspecified": (socket.AF_INET6, "::", "{root_tcp}"),
    "root_s_server_mapped": (socket.AF_INET6, "::ffff:127.0.0.1", "{root_tcp}"),
}


def _tcp(family: int, host: str, port: int | str) -> Callable[[dict[str, Any]], object]:
    return lambda places: connects(family, host.format(**places), int(str(port).format(**places)))


for _name, (_family, _host, _port) in TCP.items():
    ATTEMPTS[f"tcp_to_{_name}"] = _tcp(_family, _host, _port)


@attempt("tcp_without_waiting")
def _(places: dict[str, Any]) -> None:
    client = socket.socket()
    client.setblocking(False)  # noqa: FBT003 - the standard library's argument
    need(client.connect_ex((places["public"], 443)) == errno.EINPROGRESS)


@attempt("tcp_from_own_address")
def _(places: dict[str, Any]) -> None:
    client = socket.socket()
    client.settimeout(SECONDS)
    client.bind((places["own"], 0))
    client.connect((places["public"], 443))


@attempt("tcp_after_dissolving")
def _(places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.socket()
        client.connect(server.getsockname())
        libc.connect(client.fileno(), bytes(16), 16)
        client.settimeout(SECONDS)
        client.connect((places["public"], 443))


@attempt("tcp_with_an_accepted_socket")
def _(places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        libc.connect(accepted.fileno(), bytes(16), 16)
        accepted.settimeout(SECONDS)
        accepted.connect((places["public"], 443))


@attempt("tcp_with_a_listening_socket")
def _(places: dict[str, Any]) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    server.shutdown(socket.SHUT_RDWR)
    server.settimeout(SECONDS)
    server.connect((places["public"], 443))


@attempt("tcp_over_a_descriptor_that_was_passed")
def _(places: dict[str, Any]) -> None:
    here, there = socket.socketpair()
    if not os.fork():
        made = socket.socket()
        socket.send_fds(there, [b"x"], [made.fileno()])
        os._exit(0)
    _, [descriptor], _, _ = socket.recv_fds(here, 1, 1)
    client = socket.socket(fileno=descriptor)
    client.settimeout(SECONDS)
    client.connect((places["public"], 443))


@attempt("tcp_in_a_thread")
def _(places: dict[str, Any]) -> None:
    done = []

    def connect() -> None:
        connects(socket.AF_INET, places["public"], 443)
        done.append(True)

    thread = threading.Thread(target=connect)
    threading.excepthook = lambda _: None
    thread.start()
    thread.join()
    need(done)


@attempt("tcp_as_an_orphan")
def _(places: dict[str, Any]) -> None:
    reading, writing = os.pipe()
    if not os.fork():
        if not os.fork():
            os.setsid()
            try:
                connects(socket.AF_INET, places["public"], 443)
                os.write(writing, b"1")
            finally:
                os._exit(0)
        os._exit(0)
    os.close(writing)
    need(os.read(reading, 1))


@attempt("tcp_by_the_bare_system_calls")
def _(places: dict[str, Any]) -> None:
    made = call(198 if ARM else 41, socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack(
        "=H2s4s8x", socket.AF_INET, (443).to_bytes(2, "big"), socket.inet_aton(places["public"])
    )
    call(203 if ARM else 42, made, address, len(address))


@attempt("tcp_with_junk_above_the_arguments")
def _(places: dict[str, Any]) -> None:
    above = 0xABCD << 32
    made = call(198 if ARM else 41, ctypes.c_long(above | 2), ctypes.c_long(above | 1), ctypes.c_long(above))
    address = struct.pack(
        "=H2s4s8x", socket.AF_INET, (443).to_bytes(2, "big"), socket.inet_aton(places["public"])
    )
    call(203 if ARM else 42, ctypes.c_long(above | made), address, ctypes.c_long(above | 16))


@attempt("tcp_with_a_longer_address")
def _(places: dict[str, Any]) -> None:
    made = socket.socket()
    made.settimeout(SECONDS)
    address = struct.pack(
        "=H2s4s8x", socket.AF_INET, (443).to_bytes(2, "big"), socket.inet_aton(places["public"])
    )
    need(libc.connect(made.fileno(), address + bytes(112), 128) == 0)


OPTIONS: dict[str, tuple[int, int, Any]] = {
    "unbinding": (socket.SOL_SOCKET, 25, b""),
    "another_device": (socket.SOL_SOCKET, 25, b"eth0\0"),
    "another_device_by_number": (socket.SOL_SOCKET, 62, "{device}"),
    "no_device_by_number": (socket.SOL_SOCKET, 62, "0"),
    "a_mark": (socket.SOL_SOCKET, 36, "1"),
    "unicast_device": (socket.IPPROTO_IP, 50, "{device_in_network_order}"),
    "packet_info": (socket.IPPROTO_IP, 8, "1"),
    "no_routing": (socket.SOL_SOCKET, 5, "1"),
    "free_binding": (socket.IPPROTO_IP, 15, "1"),
    "transparency": (socket.IPPROTO_IP, 19, "1"),
    "loose_source_route": (socket.IPPROTO_IP, 4, b"\x83\x07\x04\x5d\xb8\xd7\x0e\x00"),
    "strict_source_route": (socket.IPPROTO_IP, 4, b"\x89\x07\x04\x5d\xb8\xd7\x0e\x00"),
    "fast_open": (socket.IPPROTO_TCP, 30, "1"),
    "repair": (socket.IPPROTO_TCP, 19, "1"),
    "another_protocol_above": (socket.IPPROTO_TCP, 31, b"smc\0"),
    "encryption_by_the_kernel": (socket.IPPROTO_TCP, 31, b"tls\0"),
    "zero_copy": (socket.SOL_SOCKET, 60, "1"),
    "reuse_of_ports": (socket.SOL_SOCKET, 15, "1"),
}


def _with_option(level: int, name: int, value: Any) -> Callable[[dict[str, Any]], object]:
    def connect(places: dict[str, Any]) -> None:
        client = socket.socket()
        given = value if isinstance(value, bytes) else int(value.format(**places))
        with suppress(OSError):
            client.setsockopt(level, name, given)
        client.settimeout(SECONDS)
        client.connect((places["public"], 443))

    return connect


for _name, _option in OPTIONS.items():
    ATTEMPTS[f"tcp_with_{_name}"] = _with_option(*_option)


@attempt("tcp_v6_that_becomes_v4")
def _(places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.socket(socket.AF_INET6)
        client.connect(("::ffff:127.0.0.1", server.getsockname()[1]))
        client.setsockopt(socket.IPPROTO_IPV6, 1, socket.AF_INET)
        libc.connect(client.fileno(), bytes(16), 16)
        v4 = socket.socket(socket.AF_INET, fileno=os.dup(client.fileno()))
        v4.settimeout(SECONDS)
        v4.connect((places["public"], 443))


for _name, _flags in {"sendto": FAST_OPEN, "sendto_without_waiting": FAST_OPEN | 0x40}.items():

    def _fast(places: dict[str, Any], flags: int = _flags) -> None:
        client = socket.socket()
        client.settimeout(SECONDS)
        try:
            client.sendto(b"secret", flags, (places["public"], 443))
        except BlockingIOError:
            return

    ATTEMPTS[f"fast_open_by_{_name}"] = _fast


@attempt("fast_open_by_sendmsg")
def _(places: dict[str, Any]) -> None:
    client = socket.socket()
    client.settimeout(SECONDS)
    client.sendmsg([b"secret"], [], FAST_OPEN, (places["public"], 443))


@attempt("fast_open_by_sendmmsg")
def _(places: dict[str, Any]) -> None:
    with socket.socket() as client:
        sendmmsg(client.fileno(), v4(places["public"], 443), b"secret", FAST_OPEN | 0x40)
