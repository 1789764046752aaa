"""The filter, a program of classic BPF: all calls pass but those that make sockets, or lead them elsewhere.

What it decides by are numbers in registers. Nothing that a pointer leads to is looked at here: it could
change after the look.
"""

from __future__ import annotations

import errno
import socket
import struct

from runner.egress.kernel import (
    FLAG_NEW_LISTENER,
    RETURN_ALLOW,
    RETURN_ERRNO,
    RETURN_NOTIFY,
    Architecture,
)

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand (`linux/filter.h`)."""

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
# Offsets in `struct seccomp_data`; arguments have 64 bits, the lower half first on both architectures.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
_MSG_FASTOPEN = 0x20000000
_KIND_WITHOUT_FLAGS = 0xF

_REFUSED_OPTIONS = {
    # freebind, transparent; joining multicast groups, for which the kernel sends reports.
    socket.IPPROTO_IP: (15, 19, 35, 39, 41, 42, 46, 48),
    socket.IPPROTO_IPV6: (20, 27, 42, 46, 48, 75, 78),
    # Fast open connects without connect(2); upper-layer protocols (SMC) can leave for another transport.
    socket.IPPROTO_TCP: (30, 31),
}


def build(architecture: Architecture, *, is_shared: bool) -> list[Instruction]:
    """Return the program.

    Args:
        is_shared: other users have servers on this machine: Unix datagrams, which could reach theirs and
            whose receiver cannot be checked, are refused.
    """
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        *_refuse(errno.ENOSYS),  # calls of another architecture: int 0x80, AArch32
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        *_refuse(errno.ENOSYS),
    ]
    for name, block in _blocks(is_shared=is_shared).items():
        program += [(_EQUAL, 0, len(block), architecture.calls[name]), *block]
    return [*program, (_RETURN, 0, 0, RETURN_ALLOW)]


def pack(program: list[Instruction]) -> bytes:
    """Return the program as the kernel reads it."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _blocks(*, is_shared: bool) -> dict[str, list[Instruction]]:
    """Return what becomes of each call that is looked at; each block ends with an answer."""
    datagrams = [
        _argument(1),
        (_AND, 0, 0, _KIND_WITHOUT_FLAGS),
        *_when(socket.SOCK_DGRAM, RETURN_ERRNO | errno.EPROTONOSUPPORT),
        # Among Unix sockets it is another name of the same.
        *_when(socket.SOCK_RAW, RETURN_ERRNO | errno.EPROTONOSUPPORT),
    ]
    unix = [*(datagrams if is_shared else []), (_RETURN, 0, 0, RETURN_ALLOW)]
    return {
        "socket": [
            _argument(0),
            *_when(socket.AF_INET, RETURN_NOTIFY),
            *_when(socket.AF_INET6, RETURN_NOTIFY),
            (_EQUAL, 0, len(unix), socket.AF_UNIX),
            *unix,
            (_EQUAL, 1, 0, socket.AF_NETLINK),
            *_refuse(errno.EAFNOSUPPORT),
            _argument(2),
            # Names of interfaces; to change any takes a capability.
            *_when(0, RETURN_ALLOW),
            *_refuse(errno.EPROTONOSUPPORT),
        ],
        "socketpair": [_argument(0), (_EQUAL, 1, 0, socket.AF_UNIX), *_refuse(errno.EAFNOSUPPORT), *unix],
        "connect": [(_RETURN, 0, 0, RETURN_NOTIFY)],
        # With this flag they connect.
        "sendto": [
            *_unless_bit(3, _MSG_FASTOPEN, errno.EOPNOTSUPP)[:-1],
            # Without an address it is send(2), which everything calls all the time.
            _argument(4),
            (_EQUAL, 0, 3, 0),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * 4 + 4),
            *_when(0, RETURN_ALLOW),
            (_RETURN, 0, 0, RETURN_NOTIFY),
        ],
        "sendmsg": _unless_bit(2, _MSG_FASTOPEN, errno.EOPNOTSUPP),
        "sendmmsg": _unless_bit(3, _MSG_FASTOPEN, errno.EOPNOTSUPP),
        "setsockopt": _options(),
        # One's own listener could let calls pass that ours was asked about, once ours is gone.
        "seccomp": _unless_bit(1, FLAG_NEW_LISTENER, errno.EBUSY),
        # Keys of the type dns_resolver make the kernel ask, on behalf of whoever adds one.
        **dict.fromkeys(("add_key", "request_key", "keyctl", "bpf"), _refuse(errno.ENOSYS)),
        # Its operations pass no filter.
        **dict.fromkeys(
            ("io_uring_setup", "io_uring_enter", "io_uring_register"),
            _refuse(errno.ENOSYS),
        ),
    }


def _refuse(error: int) -> list[Instruction]:
    return [(_RETURN, 0, 0, RETURN_ERRNO | error)]


def _argument(index: int) -> Instruction:
    """Load the lower half of an argument: the kernel takes these as int, so the upper half does not count."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _when(value: int, action: int) -> list[Instruction]:
    return [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, action)]


def _unless_bit(index: int, bit: int, error: int) -> list[Instruction]:
    return [_argument(index), (_ANY_BIT, 0, 1, bit), *_refuse(error), (_RETURN, 0, 0, RETURN_ALLOW)]


def _options() -> list[Instruction]:
    program: list[Instruction] = []
    for level, names in _REFUSED_OPTIONS.items():
        block = [_argument(2)]
        for name in names:
            block += _when(name, RETURN_ERRNO | errno.EPERM)
        block.append((_RETURN, 0, 0, RETURN_ALLOW))
        program += [_argument(1), (_EQUAL, 0, len(block), level), *block]
    return [*program, (_RETURN, 0, 0, RETURN_ALLOW)]
