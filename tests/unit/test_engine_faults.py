"""Failures that tests order from the engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pullwright_engine.faults import EXHAUST_TASK, KILL_FUNCTION, Faults

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
