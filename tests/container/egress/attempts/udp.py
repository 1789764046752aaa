"""UDP, which has many ways of sending, and what makes the kernel send."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .base import ARM, ATTEMPTS, SECONDS, attempt, call, libc, need, sendmmsg, udp, v4

if TYPE_CHECKING:
    from collections.abc import Callable


UDP: dict[str, tuple[int, str, int | str]] = {
    "public": (socket.AF_INET, "{public}", 443),
    "public_v6": (socket.AF_INET6, "{public6}", 443),
    "nameserver": (socket.AF_INET, "{router}", 53),
    "metadata": (socket.AF_INET, "169.254.170.2", 80),
    "broadcast": (socket.AF_INET, "255.255.255.255", 9),
    "subnet_s_broadcast": (socket.AF_INET, "10.99.0.255", 9),
    "multicast": (socket.AF_INET, "224.0.0.251", 5353),
    "multicast_v6": (socket.AF_INET6, "ff02::fb", 5353),
    "mapped": (socket.AF_INET6, "::ffff:{public}", 443),
    "own_address": (socket.AF_INET, "{own}", "{root_udp}"),
    "root_s_socket": (socket.AF_INET, "127.0.0.1", "{root_udp}"),
    "root_s_socket_v6": (socket.AF_INET6, "::1", "{root_udp}"),
    "root_s_socket_mapped": (socket.AF_INET6, "::ffff:127.0.0.1", "{root_udp}"),
    "root_s_socket_unspecified": (socket.AF_INET, "0.0.0.0", "{root_udp}"),  # noqa: S104 - a target
    "root_s_socket_unspecified_v6": (socket.AF_INET6, "::", "{root_udp}"),
    "root_s_socket_elsewhere_on_loopback": (socket.AF_INET, "127.9.9.9", "{root_udp}"),
    "loopback_s_broadcast": (socket.AF_INET, "127.255.255.255", "{root_udp}"),
    "stub_of_names": (socket.AF_INET, "127.0.0.53", 53),
}


def _udp(family: int, host: str, port: int | str) -> Callable[[dict[str, Any]], object]:
    def send(places: dict[str, Any]) -> None:
        sender = socket.socket(family, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(b"secret", (host.format(**places), int(str(port).format(**places))))

    return send


for _name, (_family, _host, _port) in UDP.items():
    ATTEMPTS[f"udp_to_{_name}"] = _udp(_family, _host, _port)


def _info(places: dict[str, Any]) -> tuple[int, int, bytes]:
    return (socket.IPPROTO_IP, 8, struct.pack("=i4s4s", places["device"], bytes(4), bytes(4)))


@attempt("udp_with_packet_info")
def _(places: dict[str, Any]) -> None:
    udp().sendmsg([b"secret"], [_info(places)], 0, (places["public"], 443))


@attempt("udp_with_packet_info_v6")
def _(places: dict[str, Any]) -> None:
    info = (socket.IPPROTO_IPV6, 50, bytes(16) + struct.pack("=i", places["device"]))
    sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sender.sendmsg([b"secret"], [info], 0, (places["public6"], 443))


@attempt("udp_after_dissolving")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    libc.connect(sender.fileno(), bytes(16), 16)
    sender.sendto(b"secret", (places["public"], 443))


@attempt("udp_after_dissolving_with_packet_info")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    libc.connect(sender.fileno(), bytes(16), 16)
    sender.sendmsg([b"secret"], [_info(places)], 0, (places["public"], 443))


@attempt("udp_connected")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    sender.connect((places["public"], 443))
    sender.send(b"secret")


@attempt("udp_connected_to_own_then_elsewhere")
def _(places: dict[str, Any]) -> None:
    with udp() as receiver:
        receiver.bind(("127.0.0.1", 0))
        sender = udp()
        libc.connect(sender.fileno(), v4("127.0.0.1", receiver.getsockname()[1]), 16)
        sender.sendto(b"secret", (places["public"], 443))


@attempt("udp_by_sendmmsg")
def _(places: dict[str, Any]) -> None:
    with udp() as sender:
        sendmmsg(sender.fileno(), v4(places["public"], 443), b"secret", 0)


@attempt("udp_by_write")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    libc.connect(sender.fileno(), v4(places["public"], 443), 16)
    os.write(sender.fileno(), b"secret")


@attempt("udp_by_writev")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    libc.connect(sender.fileno(), v4(places["public"], 443), 16)
    os.writev(sender.fileno(), [b"secret"])


@attempt("udp_by_splice")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    libc.connect(sender.fileno(), v4(places["public"], 443), 16)
    reading, writing = os.pipe()
    os.write(writing, b"secret")
    need(call(76 if ARM else 275, reading, None, sender.fileno(), None, ctypes.c_long(6), 0) == 6)


@attempt("udp_corked")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    sender.setsockopt(socket.IPPROTO_UDP, 1, 1)
    sender.sendto(b"secret", (places["public"], 443))
    sender.setsockopt(socket.IPPROTO_UDP, 1, 0)


@attempt("udp_segmented")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    sender.setsockopt(socket.IPPROTO_UDP, 103, 500)
    sender.sendto(b"s" * 1500, (places["public"], 443))


@attempt("udp_with_multicast_device")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    sender.setsockopt(
        socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), places["device"])
    )
    sender.sendto(b"secret", ("224.0.0.251", 5353))


@attempt("udp_from_own_address")
def _(places: dict[str, Any]) -> None:
    sender = udp()
    sender.bind((places["own"], 0))
    sender.sendto(b"secret", (places["public"], 443))


@attempt("udp_over_a_duplicate")
def _(places: dict[str, Any]) -> None:
    socket.socket(fileno=os.dup(udp().detach())).sendto(b"secret", (places["public"], 443))


def _group(family: int, group: str) -> bytes:
    return socket.inet_pton(family, group)


JOINS: dict[str, tuple[int, int, Callable[[int], bytes]]] = {
    "v4": (
        socket.AF_INET,
        35,
        lambda d: _group(socket.AF_INET, "224.5.5.5") + bytes(4) + struct.pack("=i", d),
    ),
    "v4_by_group": (
        *(socket.AF_INET, 42),
        lambda d: struct.pack("=IxxxxH2x4s120x", d, socket.AF_INET, _group(socket.AF_INET, "224.5.5.6")),
    ),
    "v4_by_source": (
        *(socket.AF_INET, 39),
        lambda _: b"".join(_group(socket.AF_INET, name) for name in ("224.5.5.7", "10.99.0.5", "10.99.0.1")),
    ),
    "v6": (socket.AF_INET6, 20, lambda d: _group(socket.AF_INET6, "ff02::55") + struct.pack("=i", d)),
    "v6_by_group": (
        *(socket.AF_INET6, 42),
        lambda d: struct.pack("=IxxxxH6x16s104x", d, socket.AF_INET6, _group(socket.AF_INET6, "ff02::56")),
    ),
    "v6_anycast": (socket.AF_INET6, 27, lambda d: _group(socket.AF_INET6, "fd99::99") + struct.pack("=i", d)),
}


def _join(family: int, option: int, make: Callable[[int], bytes]) -> Callable[[dict[str, Any]], object]:
    level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6

    def join(places: dict[str, Any]) -> None:
        socket.socket(family, socket.SOCK_DGRAM).setsockopt(level, option, make(places["device"]))

    return join


for _join_name, _join_arguments in JOINS.items():
    ATTEMPTS[f"multicast_join_{_join_name}"] = _join(*_join_arguments)


def _own() -> tuple[socket.socket, socket.socket]:
    """Return a receiver on loopback, and a sender that has sent to it."""
    receiver, sender = udp(), udp()
    receiver.bind(("127.0.0.1", 0))
    with suppress(OSError):
        sender.sendto(b"own", receiver.getsockname())
    return receiver, sender


@attempt("udp_to_own_then_to_public")
def _(places: dict[str, Any]) -> None:
    _receiver, sender = _own()
    sender.sendto(b"secret", (places["public"], 443))


@attempt("udp_to_own_then_by_sendmmsg")
def _(places: dict[str, Any]) -> None:
    _receiver, sender = _own()
    sendmmsg(sender.fileno(), v4(places["public"], 443), b"secret", 0)


@attempt("udp_to_own_then_dissolved")
def _(places: dict[str, Any]) -> None:
    _receiver, sender = _own()
    libc.connect(sender.fileno(), bytes(16), 16)
    sender.sendto(b"secret", (places["public"], 443))


@attempt("udp_to_own_then_connected_to_public")
def _(places: dict[str, Any]) -> None:
    _receiver, sender = _own()
    libc.connect(sender.fileno(), v4(places["public"], 443), 16)
    sender.send(b"secret")


@attempt("udp_to_own_over_a_device_of_choice")
def _(places: dict[str, Any]) -> None:
    receiver, sender = _own()
    sender.sendmsg([b"secret"], [_info(places)], 0, receiver.getsockname())


@attempt("udp_to_root_s_socket_with_packet_info")
def _(places: dict[str, Any]) -> None:
    info = (socket.IPPROTO_IP, 8, struct.pack("=i4s4s", 1, bytes(4), bytes(4)))
    _own()[1].sendmsg([b"secret"], [info], 0, ("127.0.0.1", places["root_udp"]))


@attempt("udp_to_root_s_socket_connected")
def _(places: dict[str, Any]) -> None:
    _receiver, sender = _own()
    libc.connect(sender.fileno(), v4("127.0.0.1", places["root_udp"]), 16)
    sender.send(b"secret")


@attempt("udp_to_root_s_socket_by_sendmmsg")
def _(places: dict[str, Any]) -> None:
    _receiver, sender = _own()
    sendmmsg(sender.fileno(), v4("127.0.0.1", places["root_udp"]), b"secret", 0)


@attempt("udp_to_an_address_of_no_family")
def _(places: dict[str, Any]) -> None:
    # For UDP over IPv4 the kernel takes AF_UNSPEC for AF_INET.
    address = bytes(2) + v4(places["public"], 443)[2:]
    _receiver, sender = _own()
    need(libc.sendto(sender.fileno(), b"secret", 6, 0, address, len(address)) == 6)


@attempt("udp_to_a_port_that_is_shared_with_root")
def _(places: dict[str, Any]) -> None:
    receiver, port = udp(), places["root_udp_at_one_address"]
    receiver.bind(("127.0.0.8", port))
    sender = udp()
    sender.sendto(b"secret", ("127.0.0.7", port))


@attempt("udp_to_a_stub_of_names_beside_an_own_one")
def _(_places: dict[str, Any]) -> None:
    receiver = udp()
    with suppress(OSError):
        receiver.bind(("127.0.0.1", 53))
    udp().sendto(b"secret", ("127.0.0.53", 53))


@attempt("udp_to_an_address_that_changes_under_the_check")
def _(places: dict[str, Any]) -> None:
    receiver, sender = _own()
    own, others = v4(*receiver.getsockname()), v4("127.0.0.1", places["root_udp"])
    address = ctypes.create_string_buffer(own, len(own))
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            ctypes.memmove(address, others, len(others))
            ctypes.memmove(address, own, len(own))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        deadline = time.monotonic() + SECONDS / 2
        while time.monotonic() < deadline:
            libc.sendto(sender.fileno(), b"secret", 6, 0, address, len(own))
    finally:
        stop.set()
        thread.join()
    # Root's socket answers.
    sender.settimeout(SECONDS)
    sender.recv(6)
