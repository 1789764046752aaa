"""What a body may take of the runner's memory is known before it is taken."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.gateway.body_memory import BodyMemory
from runner.gateway.json_body import MAX_DECODING, decode, encode, memory_to_decode
from runner.gateway.refusal import Refusal

# What the first use of the decoder allocates for good.
_SLACK = 4_000
TEXT = st.text(max_size=8) | st.sampled_from(
    ["\U0001f600" + "a" * 3_000, "é" * 900, "\x01" * 500, "a" * 5_000]
)
UNITS = ["[]", "{}", '{"a":{"b":{"c":[[[]]]}}}', "1.5", '"ab"', '"é"']
JSON = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXT, inner, max_size=30),
    max_leaves=50,
)


@given(st.dictionaries(TEXT, JSON, max_size=8), st.booleans())
def test_decoding_takes_no_more_than_was_counted(value: dict[str, Any], escaped: bool) -> None:  # noqa: FBT001 - drawn
    """The oracle is CPython's own count of what it has allocated (tracemalloc).

    Looked at is what is left when the text's own copy is gone; `test_gateway_memory.py` measures the whole.
    """
    raw = json.dumps(value, ensure_ascii=escaped, separators=(",", ":")).encode()
    tracemalloc.start()
    try:
        body = decode(raw)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size <= memory_to_decode(raw) - len(raw) + _SLACK
    assert encode(body) == encode(decode(encode(body)))


@pytest.mark.parametrize("unit", UNITS)
def test_small_values_take_no_more_than_was_counted(unit: str) -> None:
    """The densest values, as many as are let through."""
    raw = ('{"a":[' + ",".join([unit] * 10_000) + "]}").encode()
    tracemalloc.start()
    try:
        body = decode(raw)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(body["a"]) == 10_000
    assert size <= memory_to_decode(raw) - len(raw) + _SLACK


@pytest.mark.parametrize("unit", UNITS)
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
    memory = BodyMemory(10, wait=0)
    first = memory.reserve(6)
    with pytest.raises(Refusal) as caught:
        memory.reserve(6)
    assert caught.value.status == 429
    first.release()
    first.release()
    whole = memory.reserve(10)
    with pytest.raises(Refusal):
        memory.reserve(1)
    whole.release()
