"""A call is paid for by what came of it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import urllib3
from urllib3.exceptions import ProtocolError

from local.model.framing import server_sent
from runner.gateway.budget import Budget
from runner.gateway.provider import Anthropic
from runner.gateway.refusal import Refusal
from runner.gateway.relay import Client, Relay
from runner.gateway.upstream import Unanswered, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "claude-opus-4-5"
BODY = {"model": MODEL, "max_tokens": 1_000, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
USAGE = {"input_tokens": 10, "output_tokens": 1}
EVENTS = [
    server_sent({"type": "message_start", "message": {"usage": USAGE}}),
    server_sent({"type": "message_delta", "usage": {"output_tokens": 20}}),
    server_sent({"type": "message_stop"}),
]
SSE = {"content-type": "text/event-stream", "server": "theirs", "request-id": "req_1"}


class FakeAnswer:
    """An answer that ends, or breaks off."""

    def __init__(self, status: int, headers: dict[str, str], pieces: list[bytes], *, breaks: bool) -> None:
        self.status = status
        self.headers = urllib3.HTTPHeaderDict(headers)
        self._pieces = iter(pieces)
        self._breaks = breaks

    def read1(self, _amount: int) -> bytes:
        """Return the next piece."""
        piece = next(self._pieces, b"")
        if not piece and self._breaks:
            raise ProtocolError("cut")
        return piece

    def read(self, _amount: int) -> bytes:
        """Return all pieces."""
        return b"".join(self._pieces)


class FakeUpstream:
    """A provider that gives one answer, or none."""

    def __init__(self, answer: FakeAnswer | Refusal) -> None:
        self._answer = answer

    @contextmanager
    def post(self, *_call: object) -> Iterator[FakeAnswer]:
        """Give it."""
        if isinstance(self._answer, Refusal):
            raise self._answer
        yield self._answer


class Caller:
    """Forwards one call and keeps what the client got."""

    def __init__(self, answer: FakeAnswer | Refusal, *, leaves_after: int | None = None) -> None:
        provider = Anthropic((MODEL,), "key", "https://api.example")
        self.budget = Budget(5)
        self.relay = Relay(provider, self.budget, cast("Upstream", FakeUpstream(answer)))
        self.call = provider.read("POST", "/v1/messages", json.dumps(BODY).encode())
        self.started: list[tuple[int, dict[str, str]]] = []
        self.pieces: list[bytes] = []
        self._leaves_after = leaves_after

    def forward(self) -> bool:
        """Forward it."""
        client = Client(lambda status, headers: self.started.append((status, headers)), self._take)
        return self.relay.forward(self.call, {}, client)

    def _take(self, piece: bytes) -> None:
        if len(self.pieces) == self._leaves_after:
            raise BrokenPipeError
        self.pieces.append(piece)

    @property
    def cost(self) -> float:
        """US dollars booked; nothing may still be reserved."""
        self.budget.settle(self.budget.reserve(MODEL, _all_of(5 - self.budget.usage.cost_usd)), MODEL, None)
        return self.budget.usage.cost_usd


def _all_of(usd: float) -> Any:
    from runner.prices import Tokens  # noqa: PLC0415 - used here only

    return Tokens(output=int(usd / 25 * 1e6) - 1)


def test_an_answer_is_passed_on_and_paid() -> None:
    """All pieces arrive one by one, with the headers that matter and no others."""
    caller = Caller(FakeAnswer(200, SSE, EVENTS, breaks=False))
    assert caller.forward()
    assert caller.pieces == EVENTS
    assert caller.started == [(200, {"content-type": "text/event-stream", "request-id": "req_1"})]
    assert caller.cost == pytest.approx((10 * 5 + 20 * 25) / 1e6)
    assert caller.relay.trouble is None


def test_a_client_that_leaves_pays_all() -> None:
    """The answer is read to its end, so that it is booked as the provider bills it."""
    caller = Caller(FakeAnswer(200, SSE, EVENTS, breaks=False), leaves_after=1)
    caller.forward()
    assert caller.pieces == EVENTS[:1]
    assert caller.cost == pytest.approx((10 * 5 + 20 * 25) / 1e6)


def test_a_broken_answer_is_cut_and_paid_as_far_as_it_came() -> None:
    """The client must not take half an answer for a whole one."""
    caller = Caller(FakeAnswer(200, SSE, EVENTS[:1], breaks=True))
    assert not caller.forward()
    assert caller.cost == pytest.approx((10 * 5 + 1 * 25) / 1e6)
    assert caller.relay.trouble is not None
    assert caller.relay.trouble.status == 502


def test_an_error_answer_costs_nothing() -> None:
    """It is passed on as it is and remembered."""
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    caller = Caller(FakeAnswer(529, {"retry-after": "3"}, [body], breaks=False))
    assert caller.forward()
    assert caller.started == [(529, {"retry-after": "3"})]
    assert caller.pieces == [body]
    assert caller.cost == 0
    assert caller.relay.trouble is not None
    assert (caller.relay.trouble.type, caller.relay.trouble.message) == ("overloaded_error", "Overloaded")


@pytest.mark.parametrize(("sent", "paid"), [(False, False), (True, True)])
def test_no_answer(*, sent: bool, paid: bool) -> None:
    """A call that the provider may have got is paid for its prompt; one that it never got is not."""
    caller = Caller(Unanswered(sent=sent))
    with pytest.raises(Unanswered):
        caller.forward()
    assert (caller.cost > 0) is paid
