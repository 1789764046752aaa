"""A cage for one user's processes: the filter, the thread that starts them under it, and its supervisor."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runner.egress.control import Service
from runner.egress.filter import install

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from runner.children import Start


class Cage:
    """Starts processes that can reach nothing but loopback, and there only some servers.

    The filter belongs to one thread of this process, which does nothing but start processes: they inherit it,
    and a start inside costs what one outside costs.

    Args:
        uid: user of the processes, whose servers they may connect to.
        ports: further ports of loopback, whoever serves them.
        is_shared: other users have servers on this machine's loopback.
        is_exact: no connection can be won by a race; needs CAP_SYS_PTRACE.

    Raises:
        OSError: the kernel, or the container's runtime, does not allow it.
    """

    def __init__(self, uid: int, ports: Collection[int], *, is_shared: bool, is_exact: bool) -> None:
        self._ports = frozenset(ports)
        self._starter = ThreadPoolExecutor(1, f"cage-{uid}")
        try:
            listener = self._starter.submit(install, is_shared=is_shared).result()
            settings = json.dumps({"uid": uid, "ports": sorted(self._ports), "exact": is_exact})
            try:
                self._supervisor = Service(
                    "runner.egress.supervisor", listener, settings, pass_fds=[listener]
                )
            finally:
                # Held by the supervisor alone, it closes with it.
                os.close(listener)
        except OSError:
            self._starter.shutdown()
            raise

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process inside, with the arguments of `subprocess.Popen`."""
        start: Start = subprocess.Popen
        return self._starter.submit(start, command, **options).result()

    def open_port(self, port: int) -> None:
        """Let processes connect to one more port of loopback.

        Raises:
            ServiceEndedError: the supervisor has ended, and nothing connects any more.
        """
        self._ports |= {port}
        self._supervisor.ask(ports=sorted(self._ports))

    def take_refused(self) -> dict[str, int]:
        """Return how often what was refused since the last time, by address.

        Raises:
            ServiceEndedError: the supervisor has ended.
        """
        refused: dict[str, int] = self._supervisor.ask(take=True)["refused"]
        return refused

    def close(self) -> None:
        """End the supervisor; what still runs inside cannot connect any more."""
        self._supervisor.close()
        self._starter.shutdown()
