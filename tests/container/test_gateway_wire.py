"""The gateway over real connections: as it comes, to the end, and no further than the money."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from runner.gateway import Gateway, GatewayConfig
from tests.container.cli import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "claude-opus-5-5"  # $4 and $20 for a million
BODY: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 50_000,
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"name": "Bash"}],
}
HEADERS = {"anthropic-version": "2023-06-01"}
LONG = "many words " * 200


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """The model stand-in."""
    with StandIn.running() as running:
        yield running


def gateway_to(standin: StandIn, limit_usd: float = 5.0) -> Gateway:
    """Return a gateway to it."""
    return Gateway(
        GatewayConfig(
            provider="anthropic", model=MODEL, limit_usd=limit_usd, api_key="k", anthropic_url=standin.url
        )
    )


def ask(gateway: Gateway, **options: Any) -> urllib3.BaseHTTPResponse:
    """Send a request to the gateway."""
    return urllib3.request(
        "POST",
        f"{gateway.base_url}/v1/messages",
        json=BODY,
        headers=HEADERS,
        retries=False,
        timeout=30,
        **options,
    )


def test_a_stream_is_not_held_back(standin: StandIn) -> None:
    """What the model has said arrives while it still thinks, and is paid for when the gateway closes."""
    standin.play({"text": LONG, "stall_after": 5})
    with gateway_to(standin) as gateway:
        answer = ask(gateway, preload_content=False)
        seen = b""
        while seen.count(b"event: ") < 5:
            seen += answer.read1()
        assert b"message_start" in seen
        assert gateway.usage.calls == 0
        gateway._upstream.close(0)
    assert gateway.usage.calls == 1
    assert gateway.usage.tokens.output < 100
    answer.close()


def test_a_client_that_leaves_is_paid_for(standin: StandIn) -> None:
    """The gateway reads to the end what the client no longer wants."""
    standin.play({"text": LONG, "event_delay": 0.02, "usage": {"output_tokens": 4_321}})
    with gateway_to(standin) as gateway:
        answer = ask(gateway, preload_content=False)
        answer.read1()
        answer.close()
    assert gateway.usage.tokens.output == 4_321


def test_a_cut_stream_looks_cut(standin: StandIn) -> None:
    """A stream that breaks off at the provider breaks off at the client, too."""
    standin.play({"text": LONG, "drop_after": 5})
    with gateway_to(standin) as gateway, pytest.raises(urllib3.exceptions.ProtocolError):
        ask(gateway)
    assert gateway.trouble is not None
    assert gateway.usage.calls == 1


def test_parallel_calls_keep_the_limit(standin: StandIn) -> None:
    """Of eight calls at once only as many get through as the money pays for."""
    standin.play({"text": "one", "delay": 0.1, "usage": {"output_tokens": 50_000}}, repeat_last=True)
    statuses: list[int] = []
    with gateway_to(standin, limit_usd=3.5) as gateway:
        threads = [threading.Thread(target=lambda: statuses.append(ask(gateway).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] * 3 + [402] * 5
    assert gateway.usage.cost_usd <= 3.5
    assert gateway.budget_spent


def test_only_this_machine_can_reach_it(standin: StandIn) -> None:
    """The gateway listens on the loopback address alone."""
    with gateway_to(standin) as gateway:
        assert gateway._server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /v1/messages HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\n\r\n", b"403"),
        (b"HEAD / HTTP/1.1\r\n\r\n", b"403"),
    ],
)
def test_odd_requests_are_answered(standin: StandIn, request_: bytes, status: bytes) -> None:
    """A client that is not the CLI gets an error, not a crash."""
    import socket  # noqa: PLC0415 - this test alone speaks HTTP by hand

    with gateway_to(standin) as gateway:
        port = int(gateway.base_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request_)
            assert connection.recv(64).split()[1] == status
