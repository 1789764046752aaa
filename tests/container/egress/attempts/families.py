"""Sockets of other families and protocols."""

from __future__ import annotations

import ctypes
import socket
from typing import Any

from .base import ARM, ATTEMPTS, UDP_LITE, attempt, call

# Each with a type that it knows, from `linux/socket.h` and the families' own pages.
FAMILIES = (
    *((3, 2), (4, 2), (5, 2), (6, 5), (8, 5), (9, 5), (15, 3), (18, 2), (19, 5), (20, 3), (21, 5), (22, 5)),
    *((23, 1), (24, 1), (26, 1), (27, 1), (28, 3), (29, 3), (30, 4), (31, 3), (32, 3), (33, 2), (34, 2)),
    *((35, 2), (36, 2), (37, 5), (39, 5), (41, 2), (42, 2), (44, 3), (45, 2), (46, 2)),
)
PROTOCOLS = {
    "raw_icmp": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "raw_anything": (socket.AF_INET, socket.SOCK_RAW, 255),
    "raw_v6": (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    "ping": (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "ping_v6": (socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6),
    "sctp": (socket.AF_INET, socket.SOCK_STREAM, 132),
    "sctp_packets": (socket.AF_INET, socket.SOCK_SEQPACKET, 132),
    "dccp": (socket.AF_INET, 6, 33),
    "mptcp": (socket.AF_INET, socket.SOCK_STREAM, 262),
    "udp_lite": (socket.AF_INET, socket.SOCK_DGRAM, UDP_LITE),
    "smc": (43, socket.SOCK_STREAM, 0),
    "packets": (socket.AF_PACKET, socket.SOCK_RAW, 0x300),
    "old_packets": (socket.AF_INET, 10, 0x300),
    "vsock": (40, socket.SOCK_STREAM, 0),
    "vsock_datagrams": (40, socket.SOCK_DGRAM, 0),
    "algorithms": (38, socket.SOCK_SEQPACKET, 0),
    **{
        f"netlink_{number}": (socket.AF_NETLINK, socket.SOCK_RAW, number)
        for number in (4, 6, 9, 12, 15, 16, 20, 21)
    },
    **{f"family_{number}": (number, kind, 0) for number, kind in FAMILIES},
}
for _name, _triple in PROTOCOLS.items():

    def _make_socket(_places: dict[str, Any], triple: tuple[int, int, int] = _triple) -> None:
        call(198 if ARM else 41, *triple)

    ATTEMPTS[f"socket_of_{_name}"] = _make_socket


@attempt("socket_pair_of_the_internet")
def _(_places: dict[str, Any]) -> None:
    call(199 if ARM else 53, socket.AF_INET, socket.SOCK_STREAM, 0, ctypes.create_string_buffer(8))
