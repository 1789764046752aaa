"""Failures that tests order from the engine."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from pullwright_engine.faults import EXHAUST_TASK, KILL_FUNCTION, Faults, write_orders

if TYPE_CHECKING:
    from pathlib import Path


def test_a_failure_strikes_what_it_names_and_as_often_as_ordered(tmp_path: Path) -> None:
    """Only the right kind and text is struck, once unless ordered otherwise; without a file nothing is."""
    file = tmp_path / "faults.json"
    faults = Faults(file)
    assert not faults.possible
    assert not faults.strikes(KILL_FUNCTION, "session-7")
    order = {"id": "a", "what": KILL_FUNCTION, "contains": ["session-7", "input"], "times": 2}
    file.write_text(json.dumps([order]))
    assert not faults.strikes(EXHAUST_TASK, "input of session-7")
    assert not faults.strikes(KILL_FUNCTION, "output of session-7")
    assert [faults.strikes(KILL_FUNCTION, "input of session-7") for _ in range(3)] == [True, True, False]


def test_orders_may_change_while_they_are_read(tmp_path: Path) -> None:
    """What is ordered again and again, and taken back, never meets a reader half-written."""
    file = tmp_path / "faults.json"
    order = {"id": "a", "what": KILL_FUNCTION, "contains": ["x" * 200_000], "times": 1}
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            for _ in range(20):
                write_orders(file, [order])
            file.unlink()

    writer = threading.Thread(target=change)
    writer.start()
    faults = Faults(file)
    try:
        assert not any(faults.strikes(KILL_FUNCTION, "none of it") for _ in range(500))
    finally:
        ended.set()
        writer.join()
