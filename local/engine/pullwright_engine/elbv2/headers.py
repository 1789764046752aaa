"""What a load balancer refuses of requests, and changes in the headers of them and of their responses.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html; `Host`, to which
an unusual port of a listener is appended: https://repost.aws/questions/QUbdKVqaj4TKSZJdPWPZG1Ow
"""

import time
import uuid
from http import HTTPStatus

import h11

Headers = list[tuple[bytes, bytes]]

_OF_ONE_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
)
_OF_THE_MESSAGE = frozenset({b"host", b"content-length", b"transfer-encoding"})
"""Without these, a message begins or ends elsewhere; no client says that they are about a connection."""
_USUAL_PORTS = (80, 443)
_LONGEST_LINE = 16 << 10
_LARGEST_BODY = 2**63 - 1
_MOST_HOPS = 30
TOO_MANY_HOPS = 463


def value(headers: Headers, name: bytes) -> bytes:
    """Return the first value of a header; empty without it."""
    return next((content for key, content in headers if key.lower() == name), b"")


def values(headers: Headers, name: bytes) -> list[bytes]:
    """Return the values of all headers of a name, whose lists are one list."""
    listed = [part.strip() for key, content in headers if key.lower() == name for part in content.split(b",")]
    return [part for part in listed if part]


def refusal(request: h11.Request) -> int | None:
    """Return the status with which a load balancer refuses a request itself; None if it passes it on.

    CONNECT, which the documentation does not name, would make a proxy for others of it.
    """
    headers = request.headers.raw_items()
    if request.method in {b"TRACE", b"CONNECT"}:
        return HTTPStatus.METHOD_NOT_ALLOWED
    if len(values(headers, b"x-forwarded-for")) > _MOST_HOPS:
        return TOO_MANY_HOPS
    lines = [request.method + request.target, *(name + content for name, content in headers)]
    is_too_large = int(value(headers, b"content-length") or 0) > _LARGEST_BODY
    return HTTPStatus.BAD_REQUEST if is_too_large or max(map(len, lines)) > _LONGEST_LINE else None


def end_to_end(headers: Headers) -> Headers:
    """Return the headers that are not about one connection alone."""
    named = {part.lower() for part in values(headers, b"connection")} - _OF_THE_MESSAGE
    return [(name, content) for name, content in headers if name.lower() not in _OF_ONE_HOP | named]


def host_name(headers: Headers) -> str:
    """Return the name in the `Host` header, without a port."""
    host = value(headers, b"host").decode("latin-1")
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def wants_upgrade(headers: Headers) -> bool:
    """Return whether a client asks for a WebSocket."""
    return value(headers, b"upgrade").lower() == b"websocket"


def for_target(headers: Headers, *, client: str, port: int) -> Headers:
    """Return the headers of a client's request as its target gets them.

    Args:
        client: the client's address.
        port: the listener's.
    """
    earlier = b", ".join(content for name, content in headers if name.lower() == b"x-forwarded-for")
    hops = b", ".join(part for part in (earlier, client.encode()) if part)
    trace = (
        value(headers, b"x-amzn-trace-id") or f"Root=1-{int(time.time()):x}-{uuid.uuid4().hex[:24]}".encode()
    )
    ours = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port", b"x-amzn-trace-id"}
    kept = [
        (name, _host(content, port) if name.lower() == b"host" else content)
        for name, content in end_to_end(headers)
        if name.lower() not in ours
    ]
    if wants_upgrade(headers):
        kept += [(b"Connection", b"Upgrade"), (b"Upgrade", value(headers, b"upgrade"))]
    return [
        *kept,
        (b"X-Forwarded-For", hops),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Port", str(port).encode()),
        (b"X-Amzn-Trace-Id", trace),
    ]


def for_client(headers: Headers) -> Headers:
    """Return the headers of a target's response as the client gets them; the framing is written anew."""
    return [(name, content) for name, content in end_to_end(headers) if name.lower() != b"transfer-encoding"]


def _host(content: bytes, port: int) -> bytes:
    if port in _USUAL_PORTS or b":" in content.rpartition(b"]")[2]:
        return content
    return content + b":" + str(port).encode()
