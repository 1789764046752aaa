"""Hundreds of sessions that wait for a slot keep nobody from giving one back."""

from __future__ import annotations

import pytest

from tests.benchmarks.simulation.slots import WRITE_UNITS, Heat, Hot, Simulation


def _run(waiting: int, *, look_first: bool = True, seed: int = 1) -> Heat:
    return Simulation(Hot(waiting=waiting, look_first=look_first, hours=0.25), seed).run()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("waiting", [1, 500, 1_000])
def test_slots_hold_with_as_many_waiting(waiting: int, seed: int) -> None:
    """No CloseSession gives up, no slot is taken twice, hardly one lies idle, and the partition has room."""
    heat = _run(waiting, seed=seed)
    assert heat.leaked == 0
    assert heat.most <= 500
    assert heat.closed > 500
    # With one session waiting, each slot that comes free lies idle until its next look.
    assert heat.idle / heat.seconds < (500 * 0.05 if waiting == 1 else 5)
    assert heat.write_units / heat.seconds < WRITE_UNITS / 2


def test_writing_at_each_attempt_would_not_hold() -> None:
    """Where each attempt writes, sessions give up closing: what the look is for, and that it is measured."""
    heat = _run(500, look_first=False)
    assert heat.leaked > 10
    assert heat.cancelled["throttled"] > heat.closed
    assert heat.write_units / heat.seconds == pytest.approx(WRITE_UNITS, rel=0.01)
    assert heat.most <= 500
