"""Numbers of the kernel's interface: system calls by architecture, ioctls and flags of seccomp.

Sources: `asm/unistd_64.h` and `asm-generic/unistd.h` for the calls, `linux/audit.h` for architectures,
`linux/seccomp.h` for the rest.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

RETURN_ALLOW = 0x7FFF0000
RETURN_NOTIFY = 0x7FC00000
RETURN_ERRNO = 0x00050000
SET_MODE_FILTER = 1
FLAG_SPEC_ALLOW = 4
FLAG_NEW_LISTENER = 8
FLAG_WAIT_KILLABLE = 32
IOCTL_RECEIVE = 0xC0502100
IOCTL_SEND = 0xC0182101
IOCTL_IS_VALID = 0x40082102
IOCTL_ADD_FD = 0xC0182103
ANSWER_CONTINUE = 1
ADD_FD_AND_SEND = 2
PR_SET_NO_NEW_PRIVS = 38
CAP_SYS_PTRACE = 19


class Architecture(NamedTuple):
    """How one architecture numbers what the filter looks at.

    Attributes:
        audit: its name in `struct seccomp_data`.
        calls: numbers of system calls.
    """

    audit: int
    calls: Mapping[str, int]


# The same everywhere since Linux 5.1.
_COMMON = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "pidfd_getfd": 438}

ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        {
            "socket": 41,
            "connect": 42,
            "sendto": 44,
            "sendmsg": 46,
            "socketpair": 53,
            "setsockopt": 54,
            "setresuid": 117,
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
            "sendmmsg": 307,
            "seccomp": 317,
            "bpf": 321,
            **_COMMON,
        },
    ),
    "aarch64": Architecture(
        0xC00000B7,
        {
            "setresuid": 147,
            "socket": 198,
            "socketpair": 199,
            "connect": 203,
            "sendto": 206,
            "setsockopt": 208,
            "sendmsg": 211,
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
            "sendmmsg": 269,
            "seccomp": 277,
            "bpf": 280,
            **_COMMON,
        },
    ),
}

libc = ctypes.CDLL(None, use_errno=True)


def here() -> Architecture:
    """Return this machine's architecture.

    Raises:
        OSError: there is no filter for it.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(f"there is no filter for the architecture {machine}")
    return ARCHITECTURES[machine]


def call(name: str, *arguments: object) -> int:
    """Make a system call that neither Python nor an older libc has.

    Raises:
        OSError: the kernel refused it.
    """
    result = int(libc.syscall(ctypes.c_long(here().calls[name]), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
