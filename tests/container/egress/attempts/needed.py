"""What has to work."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any

from .base import SECONDS, attempt, need, udp


@attempt("MUST_own_server")
def _(_places: dict[str, Any]) -> None:
    for family, host in (
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET, "127.0.0.5"),
    ):
        with socket.create_server((host, 0), family=family) as server, socket.socket(family) as client:
            client.connect(server.getsockname())
            accepted, _ = server.accept()
            client.sendall(b"x" * 100_000)
            client.close()
            received = 0
            while piece := accepted.recv(65_536):
                received += len(piece)
            need(received == 100_000)


@attempt("MUST_own_server_without_waiting")
def _(_places: dict[str, Any]) -> None:
    import asyncio  # noqa: PLC0415 - nobody else needs it

    async def serve() -> bytes:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        reader, _ = await asyncio.open_connection(*server.sockets[0].getsockname())
        return await reader.read()

    need(asyncio.run(serve()) == b"hello")


@attempt("MUST_own_unix_sockets")
def _(_places: dict[str, Any]) -> None:
    for name in (f"\0own-{os.getpid()}", f"/tmp/own-{os.getpid()}", f"own-{os.getpid()}"):  # noqa: S108
        os.chdir("/tmp")  # noqa: S108 - everybody may write there
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(name)
            server.listen()
            client.connect(name)
            if not name.startswith("\0"):
                os.unlink(name)


@attempt("MUST_refused_where_nobody_listens")
def _(_places: dict[str, Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    need(socket.socket().connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED)


@attempt("MUST_fail_at_once_outside")
def _(places: dict[str, Any]) -> None:
    began = time.monotonic()
    need(socket.socket().connect_ex((places["public"], 443)) == errno.ENETUNREACH)
    need(time.monotonic() - began < SECONDS)


@attempt("MUST_receive_datagrams")
def _(_places: dict[str, Any]) -> None:
    with udp() as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.getsockname()


@attempt("MUST_list_interfaces")
def _(_places: dict[str, Any]) -> None:
    need([name for _, name in socket.if_nameindex() if name == "lo"])
