"""Token counts are read out of answers, however they are cut into pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.model.framing import bedrock_chunk, frame, server_sent
from runner.gateway.meters import SafeMeter
from runner.prices import Tokens

SSE = "text/event-stream; charset=utf-8"
AWS = "application/vnd.amazon.eventstream"
EXPECTED = Tokens(cache_write=900, output=4_000)
START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "usage": {
            "input_tokens": 3,
            "output_tokens": 1,
            "cache_read_input_tokens": 500,
            "cache_creation_input_tokens": 70,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 50},
        }
    },
}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ä" * 300}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 250}}
STOP = {"type": "message_stop"}
USED = Tokens(input=3, output=250, cache_read=500, cache_write=70, cache_write_1h=50)


def encoded(kind: str, *events: dict[str, Any]) -> bytes:
    """Return events as they travel."""
    return b"".join((server_sent if kind == SSE else bedrock_chunk)(event) for event in events)


@pytest.mark.parametrize("kind", [SSE, AWS])
@given(st.integers(1, 700))
def test_pieces_do_not_matter(kind: str, size: int) -> None:
    """A whole stream gives the provider's own counts, whatever pieces it comes in."""
    data = encoded(kind, START, {"type": "ping"}, TEXT, DELTA, STOP)
    meter = SafeMeter(kind)
    for start in range(0, len(data), size):
        meter.feed(data[start : start + size])
    meter.finish()
    assert meter.tokens(EXPECTED) == USED


def test_a_whole_answer_is_read() -> None:
    """An answer without a stream has its usage at the end."""
    meter = SafeMeter("application/json")
    for byte in json.dumps({"content": [], "usage": {"input_tokens": 7, "output_tokens": 9}}).encode():
        meter.feed(bytes([byte]))
    meter.finish()
    assert meter.tokens(EXPECTED) == Tokens(input=7, output=9)


@pytest.mark.parametrize("kind", [SSE, AWS])
def test_a_broken_off_answer_is_estimated(kind: str) -> None:
    """Without an end the output is estimated from what arrived."""
    meter = SafeMeter(kind)
    meter.feed(encoded(kind, START, TEXT))
    assert meter.tokens(EXPECTED).output >= 100
    assert meter.tokens(EXPECTED).cache_read == 500


@pytest.mark.parametrize("kind", [SSE, AWS])
def test_an_answer_without_counts_costs_its_prompt(kind: str) -> None:
    """When nothing was counted, the prompt's estimate is booked."""
    assert SafeMeter(kind).tokens(EXPECTED) == Tokens(input=900)


@pytest.mark.parametrize("kind", [SSE, AWS, "application/json"])
def test_nonsense_costs_the_worst_case(kind: str) -> None:
    """An answer that cannot be read is booked with what was reserved, and disturbs nobody."""
    meter = SafeMeter(kind)
    meter.feed(b"data: {nonsense\n\n" * 3)
    meter.feed(encoded(AWS, STOP))
    meter.finish()
    assert meter.tokens(EXPECTED) == EXPECTED


def test_compaction_is_counted() -> None:
    """Passes that only `iterations` shows are paid for too."""
    passes = [
        {"type": "compaction", "input_tokens": 1_000, "output_tokens": 90},
        {"type": "message", "input_tokens": 3, "output_tokens": 10},
    ]
    delta = {**DELTA, "usage": {"output_tokens": 10, "iterations": passes}}
    meter = SafeMeter(SSE)
    meter.feed(encoded(SSE, START, delta, STOP))
    assert meter.tokens(EXPECTED).input == 1_003
    assert meter.tokens(EXPECTED).output == 100


def test_errors_inside_a_stream_are_seen() -> None:
    """Both services can fail after they have begun to answer."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    meter = SafeMeter(SSE)
    meter.feed(encoded(SSE, START, error))
    assert meter.error == ("overloaded_error", "Overloaded")
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    meter = SafeMeter(AWS)
    meter.feed(frame(headers, b'{"message":"Too many tokens"}'))
    assert meter.error == ("throttlingException", "Too many tokens")
