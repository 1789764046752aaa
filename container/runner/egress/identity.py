"""What the processes of the cage are to the kernel, and what they may."""

from __future__ import annotations

import os
from pathlib import Path

from runner.egress import kernel

NOBODY = 65_534
"""The user that nothing belongs to (https://man7.org/linux/man-pages/man7/user_namespaces.7.html)."""


def drop_to(uid: int) -> None:
    """Give up root for good. What is imported afterwards may not be readable any more."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.libc.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def become(uid: int) -> None:
    """Let files and sockets that this thread makes be a user's, and let it reach what that user reaches.

    Only the ids for file systems change: the user can neither signal nor trace the process.
    """
    kernel.libc.setfsgid(uid)
    kernel.libc.setfsuid(uid)


def may_duplicate() -> bool:
    """Return whether descriptors of other users' processes may be duplicated here."""
    for line in Path("/proc/self/status").read_bytes().splitlines():
        if line.startswith(b"CapEff:") and not int(line.split()[1], 16) >> kernel.CAP_SYS_PTRACE & 1:
            return False
    try:
        os.close(duplicate(os.getpid(), 0))
    except OSError:
        return False
    return True


def duplicate(pid: int, descriptor: int) -> int:
    """Return a copy of a process's descriptor.

    Args:
        pid: of the process, or of one of its threads.

    Raises:
        OSError: there is none, or it may not be copied.
    """
    process = _open_process(pid)
    try:
        return kernel.call("pidfd_getfd", process, descriptor, 0)
    finally:
        os.close(process)


def _open_process(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:  # it is the number of a thread, and not of its process
        status = Path(f"/proc/{pid}/status").read_bytes()
        return os.pidfd_open(int(status.partition(b"\nTgid:")[2].split()[0]))
