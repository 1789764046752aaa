"""The runner outlives its agent: whatever the agent sends, the gateway takes at most 64 MiB of its memory."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.container.cli import StandIn
from tests.container.gateway_process import MODEL, Measured, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1024 * 1024
MARK = 64 * MIB
HEADERS = {"anthropic-version": "2023-06-01"}


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in."""
    with StandIn.running() as running:
        running.play({"text": "one", "delay": 0.5}, repeat_last=True)
        yield running


@pytest.fixture
def gateway(standin: StandIn) -> Iterator[Measured]:
    """Provide a gateway that has answered once."""
    with measured(standin.url) as running:
        assert post(running, body("hi")) == 200
        running.forget_peak()
        yield running


def body(content: object) -> bytes:
    """Return a request."""
    message = {"role": "user", "content": content}
    return json.dumps({"model": MODEL, "max_tokens": 10, "messages": [message]}, ensure_ascii=False).encode()


def post(gateway: Measured, raw: bytes) -> int:
    """Send a request with the token; 0 when the connection was cut."""
    try:
        return urllib3.request(
            "POST", f"{gateway.url}/v1/messages", body=raw, headers=HEADERS, retries=False, timeout=120
        ).status
    except urllib3.exceptions.HTTPError:
        return 0


def image(size: int) -> list[dict[str, Any]]:
    """Return a message with one image."""
    data = "A" * size
    return [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}]


def filled(unit: str, size: int) -> bytes:
    """Return a request whose metadata is full of small values."""
    start = body("hi")[:-1] + b',"metadata":{"user_id":['
    return start + ",".join([unit] * (size // (len(unit) + 1))).encode() + b"]}}"


BODIES: dict[str, Callable[[], bytes]] = {
    "an image": lambda: body(image(11 * MIB)),
    "a text": lambda: body("word " * (2 * MIB)),
    "one wide character": lambda: body("\U0001f600" + "a" * (5 * MIB)),
    "wide characters": lambda: body("\U0001f600" * MIB),
    "escapes": lambda: body("x").replace(b'"x"', b'"' + b"\\u00e9" * MIB + b'"'),
    "empty lists": lambda: filled("[]", 11 * MIB),
    "empty objects, fewer": lambda: filled("{}", 600_000),
    "objects in objects": lambda: filled('{"a":{"b":{"c":[[[]]]}}}', 600_000),
    "numbers": lambda: filled("1.5", 600_000),
    "strings": lambda: filled('"ab"', 11 * MIB),
    "names": lambda: b'{"a":{' + b",".join(b'"k%d":0' % n for n in range(MIB)) + b"}}",
    "open brackets": lambda: b"[" * 11 * MIB,
    "backslashes": lambda: b'{"a":"' + b"\\" * 11 * MIB,
    "quotes": lambda: b'"' * 11 * MIB,
}


@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES)
def test_many_bodies_at_once(gateway: Measured, raw: Callable[[], bytes]) -> None:
    """Twenty of the same kind share one room, and each is answered; then the gateway works as before."""
    made = raw()
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: post(gateway, made), range(20)))
    assert set(statuses) <= {200, 400, 413}
    assert gateway.peak_above_start <= MARK
    assert post(gateway, body("hi")) == 200


def test_bodies_that_never_come(gateway: Measured) -> None:
    """Heads with a large content-length and nothing behind them take no memory."""
    with ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(open_connection(gateway))
            connection.sendall(head(gateway, 12 * MIB))
        assert gateway.peak_above_start <= MARK


def test_heads_without_end(gateway: Measured) -> None:
    """Lines and headers beyond 32 KiB end the connection."""

    def flood(_number: int) -> None:
        with open_connection(gateway) as connection:
            try:
                connection.sendall(head(gateway, 0)[:-2])
                for _ in range(200):
                    connection.sendall(b"x: " + b"y" * 60_000 + b"\r\n")
            except OSError:
                return

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(flood, range(60)))
    assert gateway.peak_above_start <= MARK
    assert post(gateway, body("hi")) == 200


def test_without_the_token_no_body_is_read(gateway: Measured) -> None:
    """401 comes before the body was sent, and a body that is sent all the same is not kept."""
    with open_connection(gateway) as connection:
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\ncontent-length: 12000000\r\n\r\n")
        assert connection.recv(64).split()[1] == b"401"
    raw = b" " * 11 * MIB

    def send(_number: int) -> None:
        with open_connection(gateway) as connection:
            try:
                connection.sendall(b"POST /x HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(raw) + raw)
            except OSError:
                return

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(send, range(20)))
    assert gateway.peak_above_start <= 16 * MIB


def test_silent_connections_make_room(gateway: Measured) -> None:
    """Whoever holds all connections without the token keeps the agent from the model for a moment at most."""
    held = [open_connection(gateway) for _ in range(40)]
    threading.Event().wait(1.2)
    assert post(gateway, body("hi")) == 200
    for connection in held:
        connection.close()


def test_a_connection_that_says_nothing_is_ended(gateway: Measured) -> None:
    """A head has ten seconds to come, however slowly it drips."""
    with open_connection(gateway) as connection:
        connection.settimeout(1)
        for _ in range(15):
            try:
                connection.sendall(b"P")
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    raise AssertionError("the connection is still open")


def open_connection(gateway: Measured) -> socket.socket:
    """Connect."""
    address = urlsplit(gateway.url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def head(gateway: Measured, length: int) -> bytes:
    """Return the head of a request with the token."""
    path = urlsplit(gateway.url).path
    return f"POST {path}/v1/messages HTTP/1.1\r\ncontent-length: {length}\r\n\r\n".encode()
