"""A connection of HTTP/1.1, with as much of the protocol as the webhook's calls to AWS need.

`http.client` reads headers with the `email` package, and importing the two took 11 % of the webhook's cold
start: docs/decisions/0040-the-webhooks-own-http.md. The rules are those of
https://www.rfc-editor.org/rfc/rfc9112; a test holds what is read equal to what `http.client` reads.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import BinaryIO, NamedTuple

_LARGEST_BODY = 1 << 20
_LONGEST_LINE = 1 << 16
_MOST_FIELDS = 100
_WITHOUT_BODY = frozenset({204, 304})
_OK = 200
_HEXADECIMAL = b"0123456789abcdefABCDEF"


class BrokenAnswer(OSError):  # noqa: N818 - it is the answer that is broken
    """What came is no answer of HTTP/1.1, ends early, or is larger than any that AWS gives."""


class Answer(NamedTuple):
    """An answer, read whole.

    Attributes:
        reusable: whether the connection takes another request.
    """

    status: int
    body: bytes
    reusable: bool


class Connection:
    """A connection that takes one request after the other."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._stream = connected.makefile("rb")

    def post(self, path: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
        """Send a POST and read the answer.

        Args:
            headers: with the host, without the body's length.
            seconds: how long the other side may take for each part of the answer.

        Raises:
            ConnectionError: the other side closed the connection before it answered.
            OSError: no answer; `BrokenAnswer`: a broken one.
            ValueError: path or a header would end its line.
        """
        fields = {**headers, "accept-encoding": "identity", "content-length": str(len(body))}
        lines = (f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()))
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header must not contain a line break")
        self._socket.settimeout(seconds)
        self._socket.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + body)
        return read_answer(self._stream)

    def close(self) -> None:
        """Close it."""
        self._stream.close()
        self._socket.close()


def connect(host: str, port: int, *, tls: bool, seconds: float) -> Connection:
    """Connect.

    Raises:
        OSError: nobody answers, or it is not who they have a certificate for.
    """
    # As bytes: for text Python loads the codec of international names, a fiftieth of the cold start.
    name = host.encode("ascii" if host.isascii() else "idna")
    connected = socket.create_connection((name, port), seconds)  # type: ignore[arg-type]  # the resolver takes both
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            trusted = _trusted(os.environ.get("AWS_CA_BUNDLE", ""))
            connected = trusted.wrap_socket(connected, server_hostname=name)
    except BaseException:
        connected.close()
        raise
    return Connection(connected)


@cache
def _trusted(bundle: str) -> ssl.SSLContext:
    """Return whom we trust, read once: all those certificates take as long as all imports of the webhook.

    Args:
        bundle: a file of certificates; the system's if empty.
    """
    return ssl.create_default_context(cafile=bundle or None)


def read_answer(stream: BinaryIO) -> Answer:
    """Read an answer to a POST.

    Raises:
        ConnectionResetError: there is none.
        BrokenAnswer: it is not one of HTTP/1.1, ends early or is too large.
    """
    version, status = _status(stream)
    fields = _fields(stream)
    while status < _OK:
        version, status = _status(stream)
        fields = _fields(stream)
    body, ends = _body(stream, status, fields)
    closes = b"close" in fields.get(b"connection", b"").lower() or version != b"HTTP/1.1"
    return Answer(status, body, ends and not closes)


def _status(stream: BinaryIO) -> tuple[bytes, int]:
    line = stream.readline(_LONGEST_LINE)
    if not line:
        raise ConnectionResetError("closed without an answer")
    version, _, rest = line.rstrip(b"\r\n").partition(b" ")
    status, _, _ = rest.partition(b" ")
    if version not in {b"HTTP/1.1", b"HTTP/1.0"} or len(status) != len("200") or not status.isdigit():
        raise BrokenAnswer("it does not begin as an answer of HTTP/1.1 does")
    return version, int(status)


def _fields(stream: BinaryIO) -> dict[bytes, bytes]:
    """Read header or trailer fields, by lower-case name; one that comes twice is a list."""
    fields: dict[bytes, bytes] = {}
    for _ in range(_MOST_FIELDS):
        line = _line(stream)
        if not line:
            return fields
        name, colon, value = line.partition(b":")
        if not colon or not name or name.split() != [name]:
            raise BrokenAnswer("a header has no name")
        key, value = name.lower(), value.strip()
        fields[key] = fields[key] + b", " + value if key in fields else value
    raise BrokenAnswer("it has too many headers")


def _body(stream: BinaryIO, status: int, fields: Mapping[bytes, bytes]) -> tuple[bytes, bool]:
    """Return the body, and whether it ended before the connection did."""
    if status in _WITHOUT_BODY:
        return b"", True
    coding, length = fields.get(b"transfer-encoding"), fields.get(b"content-length")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise BrokenAnswer("it comes in a coding that nobody asked for")
        return _chunks(stream), True
    if length is None:
        body = stream.read(_LARGEST_BODY + 1)
        _check_size(len(body))
        return body, False
    if not length.isdigit():
        raise BrokenAnswer("its length is no number")
    return _exactly(stream, _number(length, 10)), True


def _chunks(stream: BinaryIO) -> bytes:
    body = b""
    while True:
        size, _, _ = _line(stream).partition(b";")
        size = size.strip()
        if not size or size.strip(_HEXADECIMAL):
            raise BrokenAnswer("the length of a part is no number")
        part = _exactly(stream, _number(size, 16))
        if not part:
            _fields(stream)
            return body
        body += part
        _check_size(len(body))
        if _line(stream):
            raise BrokenAnswer("a part is longer than it says")


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BrokenAnswer("it ends early, or has a line that is too long")
    return line.rstrip(b"\r\n")


def _number(digits: bytes, base: int) -> int:
    # Python itself refuses to read thousands of digits.
    digits = digits.lstrip(b"0") or b"0"
    return int(digits, base) if len(digits) < len(str(_LARGEST_BODY)) + 1 else _LARGEST_BODY + 1


def _exactly(stream: BinaryIO, size: int) -> bytes:
    _check_size(size)
    part = stream.read(size)
    if len(part) < size:
        raise BrokenAnswer("it ends early")
    return part


def _check_size(size: int) -> None:
    if size > _LARGEST_BODY:
        raise BrokenAnswer(f"it is larger than {_LARGEST_BODY} bytes")
