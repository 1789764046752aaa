"""How the engine ends a connection whose answer is to be lost."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from pullwright_engine.connections import hang_up


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_stays_open(tmp_path: Path) -> None:
    """Looking for a connection among files, pipes and sockets leaves as many of them open as there were."""
    here, there = socket.socketpair()
    with (tmp_path / "file").open("w"), here, there:
        ends = os.pipe()
        before = _open_files()
        for _ in range(3):
            hang_up(1, 2)
        assert _open_files() == before
        for end in ends:
            os.close(end)


def test_only_the_connection_between_the_two_ports_is_ended() -> None:
    """Who waits for its answer reads the end; who uses another connection to the same port does not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lost = socket.create_connection(("127.0.0.1", port))
        ended = server.accept()[0]
        other = socket.create_connection(("127.0.0.1", port))
        kept = server.accept()[0]
        with lost, ended, other, kept:
            hang_up(port, lost.getsockname()[1])
            assert lost.recv(1) == b""
            kept.sendall(b"x")
            assert other.recv(1) == b"x"
