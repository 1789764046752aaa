"""The gateway over real connections: as it comes, to the end, and no further than the money."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from runner.gateway import Gateway, GatewayConfig, Trouble
from tests.container.cli import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """Provide the model stand-in."""
    with StandIn.running() as running:
        yield running


def gateway_to(
    standin: StandIn, limit_usd: float = 5.0, waiting: Callable[[Trouble], None] = lambda _: None
) -> Gateway:
    """Return a gateway to it."""
    return Gateway(
        GatewayConfig(
            provider="anthropic", model=MODEL, limit_usd=limit_usd, api_key="k", anthropic_url=standin.url
        ),
        waiting,
    )


def ask(gateway: Gateway, **options: Any) -> urllib3.BaseHTTPResponse:
    """Send a request to the gateway."""
    return urllib3.request(
        "POST",
        f"{gateway.base_url}/v1/messages",
        json=BODY,
        headers=HEADERS,
        retries=False,
        **{"timeout": 30, **options},
    )


def test_a_stream_is_not_held_back(standin: StandIn) -> None:
    """What the model has said arrives while it still thinks; cut off by the gateway's end, it costs all."""
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
    # How much more the model would have said, and may have been paid for, nobody knows.
    assert gateway.usage.tokens.output == BODY["max_tokens"]
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
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: " + b"9" * 5_000 + b"\r\n\r\n", b"413"),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: -1\r\n\r\n", b"400"),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}", b"400"),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", b"415"),
        (b"POST /v1/messages HTTP/1.1\r\nx: " + b"y" * 40_000 + b"\r\n\r\n", b"431"),
        (b"POST /v1/messages HTTP/1.1\r\n" + b"x: y\r\n" * 9_000 + b"\r\n", b"431"),
        (b"POST /v1/messages" + b"?" * 50_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n\r\n", b"403"),
        (b"HEAD / HTTP/1.1\r\n\r\n", b"403"),
    ],
)
def test_odd_requests_are_answered(standin: StandIn, request_: bytes, status: bytes) -> None:
    """A client that is not the CLI gets an error, not a crash."""
    import socket  # noqa: PLC0415 - this test alone speaks HTTP by hand

    with gateway_to(standin) as gateway:
        request_ = request_.replace(b" /", b" /" + gateway.base_url.rpartition("/")[2].encode() + b"/", 1)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            connection.sendall(request_)
            assert connection.recv(64).split()[1] == status


@pytest.mark.parametrize("path", ["", "/v1/messages", "/{short}/v1/messages", "/{wrong}/v1/messages"])
def test_an_address_without_the_token_leads_nowhere(standin: StandIn, path: str) -> None:
    """Who reaches the port but was not told the token gets 401, and the model hears nothing."""
    standin.play({"text": "one"})
    with gateway_to(standin) as gateway:
        token = gateway.base_url.rpartition("/")[2]
        path = path.format(short=token[:-1], wrong=token[::-1])
        answer = urllib3.request(
            "POST", f"http://127.0.0.1:{gateway.port}{path}", json=BODY, headers=HEADERS, retries=False
        )
        assert (answer.status, answer.json()["error"]["type"]) == (401, "authentication_error")
        assert standin.requests() == []
        assert ask(gateway).status == 200


def test_a_call_outlives_a_short_outage(standin: StandIn) -> None:
    """The client waits for a service that fails twice, and hears of nothing but the answer."""
    standin.play({"text": "one", "fault": {"status": 529, "times": 2}})
    told: list[int] = []
    with gateway_to(standin, waiting=lambda trouble: told.append(trouble.status)) as gateway:
        assert ask(gateway).status == 200
    assert told == [529, 529]
    assert [request["status"] for request in standin.requests()] == [529, 529, 200]


def test_nobody_waits_for_a_client_that_left(standin: StandIn) -> None:
    """A client that closes its connection while the service fails is not asked for again."""
    standin.play({"text": "one", "fault": {"status": 529, "headers": {"retry-after": "2"}, "times": 1}})
    waiting = threading.Event()
    with gateway_to(standin, waiting=lambda _: waiting.set()) as gateway:
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            ask(gateway, timeout=0.5)
        assert waiting.wait(10)
        # The pause that the service asked for passes without another call.
        time.sleep(2.5)
    assert [request["status"] for request in standin.requests()] == [529]
