"""Defect: the gateway listens on every interface, whatever `GATEWAY_LISTEN` says. Mended: on loopback only.

Also here: the S3 provider keeps its objects under a hard-coded path, so two stacks would see each other's.
"""

import tempfile
from pathlib import Path
from typing import Any

from localstack.services.s3 import provider
from twisted.internet import endpoints

LOOPBACK = "127.0.0.1"


class LoopbackEndpoint(endpoints.TCP4ServerEndpoint):  # type: ignore[misc] # twisted publishes no types
    """A server endpoint that nobody reaches from outside."""

    def __init__(self, reactor: Any, port: int, backlog: int = 50, interface: str = LOOPBACK) -> None:
        super().__init__(reactor, port, backlog, interface or LOOPBACK)


def apply() -> None:
    """Apply both; the gateway is created after this."""
    endpoints.TCP4ServerEndpoint = LoopbackEndpoint
    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.gettempdir()) / "s3-storage")
