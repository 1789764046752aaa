"""A call is paid for by what came of it."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
import urllib3
from urllib3.exceptions import ProtocolError

from model_standin.framing import server_sent
from runner.gateway.budget import Budget
from runner.gateway.patience import PASSING, Patience
from runner.gateway.provider import Anthropic
from runner.gateway.refusal import Refusal
from runner.gateway.relay import Client, Relay, Trouble
from runner.gateway.upstream import Unanswered, Upstream
from tests.unit.runner_kit import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """A provider that gives these answers, one for each call, or none."""

    def __init__(self, answers: tuple[FakeAnswer | Refusal, ...]) -> None:
        self.left = list(answers)

    @contextmanager
    def post(self, *_call: object) -> Iterator[FakeAnswer]:
        """Give the next."""
        answer = self.left.pop(0)
        if isinstance(answer, Refusal):
            raise answer
        yield answer


class FakePatience(Patience):
    """Patience whose pauses take no time; each is a second on its clock."""

    def __init__(self, seconds: float) -> None:
        self.time = 0.0
        super().__init__(seconds, clock=lambda: self.time)

    def wait(self, seconds: float, gone: Callable[[], bool]) -> bool:
        """Let the time pass."""
        assert seconds >= 0
        self.time += 1
        return not gone()


class Caller:
    """Forwards one call and keeps what the client got."""

    def __init__(
        self, *answers: FakeAnswer | Refusal, leaves_after: int | None = None, patience: float = 0
    ) -> None:
        provider = Anthropic((MODEL,), "key", "https://api.example")
        self.budget = Budget(5, listed)
        self.upstream = FakeUpstream(answers)
        self.waits: list[Trouble] = []
        self.relay = Relay(
            provider,
            self.budget,
            cast("Upstream", self.upstream),
            FakePatience(patience),
            self.waits.append,
        )
        self.call = provider.read(provider.route("POST", "/v1/messages"), {}, json.dumps(BODY).encode())
        self.started: list[tuple[int, dict[str, str]]] = []
        self.pieces: list[bytes] = []
        self._leaves_after = leaves_after

    def forward(self) -> bool:
        """Forward it."""
        client = Client(lambda status, headers: self.started.append((status, headers)), self._take)
        return self.relay.forward(self.call, client)

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
    from pullwright.prices import Tokens  # noqa: PLC0415 - used here only

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


@pytest.mark.parametrize("events", [1, 2])
def test_a_broken_answer_is_cut_and_paid_whole(events: int) -> None:
    """The client must not take half an answer for a whole one; how long it became is not known."""
    caller = Caller(FakeAnswer(200, SSE, EVENTS[:events], breaks=True))
    assert not caller.forward()
    assert caller.cost == pytest.approx((10 * 5 + 1_000 * 25) / 1e6)
    assert caller.relay.trouble is not None
    assert caller.relay.trouble.status == 502


def test_an_error_answer_costs_nothing() -> None:
    """It is passed on as it is and remembered."""
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    caller = Caller(FakeAnswer(529, {"retry-after": "3"}, [body], breaks=False))
    assert caller.forward()
    # Patience is over, so the client is told not to try again either.
    assert caller.started == [(529, {"retry-after": "3", "x-should-retry": "false"})]
    assert caller.pieces == [body]
    assert caller.cost == 0
    assert caller.relay.trouble is not None
    assert (caller.relay.trouble.type, caller.relay.trouble.message) == ("overloaded_error", "Overloaded")


def test_a_call_that_was_never_sent_costs_nothing() -> None:
    """The provider cannot bill what it never got."""
    caller = Caller(Unanswered(sent=False))
    with pytest.raises(Unanswered):
        caller.forward()
    assert caller.cost == 0


@pytest.mark.parametrize(
    "answer",
    [
        Unanswered(sent=True),
        FakeAnswer(200, SSE, [], breaks=True),
        FakeAnswer(200, SSE, [b"<html>"], breaks=False),
        FakeAnswer(200, {"content-type": "application/json"}, [b"{}"], breaks=False),
        FakeAnswer(202, {"content-type": "text/html"}, [b"soon"], breaks=False),
    ],
    ids=["no answer", "cut at once", "no events", "no usage", "another success"],
)
def test_a_sent_call_costs_its_worst_case(answer: FakeAnswer | Refusal) -> None:
    """Until an answer says less, its prompt is all written to the cache and its answer as long as allowed."""
    caller = Caller(answer)
    prompt = caller.call.prompt.tokens
    with suppress(Unanswered):
        caller.forward()
    assert caller.cost == pytest.approx((prompt * 1.25 * 5 + 1_000 * 25) / 1e6)


def failing(status: int, **headers: str) -> FakeAnswer:
    """Return an error of the provider's."""
    return FakeAnswer(status, headers, [b'{"error":{"type":"x"}}'], breaks=False)


