"""Token counts are read out of answers, however they are cut into pieces."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_standin.framing import bedrock_chunk, frame, server_sent
from pullwright.prices import Tokens
from runner.gateway.meters import SafeMeter
from tests.unit.runner_kit import listed

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
def test_a_broken_off_answer_is_as_long_as_allowed(kind: str) -> None:
    """Without an end, what was said of the prompt holds; how long the answer became is not known."""
    meter = SafeMeter(kind)
    meter.feed(encoded(kind, START, TEXT, DELTA))
    assert meter.tokens(EXPECTED) == replace(USED, output=4_000)
    assert meter.prompt_tokens is None


@pytest.mark.parametrize("kind", [SSE, AWS])
def test_an_answer_without_counts_costs_the_worst_case(kind: str) -> None:
    """When nothing was counted, what was reserved is booked."""
    assert SafeMeter(kind).tokens(EXPECTED) == EXPECTED
    meter = SafeMeter(kind)
    meter.feed(encoded(kind, {"type": "message_start", "message": {}}, STOP))
    assert meter.tokens(EXPECTED) == EXPECTED


@pytest.mark.parametrize("kind", [SSE, AWS])
def test_an_end_without_a_last_count_is_as_long_as_allowed(kind: str) -> None:
    """The count at the start of a stream says nothing of its end."""
    meter = SafeMeter(kind)
    meter.feed(encoded(kind, START, TEXT, {"type": "message_delta", "delta": {}}, STOP))
    assert meter.tokens(EXPECTED).output == 4_000


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "cache_read_input_tokens"])
@pytest.mark.parametrize("value", [-1, "7", 7.5, True, [7], {"n": 7}, float("nan"), float("inf")])
def test_counts_that_are_no_counts_cost_the_worst_case(field: str, value: object) -> None:
    """A count that is none is no reason to believe the others."""
    usage = {"input_tokens": 7, "output_tokens": 9, field: value}
    meter = SafeMeter("application/json")
    meter.feed(json.dumps({"usage": usage}).encode())
    meter.finish()
    assert meter.tokens(EXPECTED) == EXPECTED
    assert meter.prompt_tokens is None


def test_an_hour_in_the_cache_is_paid_for() -> None:
    """Without a breakdown, all that was written stays as long as the request asked for."""
    usage = {"input_tokens": 7, "output_tokens": 9, "cache_creation_input_tokens": 100}
    meter = SafeMeter("application/json")
    meter.feed(json.dumps({"usage": usage}).encode())
    meter.finish()
    assert meter.tokens(replace(EXPECTED, cache_write_1h=900)).cache_write_1h == 100
    assert meter.tokens(EXPECTED).cache_write_1h == 0


def test_where_the_model_ran_is_seen() -> None:
    """A workspace may be set to the United States, which costs a tenth more (`inference_geo`)."""
    usage = {"input_tokens": 7, "output_tokens": 9, "inference_geo": "us"}
    meter = SafeMeter("application/json")
    meter.feed(json.dumps({"usage": usage}).encode())
    meter.finish()
    used = meter.tokens(EXPECTED)
    assert listed("claude-opus-4-6").cost(used) == pytest.approx(1.1 * (7 * 5 + 9 * 25) / 1e6)
    assert listed("claude-opus-4-5").cost(used) == pytest.approx((7 * 5 + 9 * 25) / 1e6)


def test_an_answer_that_is_too_long_to_keep_costs_the_worst_case() -> None:
    """What is read of an answer stays within bounds."""
    meter = SafeMeter("application/json")
    for _ in range(20):
        meter.feed(b" " * 64 * 1024)
    meter.feed(b'{"usage":{"input_tokens":7,"output_tokens":9}}')
    meter.finish()
    assert meter.tokens(EXPECTED) == EXPECTED


@pytest.mark.parametrize("kind", [SSE, AWS, "application/json"])
def test_nonsense_costs_the_worst_case(kind: str) -> None:
    """An answer that cannot be read is booked with what was reserved, and disturbs nobody."""
    meter = SafeMeter(kind)
    meter.feed(b"data: {nonsense\n\n" * 3)
    meter.feed(encoded(AWS, STOP))
    meter.finish()
    assert meter.tokens(EXPECTED) == EXPECTED


def test_compaction_is_counted() -> None:
    """Pass that only `iterations` shows are paid for too."""
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
