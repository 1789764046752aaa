"""Reads what a client asks the proxy for. Nothing that is not understood is passed on."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_HEAD = 16 << 10
TLS_PORT = 443
PLAIN_PORT = 80
RULE = "Pullwright's egress rule"

_HEAD = re.compile(rb"([A-Z]{1,16}) (\S{1,8192}) HTTP/1\.[01]\r\n((?:[^\r\n\0]+\r\n)*)\r\n")
_FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_LABEL = rb"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rb"((?:%b\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)" % _LABEL
_AUTHORITY = re.compile(_HOST + rb":([1-9][0-9]{0,4})", re.IGNORECASE)
_URL = re.compile(rb"http://" + _HOST + rb"(?::80)?(/[\x21-\x7e]*)?", re.IGNORECASE)
_SHOWN_HOST = re.compile(rb"(?:[A-Za-z]{1,9}://)?([A-Za-z0-9.:_\[\]-]{1,120})")
_OF_THE_CONNECTION = {
    *(b"host", b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive", b"te", b"upgrade"),
    *(b"transfer-encoding", b"content-length", b"expect", b"trailer"),
}
_BODIES = {b"transfer-encoding", b"content-length"}


class Refusal(Exception):  # noqa: N818 - an answer, and not always somebody's mistake
    """The request is not carried out.

    Args:
        reason: one line for people; stands in the status line too, which most tools show.
        target: what is counted as refused; None for what is no matter of the rule.
    """

    def __init__(self, status: int, reason: str, target: str | None = None) -> None:
        super().__init__(reason)
        self.target = target
        body = f"{reason}\n".encode()
        head = (
            f"HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.answer = head.encode() + body


def not_allowed(host: str) -> Refusal:
    """Refuse a host that is not on the list."""
    return Refusal(403, f"{RULE}: {host} is not an allowed domain (egress in .pullwright/config.yaml)", host)


class Tunnel(NamedTuple):
    """Bytes in both directions, for TLS."""

    host: str


class Fetch(NamedTuple):
    """One request without TLS and without a body.

    Attributes:
        head: as it is sent on.
    """

    host: str
    head: bytes


def read_request(head: bytes) -> Tunnel | Fetch:
    """Read a request's head, up to and with the empty line.

    Raises:
        Refusal: it is not allowed, or not understood.
    """
    found = _HEAD.fullmatch(head)
    if not found:
        raise Refusal(400, "The proxy does not understand this request")
    method, target, fields = found.groups()
    return _tunnel(target) if method == b"CONNECT" else _fetch(method, target, fields)


def _tunnel(target: bytes) -> Tunnel:
    found = _AUTHORITY.fullmatch(target)
    if not found:
        raise Refusal(403, f"{RULE}: a host is asked for by its name, not by an address", _shown(target))
    host = found[1].decode().lower()
    if int(found[2]) != TLS_PORT:
        raise Refusal(403, f"{RULE}: only port {TLS_PORT} is open", f"{host}:{int(found[2])}")
    return Tunnel(host)


def _fetch(method: bytes, target: bytes, fields: bytes) -> Fetch:
    found = _URL.fullmatch(target)
    if not found:
        raise Refusal(
            403, f"{RULE}: without TLS, a host is asked for by its name, at port 80", _shown(target)
        )
    host = found[1].decode().lower()
    if method not in {b"GET", b"HEAD"}:
        raise Refusal(403, f"{RULE}: without TLS, only GET and HEAD are allowed", f"http://{host}")
    lines = [
        b"%b %b HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n" % (method, found[2] or b"/", host.encode())
    ]
    for line in fields.splitlines():
        field = _FIELD.fullmatch(line)
        if not field or (field[1].lower() in _BODIES and field[2] != b"0"):
            raise Refusal(400, "The proxy expects a request without a body")
        if field[1].lower() not in _OF_THE_CONNECTION:
            lines.append(b"%b: %b\r\n" % field.groups())
    return Fetch(host, b"".join(lines) + b"\r\n")


def _shown(target: bytes) -> str:
    """Return the host of a target as far as it can be shown."""
    found = _SHOWN_HOST.match(target)
    return found[1].decode() if found else "an unreadable address"
