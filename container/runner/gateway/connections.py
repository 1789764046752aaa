"""The connections of the gateway's clients: how many, for how long, and with how long a head."""

import socket
import threading
import time
from dataclasses import dataclass
from io import BufferedIOBase

# The CLI needs a few; each takes a thread and an open file of the runner, who must not run out of either.
MAX_CONNECTIONS = 32
MAX_HEAD = 32 * 1024

# Seconds until the head of a request is there: the first one of a connection, and a later one.
_FIRST_HEAD = 10.0
_NEXT_HEAD = 600.0
_BODY = 60.0
# A client that is there sends at once; one that has not for a second may have to make room for another.
_GRACE = 1.0
_ROOM_IN = 0.5


class HeadTooLongError(Exception):
    """A client sends a request line and headers without end."""


class HeadReader:
    """A connection's bytes, of which only so many may belong to the head of a request."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self._left = MAX_HEAD

    def next_head(self) -> None:
        """Note that a new request begins."""
        self._left = MAX_HEAD

    def readline(self, limit: int = -1) -> bytes:
        """Read a line of the head.

        Raises:
            HeadTooLongError: the head is longer than it may be.
        """
        line = self._stream.readline(min(limit, self._left) if limit >= 0 else self._left)
        self._left -= len(line)
        if self._left <= 0:
            raise HeadTooLongError
        return line

    def read(self, size: int) -> bytes:
        """Read a part of the body."""
        return self._stream.read(size)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._stream.closed


@dataclass
class _State:
    since: float
    deadline: float | None
    authenticated: bool = False


class Connections:
    """Which connections there are, and which of them keep the gateway waiting."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._states: dict[socket.socket, _State] = {}
        self._lock = threading.Lock()

    def admit(self, connection: socket.socket) -> bool:
        """Take a connection in, if need be in the place of one that has said nothing yet."""
        if not self._places.acquire(blocking=False):
            self._end_silent()
            if not self._places.acquire(timeout=_ROOM_IN):
                return False
        now = time.monotonic()
        with self._lock:
            self._states[connection] = _State(now, now + _FIRST_HEAD)
        return True

    def forget(self, connection: socket.socket) -> None:
        """Note that a connection has ended."""
        with self._lock:
            del self._states[connection]
        self._places.release()

    def reads_body(self, connection: socket.socket) -> None:
        """Note that a client has shown the token and sends its body."""
        self._set(connection, _BODY, authenticated=True)

    def answers(self, connection: socket.socket) -> None:
        """Note that the client has sent all; what comes now is up to the model."""
        self._set(connection, None)

    def reads_head(self, connection: socket.socket) -> None:
        """Let the client send its next request."""
        with self._lock:
            authenticated = self._states[connection].authenticated
        if authenticated:
            self._set(connection, _NEXT_HEAD)

    def end_late(self) -> None:
        """End connections whose time is over."""
        now = time.monotonic()
        with self._lock:
            late = [c for c, state in self._states.items() if state.deadline and state.deadline < now]
            for connection in late:
                _shut(connection)

    def _end_silent(self) -> None:
        before = time.monotonic() - _GRACE
        with self._lock:
            silent = [
                (s.since, c) for c, s in self._states.items() if not s.authenticated and s.since < before
            ]
            if silent:
                _shut(min(silent, key=lambda found: found[0])[1])

    def _set(self, connection: socket.socket, seconds: float | None, *, authenticated: bool = False) -> None:
        with self._lock:
            state = self._states[connection]
            state.deadline = None if seconds is None else time.monotonic() + seconds
            state.authenticated = state.authenticated or authenticated


def _shut(connection: socket.socket) -> None:
    # Whoever waits for its bytes finds it at its end, and closes it.
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has just ended by itself
        return
