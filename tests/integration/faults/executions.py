"""More cells of the fault matrix: the execution is ended from outside, or its result is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright_engine import faults as engine
from tests.integration.faults.bench import HELD_SECONDS
from tests.integration.faults.cells import CLONE, ONE_PULL, REPORTING, TRACKING, Cell, fails, held

if TYPE_CHECKING:
    from tests.integration.faults.bench import Bench

LIMIT_SECONDS = 60
"""How long an execution may take that is to time out: long enough to come to the state that is meant."""
_REPORT_TRIES = 3


def _abort_opening(bench: Bench) -> None:
    bench.until_held(TRACKING)
    bench.abort()


def _abort_waiting(bench: Bench) -> None:
    bench.until_state("AdmitSession")
    bench.abort()
    bench.empty_slots()


def _wait_for_slot(bench: Bench) -> None:
    bench.until_state("AdmitSession")
    assert bench.session.status() == "RUNNING"
    bench.empty_slots()


def _delay_report(bench: Bench) -> None:
    """Let ReportOutcome die a few times, before it has read what we are about to take away."""
    bench.order(engine.KILL_FUNCTION, REPORTING, times=_REPORT_TRIES)


def _lose_result(bench: Bench) -> None:
    bench.take_artifact("result.json")


def _ask_again(bench: Bench) -> None:
    bench.until_held(CLONE)
    bench.kill_task()
    bench.end()
    failed = bench.session.record()
    assert failed["error"] == "TaskLost", failed
    bench.label_again()


EXECUTIONS = (
    Cell(
        "OpenPullRequest",
        "execution aborted",
        "SessionStopped",
        "user",
        "stopped",
        github=(held("GET", TRACKING),),
        during=_abort_opening,
        execution="ABORTED",
    ),
    Cell(
        "AdmitSession",
        "execution aborted while it waited for a slot",
        "SessionStopped",
        "user",
        "stopped",
        before=lambda bench: bench.fill_slots(),
        during=_abort_waiting,
        execution="ABORTED",
    ),
    Cell(
        "AdmitSession",
        "no slot of the repository for a while",
        before=lambda bench: bench.fill_slots(),
        during=_wait_for_slot,
    ),
    Cell(
        "RunAgent",
        "GitHub 401 for good at the push",
        "GitHubUnavailable",
        "transient",
        "GitHub",
        github=(fails("*", ".git/.*receive-pack", 401, times=None),),
    ),
    Cell("ReportOutcome", "GitHub 401 until the next sweep", github=(fails("GET", ONE_PULL, 401),)),
    Cell(
        "RunAgent",
        "execution timed out",
        "TimeLimit",
        "limit",
        "time was up",
        github=({**held("POST", CLONE), "delay": HELD_SECONDS + LIMIT_SECONDS},),
        during=lambda bench: bench.until_held(CLONE),
        execution="TIMED_OUT",
        limit=LIMIT_SECONDS,
    ),
    Cell(
        "ReportOutcome",
        "result missing",
        "TaskLost",
        "service",
        "exit code 0 without leaving a result",
        before=_delay_report,
        during=_lose_result,
    ),
    Cell(
        "RunAgent",
        "task killed with SIGKILL, then the label removed and added again",
        github=(held("POST", CLONE),),
        during=_ask_again,
        sessions=2,
    ),
)
