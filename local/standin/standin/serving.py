"""A stand-in as a program: one port on 127.0.0.1, and a line when it is ready."""

from __future__ import annotations

import argparse
import json
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from standin.answers import Reply

HOST = "127.0.0.1"


def response(reply: Reply) -> Response:
    """Return an answer as the web framework sends it."""
    if reply.body is None:
        return Response(status_code=reply.status, headers=reply.headers)
    if isinstance(reply.body, str | bytes):
        return Response(reply.body, reply.status, reply.headers, reply.media_type)
    content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, reply.status, reply.headers, reply.media_type)


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """Return the arguments that every stand-in takes."""
    made = argparse.ArgumentParser(prog=program, description=description)
    place = made.add_mutually_exclusive_group(required=True)
    place.add_argument("--port", type=int, help="0 takes a free one; the ready line tells")
    place.add_argument("--fd", type=int, help="a listening socket that the process was given")
    made.add_argument("--data", type=Path, required=True, help="folder that keeps everything")
    made.add_argument("--log", type=Path, help="file for one JSON line per request")
    made.add_argument("--exchanges", type=Path, help="folder for every request with its answer, whole")
    return made


def serve(
    options: argparse.ArgumentParser,
    arguments: argparse.Namespace,
    name: str,
    application: Callable[[str], ASGIApp],
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: ends the program where the port cannot be used.
        arguments: what the options gave.
        name: as the ready line gives it.
        application: makes it for a root address.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    listener = _listener(options, arguments)
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        application(url),
        # The h11 server it is: dropped connections reach into it, see the gate.
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=5,
    )
    _Server(config, f"{name} ready on {url}").run(sockets=[listener])


def _listener(options: argparse.ArgumentParser, arguments: argparse.Namespace) -> socket.socket:
    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    # With the protocol named, asyncio turns Nagle's algorithm off, which would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, arguments.port))
    except OSError as error:
        options.exit(3, f"Port {arguments.port} on {HOST} cannot be used: {error.strerror}\n")
    return listener


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, line: str) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._line, flush=True)
