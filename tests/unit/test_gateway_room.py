"""What a body may take of the runner's memory is known before it is taken."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.gateway.json_body import MAX_DECODING, decode, encode, memory_to_decode
from runner.gateway.refusal import Refusal
from runner.gateway.room import Room

# What an empty interpreter's first call of the decoder allocates.
_SLACK = 20_000
# The decoder asks for so many bytes for each of the text, whatever it holds; the system gives it those it
# writes to, which `test_gateway_memory.py` measures.
_ASKED_FOR = 12
TEXT = st.text(max_size=30) | st.sampled_from(
    ["\U0001f600" + "a" * 3_000, "é" * 900, "\x01" * 500, "a" * 5_000]
)
JSON = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXT, inner, max_size=30),
    max_leaves=200,
)


@given(st.dictionaries(TEXT, JSON, max_size=30), st.booleans())
def test_decoding_takes_no_more_than_was_counted(value: dict[str, Any], escaped: bool) -> None:  # noqa: FBT001 - drawn
    """The oracle is CPython's own count of what it has allocated (tracemalloc)."""
    raw = json.dumps(value, ensure_ascii=escaped, separators=(",", ":")).encode()
    tracemalloc.start()
    try:
        body = decode(raw)
        encode(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= memory_to_decode(raw) + _ASKED_FOR * len(raw) + _SLACK


@pytest.mark.parametrize("unit", ["[]", "{}", '{"a":{"b":{"c":[[[]]]}}}', "1.5", '"ab"', '"é"'])
def test_many_values_are_refused_before_they_are_decoded(unit: str) -> None:
    """413 takes no memory to speak of."""
    raw = ('{"a":[' + ",".join([unit] * (9_000_000 // (len(unit) + 1))) + "]}").encode()
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as caught:
            decode(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.status == 413
    assert peak < 100_000


def test_large_images_are_not_refused() -> None:
    """Twelve megabytes of one string are within bounds."""
    assert memory_to_decode(b'{"a":"' + b"A" * 12_000_000 + b'"}') < MAX_DECODING


def test_a_room_is_shared() -> None:
    """Who finds no room is told so; who leaves makes room, once."""
    room = Room(10, wait=0)
    first = room.take(6)
    with pytest.raises(Refusal) as caught:
        room.take(6)
    assert caught.value.status == 429
    first.leave()
    first.leave()
    whole = room.take(10)
    with pytest.raises(Refusal):
        room.take(1)
    whole.leave()
