"""`github-standin --port N --data DIR`: a strict fake of GitHub on 127.0.0.1."""

from __future__ import annotations

import argparse
import logging
import socket
from pathlib import Path

import uvicorn
from pydantic import ValidationError

from github_standin.declaration import Declaration
from github_standin.github import GitHub
from github_standin.server import Application

_HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """Says when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            print(f"GitHub stand-in ready on http://{_HOST}:{sockets[0].getsockname()[1]}", flush=True)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="github-standin", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one; the ready line tells")
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps everything")
    parser.add_argument(
        "--permissions", type=Path, help="JSON file of what a new installation may do; see the README"
    )
    parser.add_argument("--log", type=Path, help="file for one JSON line per request")
    parser.add_argument("--exchanges", type=Path, help="folder for every request with its answer, whole")
    arguments = parser.parse_args()
    try:
        declaration = Declaration.read(arguments.permissions) if arguments.permissions else Declaration()
    except (OSError, ValidationError) as error:
        parser.error(
            f"--permissions {arguments.permissions} cannot be used, see the README for its form: {error}"
        )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    # With the protocol named, asyncio turns Nagle's algorithm off, which would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, arguments.port))
    except OSError as error:
        parser.exit(3, f"Port {arguments.port} on {_HOST} cannot be used: {error.strerror}\n")
    url = f"http://{_HOST}:{listener.getsockname()[1]}"
    github = GitHub(arguments.data, url, declaration=declaration)
    config = uvicorn.Config(
        Application(github, arguments.log, arguments.exchanges).asgi,
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
    _Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
