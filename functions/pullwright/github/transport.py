"""The network to GitHub: one request in, one response out. Tests replace it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import urllib3

from pullwright.errors import GitHubUnavailable

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
MOST_BYTES = 64 << 20
_PART_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; the address is complete and the body is already encoded.

    Attributes:
        end_bytes: read the answer as text, and no more of it than so many bytes at its end; 0 reads all.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None
    end_bytes: int = 0


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
    """The real network. It neither repeats nor redirects: the client above decides about both.

    Args:
        read_seconds: how long the other side may take for each part of the answer.
    """

    def __init__(self, read_seconds: float = READ_SECONDS) -> None:
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds), retries=False
        )

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        try:
            answer = self._pool.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                body=request.body,
                redirect=False,
                preload_content=not request.end_bytes,
            )
            decoded = _end(answer, request.end_bytes) if request.end_bytes else _decode(answer)
        except urllib3.exceptions.HTTPError as error:
            # The exception's own text may repeat the address with its query: its class says enough.
            raise GitHubUnavailable(f"GitHub did not answer ({type(error).__name__}).") from error
        return Response(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            decoded=decoded,
        )


def _end(answer: urllib3.BaseHTTPResponse, longest: int) -> str:
    """Return the end of a text, however long it is, up to a limit that no reader would wait for."""
    end = b""
    read = 0
    try:
        for part in answer.stream(_PART_BYTES):
            end = (end + part)[-longest:]
            read += len(part)
            if read > MOST_BYTES:
                raise GitHubUnavailable("An answer of GitHub's is too long to be read to its end.")
    finally:
        # A connection that was not read to its end is of no more use.
        answer.close()
    return end.decode(errors="replace")


def _decode(answer: urllib3.BaseHTTPResponse) -> Any:
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
        return answer.data.decode(errors="replace")
    try:
        return answer.json() if answer.data else None
    except ValueError:
        return None
