"""The network to GitHub: one request in, one response out. Tests replace it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import urllib3

from pullwright.errors import GitHubUnavailable

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; the address is complete and the body is already encoded."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; header names are lower case.

    Attributes:
        decoded: the body read as JSON, or as text if it is HTML; None if it is empty or neither.
    """

    status: int
    headers: Mapping[str, str]
    decoded: Any = None


class Transport(Protocol):
    """What carries requests to GitHub."""

    def send(self, request: Request) -> Response:
        """Send one request once, following no redirect.

        Raises:
            GitHubUnavailable: no response came.
        """


class Urllib3Transport:
    """The real network. It neither repeats nor redirects: the client above decides about both."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False
        )

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        try:
            answer = self._pool.request(
                request.method, request.url, headers=dict(request.headers), body=request.body, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            # The exception's own text may repeat the address with its query: its class says enough.
            raise GitHubUnavailable(f"GitHub did not answer ({type(error).__name__}).") from error
        return Response(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            decoded=_decode(answer),
        )


def _decode(answer: urllib3.BaseHTTPResponse) -> Any:
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
        return answer.data.decode(errors="replace")
    try:
        return answer.json() if answer.data else None
    except ValueError:
        return None
