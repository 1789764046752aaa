"""The session's money holds, whatever runs at once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.prices import Tokens
from pullwright.results import TokenUsage
from runner.gateway.budget import Budget
from runner.gateway.refusal import Refusal
from tests.unit.runner_kit import listed

MODEL = "claude-opus-4-5"  # $5 and $25 for a million
DOLLAR = Tokens(output=40_000)


def test_a_call_is_reserved_and_settled() -> None:
    """The reserve is given back and what was used is booked."""
    budget = Budget(1.5, listed)
    reserved = budget.reserve(MODEL, DOLLAR)
    budget.settle(reserved, MODEL, Tokens(input=100_000, cache_read=1_000_000))
    assert reserved == pytest.approx(1)
    assert budget.usage.cost_usd == pytest.approx(1)
    assert budget.usage.calls == 1
    assert budget.usage.by_model == {MODEL: TokenUsage(input=100_000, cache_read=1_000_000)}


def test_too_little_money_stops_the_cli() -> None:
    """A call that may cost more than is left gets 402, and the gateway remembers."""
    budget = Budget(1.5, listed)
    budget.settle(budget.reserve(MODEL, DOLLAR), MODEL, DOLLAR)
    assert not budget.exhausted
    with pytest.raises(Refusal) as caught:
        budget.reserve(MODEL, DOLLAR)
    assert (caught.value.status, caught.value.type) == (402, "billing_error")
    assert budget.exhausted


def test_a_failed_call_costs_nothing() -> None:
    """Its reserve comes back whole."""
    budget = Budget(1.0, listed)
    budget.settle(budget.reserve(MODEL, DOLLAR), MODEL, None)
    assert budget.usage.calls == 0
    assert budget.reserve(MODEL, DOLLAR) == pytest.approx(1)


def test_a_parallel_call_waits_for_a_reserve() -> None:
    """When only another call's reserve is in the way, the second call waits until it is settled."""
    budget = Budget(1.2, listed)
    first = budget.reserve(MODEL, DOLLAR)
    second: list[float] = []
    thread = threading.Thread(target=lambda: second.append(budget.reserve(MODEL, DOLLAR)))
    thread.start()
    assert not second
    budget.settle(first, MODEL, Tokens(output=4_000))
    thread.join()
    assert second == [pytest.approx(1)]


def test_a_waiting_call_is_refused_when_the_money_goes() -> None:
    """A call that waited is refused once the other one has used up what it needs."""
    budget = Budget(1.2, listed)
    first = budget.reserve(MODEL, DOLLAR)
    caught: list[Refusal] = []

    def wait() -> None:
        try:
            budget.reserve(MODEL, DOLLAR)
        except Refusal as refusal:
            caught.append(refusal)

    thread = threading.Thread(target=wait)
    thread.start()
    budget.settle(first, MODEL, DOLLAR)
    thread.join()
    assert [refusal.status for refusal in caught] == [402]


@given(st.lists(st.tuples(st.integers(0, 60_000), st.floats(0, 1)), max_size=30), st.floats(0.01, 5))
def test_never_more_than_the_limit(calls: list[tuple[int, float]], limit: float) -> None:
    """As long as calls cost no more than their worst case, the limit is never passed."""
    budget = Budget(limit, listed)
    for output, share in calls:
        try:
            reserved = budget.reserve(MODEL, Tokens(output=output))
        except Refusal:
            continue
        budget.settle(reserved, MODEL, Tokens(output=int(output * share)))
    assert budget.usage.cost_usd <= limit + 1e-9
