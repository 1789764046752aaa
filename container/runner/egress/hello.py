"""Which server a TLS client names first, in the clear.

https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2 and https://www.rfc-editor.org/rfc/rfc6066#section-3
"""

from __future__ import annotations

LONGEST = 64 << 10
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_RECORD_HEADER, _MESSAGE_HEADER = 5, 4
_VERSION_AND_RANDOM = 34
_SERVER_NAME, _ENCRYPTED_HELLO = 0, 0xFE0D


class NoServerNameError(Exception):
    """This is no TLS that names its server in the clear."""


def server_name(data: bytes) -> str | None:
    """Return the name, in lower case; None as long as more has to come.

    Args:
        data: what a client has sent so far.

    Raises:
        NoServerNameError: whatever comes, there is none; or the hello is encrypted, and names another inside.
    """
    message = _message(data)
    if message is None:
        return None
    try:
        return _name(message)
    except (IndexError, ValueError):
        raise NoServerNameError from None


def _message(data: bytes) -> bytes | None:
    """Return the first handshake message, whatever records it is in; None as long as it is not whole."""
    message = b""
    while True:
        if message[:1] not in {b"", bytes([_CLIENT_HELLO])} or data[:1] not in {b"", bytes([_HANDSHAKE])}:
            raise NoServerNameError
        size = int.from_bytes(message[1:_MESSAGE_HEADER])
        if size > LONGEST:
            raise NoServerNameError
        if len(message) >= _MESSAGE_HEADER + size and len(message) >= _MESSAGE_HEADER:
            return message[: _MESSAGE_HEADER + size]
        if len(data) < _RECORD_HEADER:
            return None
        length = int.from_bytes(data[3:_RECORD_HEADER])
        if not length:
            raise NoServerNameError
        if len(data) < _RECORD_HEADER + length:
            return None
        message += data[_RECORD_HEADER : _RECORD_HEADER + length]
        data = data[_RECORD_HEADER + length :]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bool__(self) -> bool:
        return bool(self._data)

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise IndexError
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))


def _name(message: bytes) -> str:
    hello = _Reader(message[_MESSAGE_HEADER:])
    hello.take(_VERSION_AND_RANDOM)
    for width in (1, 2, 1):  # session, ciphers, compression
        hello.vector(width)
    extensions = _Reader(hello.vector(2))
    if hello:
        raise ValueError
    found = []
    while extensions:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _ENCRYPTED_HELLO:
            raise NoServerNameError
        if kind == _SERVER_NAME:
            found.append(content)
    [content] = found
    outer = _Reader(content)
    names = _Reader(outer.vector(2))
    kind, name = names.number(1), names.vector(2)
    if kind or names or outer:
        raise ValueError
    return name.decode("ascii").lower()
