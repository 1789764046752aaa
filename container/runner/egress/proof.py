"""Proves at the start of a task that the cage holds here: the same attempts outside of it and inside.

An attempt that fails outside too proves nothing and does not count. None of them leaves the machine: they are
made against servers of the runner's own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from runner.children import child
from runner.egress import probe

if TYPE_CHECKING:
    from runner.children import Start

_NEEDED = {probe.OWN_SERVER, probe.PROXY}
_TEETH = {probe.SERVER, probe.DATAGRAM, probe.UNBOUND}
"""Without these outside, the proof would say nothing."""
_SECONDS = 20.0
_INSIDE, _OUTSIDE = "inside", "outside"


def find_holes(inside: Start, uid: int, proxy: int) -> list[str]:
    """Return what is wrong with the cage; nothing if it holds.

    Args:
        inside: starts a process in the cage.
        uid: whom the cage is for; nothing else of this user's may run yet.
        proxy: the proxy's port.
    """
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("", 0)))
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("", 0))
        datagrams.settimeout(0)
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        name = f"pullwright-proof-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        places = {
            "tcp": server.getsockname()[1],
            "udp": datagrams.getsockname()[1],
            "own": _own_address(),
            "abstract": name,
            "proxy": proxy,
            "uid": uid,
        }
        caged = stack.enter_context(_probe(inside, {**places, "word": _INSIDE}))
        free = stack.enter_context(_probe(subprocess.Popen, {**places, "word": _OUTSIDE}))
        return judge(_done(free), _done(caged), _arrived(datagrams))


def judge(outside: frozenset[str], inside: frozenset[str], arrived: frozenset[str]) -> list[str]:
    """Return what is wrong.

    Args:
        outside: attempts that succeeded there.
        arrived: from where datagrams arrived.
    """
    return [
        *(f"{name} is possible" for name in sorted((inside & outside) - _NEEDED)),
        *(f"{name} is not possible" for name in sorted(_NEEDED - inside)),
        *(f"{name} was to be possible outside, so this proves nothing" for name in sorted(_TEETH - outside)),
        *(["a datagram got out"] if _INSIDE in arrived else []),
    ]


def _probe(start: Start, places: dict[str, Any]) -> Any:
    return child(
        [sys.executable, "-I", "-S", probe.__file__, json.dumps(places)],
        start=start,
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )


def _done(process: subprocess.Popen[bytes]) -> frozenset[str]:
    try:
        return frozenset(json.loads(process.communicate(timeout=_SECONDS)[0]))
    except (subprocess.TimeoutExpired, ValueError):
        return frozenset()


def _arrived(datagrams: socket.socket) -> frozenset[str]:
    found = set()
    try:
        while True:
            found.add(datagrams.recv(64).decode(errors="replace"))
    except BlockingIOError:
        return frozenset(found)


def _own_address() -> str:
    """Return an address of this machine's other than loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unsent:
        try:
            unsent.connect(("192.0.2.1", 9))  # of UDP: nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(unsent.getsockname()[0])
