"""HTTP with kept connections for `aws_json`: the seam that tests replace."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from pullwright.http_connection import Connection, connect

_CONNECT_SECONDS = 1.5
_LEAST_SECONDS = 0.1


class Endpoint(NamedTuple):
    """The address of a service."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The `Host` header: the port is left out when it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _default_port(self.scheme) else f"{host}:{self.port}"


class Transport(Protocol):
    """Sends one request and reads one answer."""

    def post(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        """Send a POST.

        Args:
            headers: exactly what is sent, apart from `Content-Length`.
            seconds: how long the connection and the answer may take.

        Returns:
            Status code and body.

        Raises:
            OSError: no answer, or a broken one.
        """
        ...


def parse_endpoint(url: str) -> Endpoint:
    """Split an endpoint's address.

    Raises:
        ValueError: it is not an http or https address with a host.
    """
    # Only for addresses that are set by hand: on AWS none is.
    from urllib.parse import urlsplit  # noqa: PLC0415 - seldom needed

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"not an http(s) address: {url!r}")
    return Endpoint(
        parts.scheme, parts.hostname, parts.port or _default_port(parts.scheme), parts.path.rstrip("/") + "/"
    )


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def open_connection(endpoint: Endpoint, seconds: float) -> Connection:
    """Connect to a service."""
    return connect(endpoint.host, endpoint.port, tls=endpoint.scheme == "https", seconds=seconds)


class HttpTransport:
    """Keeps one connection per endpoint between invocations."""

    def __init__(self, open_: Callable[[Endpoint, float], Connection] = open_connection) -> None:
        self._open = open_
        self._kept: dict[Endpoint, Connection] = {}

    def post(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        """See `Transport.post`."""
        kept = self._kept.pop(endpoint, None)
        if kept is not None:
            try:
                return self._exchange(kept, endpoint, headers, body, seconds)
            except ConnectionError:
                # Closed by the other side while the function was frozen. What we send may be sent twice.
                pass
        started = time.monotonic()
        connection = self._open(endpoint, min(_CONNECT_SECONDS, seconds))
        left = max(seconds - (time.monotonic() - started), _LEAST_SECONDS)
        return self._exchange(connection, endpoint, headers, body, left)

    def _exchange(
        self,
        connection: Connection,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> tuple[int, bytes]:
        try:
            answer = connection.post(endpoint.path, headers, body, seconds)
        except BaseException:
            connection.close()
            raise
        if answer.reusable:
            self._kept[endpoint] = connection
        else:
            connection.close()
        return answer.status, answer.body
