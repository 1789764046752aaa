"""A port of loopback at which a preview's server answers: the only way out of its browser's cage."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

_PIECE = 1 << 16
_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 60.0
_CLOSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Door:
    """Passes connections on to one server, once it is open.

    Args:
        address: IP address at which the server listens, without its port.
    """

    def __init__(self, address: str, port: int) -> None:
        self._server = (address, port)
        self._is_open = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="door", daemon=True).start()

    def open(self) -> None:
        """Pass on what connects from now on, which is refused before."""
        self._is_open = True

    def close(self) -> None:
        """Take nothing any more."""
        # Wakes the thread that waits for connections, which closing alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(_IDLE_SECONDS)
            if not self._is_open:
                client.recv(_PIECE)
                client.sendall(_CLOSED)
                return
            with socket.create_connection(self._server, _CONNECT_SECONDS) as server:
                server.settimeout(_IDLE_SECONDS)
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
