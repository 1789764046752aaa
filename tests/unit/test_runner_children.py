"""Waiting for the runner's own processes."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from runner.children import child, wait_for


@pytest.fixture(params=["pidfd", "without pidfd"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide a kernel that tells of a process's end, and one that does not."""
    if request.param != "pidfd":
        monkeypatch.delattr(os, "pidfd_open")


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("code", [0, 7, -9])
def test_the_exit_code_of_a_process_that_has_ended(code: int) -> None:
    """It is returned as `subprocess` has it, as often as it is asked for."""
    script = "kill -9 $$" if code < 0 else f"exit {code}"
    with child(["sh", "-c", script]) as process:
        assert wait_for(process, 60) == code
        assert wait_for(process, 0) == code
        assert process.returncode == code


@pytest.mark.usefixtures("kernel")
def test_a_process_that_still_runs_has_no_exit_code() -> None:
    """It is neither waited for any longer nor ended."""
    with child(["sleep", "60"]) as process:
        assert wait_for(process, 0.001) is None
        assert process.poll() is None


def test_an_end_is_not_looked_for_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel wakes whoever waits: nothing sleeps in between."""

    def sleep(_: float) -> None:
        raise AssertionError("it slept")

    monkeypatch.setattr(time, "sleep", sleep)
    with child(["sleep", "0.01"], stdout=subprocess.DEVNULL) as process:
        assert wait_for(process, 60) == 0