def good() -> FakeAnswer:
    """Return a whole answer."""
    return FakeAnswer(200, SSE, EVENTS, breaks=False)


NO_CREDENTIALS = Refusal(503, "api_error", "none")


@pytest.mark.parametrize(
    "first",
    [*map(failing, sorted(PASSING)), Unanswered(sent=False), NO_CREDENTIALS],
    ids=lambda first: f"{type(first).__name__} {first.status}",
)
def test_a_failure_that_may_pass_is_tried_again(first: FakeAnswer | Refusal) -> None:
    """The client gets the answer that came in the end, and each wait was told."""
    caller = Caller(first, good(), patience=10)
    assert caller.forward()
    assert [status for status, _ in caller.started] == [200]
    assert caller.pieces == EVENTS
    assert [wait.status for wait in caller.waits] == [first.status]
    assert caller.cost == pytest.approx((10 * 5 + 20 * 25) / 1e6)


@pytest.mark.parametrize(
    "answer",
    [*map(failing, (400, 401, 403, 404, 413)), failing(429, **{"x-should-retry": "false"})],
    ids=lambda answer: str(answer.status),
)
def test_a_failure_that_will_not_pass_is_told_at_once(answer: FakeAnswer) -> None:
    """Nothing is repeated that would fail again, by the CLI either: it gives up at a 402 only."""
    caller = Caller(answer, patience=10)
    assert caller.forward()
    told = 402 if answer.status in {401, 403} else answer.status
    assert [status for status, _ in caller.started] == [told]
    assert caller.waits == []
    assert caller.relay.trouble is not None
    assert caller.relay.trouble.status == answer.status


def test_patience_ends() -> None:
    """A service that fails for longer than that fails the call; the next call has one attempt."""
    caller = Caller(*(failing(503) for _ in range(5)), patience=3)
    caller.forward()
    assert len(caller.waits) == 3
    assert [status for status, _ in caller.started] == [503]
    caller.forward()
    assert [status for status, _ in caller.started] == [503, 503]
    assert caller.upstream.left == []


def test_patience_is_fresh_after_a_success() -> None:
    """An outage counts from its own beginning."""
    caller = Caller(*(failing(500), failing(500), good()) * 2, patience=2.5)
    assert caller.forward()
    assert caller.forward()
    assert [status for status, _ in caller.started] == [200, 200]


def test_a_pause_longer_than_patience_is_not_begun() -> None:
    """A service that wants to be left alone for hours is believed."""
    caller = Caller(failing(429, **{"retry-after": "3600"}), patience=240)
    caller.forward()
    assert [status for status, _ in caller.started] == [429]
    assert caller.waits == []


def test_pauses_grow_and_respect_what_is_asked_for() -> None:
    """From a second to half a minute, never past the end of patience; a longer wish is granted."""
    patience = FakePatience(1_000)
    pauses = [patience.pause(attempt) or 0 for attempt in range(12)]
    assert 0.5 <= pauses[0] <= 1
    assert 15 <= pauses[-1] <= 30
    assert patience.pause(0, 60.0) == 60
    patience.time = 999
    assert patience.pause(5) == 1
    patience.time = 1_000
    assert patience.pause(0) is None
