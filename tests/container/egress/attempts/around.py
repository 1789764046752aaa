"""What stands around the cage: its processes, and Unix sockets of others."""

from __future__ import annotations

import os
import signal
import socket
import struct
from typing import TYPE_CHECKING, Any

from .base import ARM, ATTEMPTS, RefusedError, attempt, call, need

if TYPE_CHECKING:
    from collections.abc import Callable


def _each(places: dict[str, Any], action: Callable[[int], object]) -> None:
    """Do something to each process of root's that belongs to the cage."""
    done = 0
    for pid in places["processes"]:
        try:
            action(pid)
        except OSError:
            continue
        done += 1
    need(done)


def _steal(pid: int) -> None:
    for descriptor in range(3, 12):
        try:
            call(438, os.pidfd_open(pid), descriptor, 0)
        except OSError:
            continue
        return
    raise PermissionError


AROUND: dict[str, Callable[[int], object]] = {
    "ending": lambda pid: os.kill(pid, signal.SIGKILL),
    "stopping": lambda pid: os.kill(pid, signal.SIGSTOP),
    "stealing_a_descriptor_of": _steal,
    "reading_the_memory_of": lambda pid: os.open(f"/proc/{pid}/mem", os.O_RDONLY),
    "writing_the_memory_of": lambda pid: os.open(f"/proc/{pid}/mem", os.O_RDWR),
    "listing_the_descriptors_of": lambda pid: os.listdir(f"/proc/{pid}/fd"),
    "slowing": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
    "reading_the_environment_of": lambda pid: os.open(f"/proc/{pid}/environ", os.O_RDONLY),
}
for _name, _action in AROUND.items():

    def _do(places: dict[str, Any], action: Callable[[int], object] = _action) -> None:
        _each(places, action)

    ATTEMPTS[f"{_name}_the_cage_s_processes"] = _do


@attempt("tracing_the_cage_s_processes")
def _(places: dict[str, Any]) -> None:
    _each(places, lambda pid: call(117 if ARM else 101, 0x4206, pid, 0, 0))


@attempt("limiting_the_cage_s_processes")
def _(places: dict[str, Any]) -> None:
    _each(places, lambda pid: call(261 if ARM else 302, pid, 7, struct.pack("=QQ", 0, 0), None))


@attempt("a_descriptor_that_was_inherited")
def _(_places: dict[str, Any]) -> None:
    for name in os.listdir("/proc/self/fd"):
        try:
            kind = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if kind.startswith(("socket:", "anon_inode:seccomp")):
            return
    raise RefusedError


@attempt("renaming_hosts")
def _(_places: dict[str, Any]) -> None:
    with open("/etc/hosts", "a", encoding="ascii") as hosts:
        hosts.write("")


@attempt("root_s_abstract_socket")
def _(places: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX).connect(f"\0{places['abstract']}")


@attempt("root_s_socket_file")
def _(places: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX).connect(places["unix"])


@attempt("root_s_socket_file_through_a_link")
def _(places: dict[str, Any]) -> None:
    link = f"/tmp/link-{os.getpid()}"  # noqa: S108 - a name of this process's own
    os.symlink(places["unix"], link)
    try:
        socket.socket(socket.AF_UNIX).connect(link)
    finally:
        os.unlink(link)


@attempt("root_s_socket_file_from_its_folder")
def _(places: dict[str, Any]) -> None:
    os.chdir(os.path.dirname(places["unix"]))
    socket.socket(socket.AF_UNIX).connect(os.path.basename(places["unix"]))


@attempt("root_s_datagram_socket")
def _(places: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"secret", places["unix_datagrams"])


@attempt("root_s_datagram_socket_by_sendmsg")
def _(places: dict[str, Any]) -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendmsg([b"secret"], [], 0, places["unix_datagrams"])


@attempt("root_s_datagram_socket_connected")
def _(places: dict[str, Any]) -> None:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.connect(places["unix_datagrams"])
    sender.send(b"secret")


@attempt("root_s_datagram_socket_from_a_pair")
def _(places: dict[str, Any]) -> None:
    sender, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.sendto(b"secret", places["unix_datagrams"])
