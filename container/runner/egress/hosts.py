"""Lets a task find its own servers by its host's name: in the cage, they are on loopback addresses only."""

from __future__ import annotations

import socket
from pathlib import Path

from runner.log import logger

_HOSTS = Path("/etc/hosts")


def name_loopback(hosts: Path = _HOSTS) -> None:
    """Let the host's name stand for 127.0.0.1; only on a machine that the task has for itself."""
    name = socket.gethostname()
    try:
        text = hosts.read_text()
        kept = [line for line in text.splitlines() if name not in line.split("#")[0].split()[1:]]
        hosts.write_text("\n".join([f"127.0.0.1 {name}", *kept]) + "\n")
    except OSError as error:
        logger.warning("the host's name still stands for an address that is not loopback", error=str(error))
