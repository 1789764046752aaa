"""What a load balancer changes in the headers of a request and of its response.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html; `Host`, to which
an unusual port of a listener is appended: https://repost.aws/questions/QUbdKVqaj4TKSZJdPWPZG1Ow
"""

import time
import uuid

Headers = list[tuple[bytes, bytes]]

_OF_ONE_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
)
_USUAL_PORTS = (80, 443)


def value(headers: Headers, name: bytes) -> bytes:
    """Return the first value of a header; empty without it."""
    return next((content for key, content in headers if key.lower() == name), b"")


def end_to_end(headers: Headers) -> Headers:
    """Return the headers that are not about one connection alone."""
    named = {part.strip().lower() for part in value(headers, b"connection").split(b",")}
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
