"""HTTP with kept connections for `aws_json`: the seam that tests replace."""

import http.client
import os
import ssl
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

_CONNECT_SECONDS = 1.5
_LEAST_SECONDS = 0.1
_LARGEST_ANSWER = 1 << 20


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
            OSError: no answer; `http.client.HTTPException`: a broken one.
        """
        ...


def parse_endpoint(url: str) -> Endpoint:
    """Split an endpoint's address.

    Raises:
        ValueError: it is not an http or https address with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"not an http(s) address: {url!r}")
    return Endpoint(
        parts.scheme, parts.hostname, parts.port or _default_port(parts.scheme), parts.path.rstrip("/") + "/"
    )


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def open_connection(endpoint: Endpoint) -> http.client.HTTPConnection:
    """Make a connection object; it connects with the first request."""
    if endpoint.scheme == "https":
        context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        return http.client.HTTPSConnection(endpoint.host, endpoint.port, context=context)
    return http.client.HTTPConnection(endpoint.host, endpoint.port)


class HttpTransport:
    """Keeps one connection per endpoint between invocations."""

    def __init__(self, open_: Callable[[Endpoint], http.client.HTTPConnection] = open_connection) -> None:
        self._open = open_
        self._kept: dict[Endpoint, http.client.HTTPConnection] = {}

    def post(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        """See `Transport.post`."""
        kept = self._kept.pop(endpoint, None)
        if kept is not None:
            try:
                return self._exchange(kept, endpoint, headers, body, seconds)
            except (ConnectionError, http.client.BadStatusLine):
                # Closed by the other side while the function was frozen. What we send may be sent twice.
                pass
        return self._exchange(self._open(endpoint), endpoint, headers, body, seconds)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> tuple[int, bytes]:
        try:
            started = time.monotonic()
            if connection.sock is None:
                connection.timeout = min(_CONNECT_SECONDS, seconds)
                connection.connect()
            connection.sock.settimeout(max(seconds - (time.monotonic() - started), _LEAST_SECONDS))
            connection.request("POST", endpoint.path, body=body, headers=dict(headers))
            response = connection.getresponse()
            answer = response.read(_LARGEST_ANSWER)
        except BaseException:
            connection.close()
            raise
        if response.will_close or not response.isclosed():
            connection.close()
        else:
            self._kept[endpoint] = connection
        return response.status, answer
