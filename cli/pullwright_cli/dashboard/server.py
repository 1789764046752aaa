"""Serves the pages on this machine, until Ctrl-C."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

import uvicorn

from pullwright_cli.dashboard.application import make
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright_cli.aws import Stack

_LOOPBACK = "127.0.0.1"
_SERVICES = ("dynamodb", "logs", "s3", "stepfunctions")
_OUTPUTS = ("ArtifactsBucket", "LogGroupName", "SessionsTable", "StateMachineArn")
_GRACE_SECONDS = 2


def serve(stack: Stack, port: int, ready: Callable[[str], None]) -> None:
    """Serve until the process is interrupted.

    Args:
        port: 0 for any that is free.
        ready: is called with the address that gives a browser access.

    Raises:
        CliError: the port is taken, or may not be used.
    """
    # Asked now, so that what is wrong ends the command. Threads share the clients, and must not make them.
    for output in _OUTPUTS:
        stack.output(output)
    for service in _SERVICES:
        stack.client(service)
    try:
        listener = socket.create_server((_LOOPBACK, port))
    except OSError as error:
        raise CliError(
            f"--port: {port} cannot be used ({error.strerror}): name another, or none", 2
        ) from None
    with listener:
        port, token = listener.getsockname()[1], secrets.token_urlsafe(32)
        configuration = uvicorn.Config(
            make(stack, stack.name, stack.place, port, token),
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            # A line for each request would hold the token.
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        ready(f"http://{_LOOPBACK}:{port}/?token={token}")
        uvicorn.Server(configuration).run(sockets=[listener])
