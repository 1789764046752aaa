"""What has to work."""

from __future__ import annotations

import errno
import os
import socket
import threading
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


@attempt("MUST_send_datagrams_among_themselves")
def _(_places: dict[str, Any]) -> None:
    for family, host, target in (
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET, "127.0.0.5", "127.0.0.5"),
        (socket.AF_INET, "", "127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
        (socket.AF_INET6, "::", "::1"),
        (socket.AF_INET6, "::", "::ffff:127.0.0.1"),
        (socket.AF_INET6, "::ffff:127.0.0.1", "::ffff:127.0.0.1"),
    ):
        for first in (True, False):
            with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, 2) as client:
                server.settimeout(SECONDS)
                client.settimeout(SECONDS)
                server.bind((host, 0))
                port = server.getsockname()[1]
                if first:
                    client.bind((host, 0))
                for word in (b"ping", b"x" * 60_000, b""):
                    need(client.sendto(word, (target, port)) == len(word))
                    data, sender = server.recvfrom(65_536)
                    # As Gradle asks for a lock, and is answered.
                    need((data, sender[1]) == (word, client.getsockname()[1]))
                    need(server.sendto(b"pong", sender) == 4)
                    need(client.recv(10) == b"pong")
            # What is closed leaves its port to others.
            with socket.socket(family, socket.SOCK_DGRAM) as again:
                again.bind((host, port))


@attempt("MUST_send_datagrams_to_nobody")
def _(_places: dict[str, Any]) -> None:
    with udp() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    need(udp().sendto(b"lost", ("127.0.0.1", port)) == 4)


@attempt("MUST_wait_for_a_server_that_is_busy")
def _(_places: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        clients = [socket.socket() for _ in range(4)]
        threads = [
            threading.Thread(target=client.connect, args=(server.getsockname(),)) for client in clients
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        # Nobody else waits with them.
        with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as quick:
            quick.connect(other.getsockname())
        need(any(thread.is_alive() for thread in threads))
        for client in clients:
            server.accept()[0].sendall(b"served")
            need(client)
        for thread in threads:
            thread.join()
        need(all(client.recv(6) == b"served" for client in clients))
