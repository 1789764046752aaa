"""More cells of the fault matrix: the execution is ended from outside, or its result is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright_engine import faults as engine
from tests.integration.faults.cells import (
    CLONE,
    ONE_PULL,
    REPORTING,
    REPOSITORY,
    TRACKING,
    Cell,
    fails,
    held,
    recall,
    refuse_call,
)
from tests.integration.faults.trial import HELD_SECONDS, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.faults.trial import Trial

LIMIT_SECONDS, LONG_LIMIT_SECONDS = 75, 180
"""How long an execution may take that is to time out: long enough to come to the state that is meant."""
_WHILE_WE_LOOK = int(SECONDS)
"""The limit of an execution that is to try again until we stop it."""
_REPORT_TRIES = 3


def _abort_opening(trial: Trial) -> None:
    trial.until_held(TRACKING)
    trial.abort()


def _abort_waiting(trial: Trial) -> None:
    trial.until_state("WaitForSlot")
    trial.abort()
    trial.empty_slots()


def _abort_in(state: str) -> Callable[[Trial], None]:
    def abort(trial: Trial) -> None:
        trial.until_state(state)
        trial.abort()
        recall(trial)

    return abort


def _until_ended_in(*states: str) -> Callable[[Trial], None]:
    """Wait for the end of an execution that cannot leave its states, and let AWS be back then."""

    def wait(trial: Trial) -> None:
        recall(trial)
        visits = [visit.name for visit in trial.session.visits()]
        assert visits[-1] in states, visits

    return wait


def _wait_in_vain(trial: Trial) -> None:
    _until_ended_in("WaitForSlot", "LookForSlot", "CheckSlots")(trial)
    trial.empty_slots()


def _wait_for_slot(trial: Trial) -> None:
    trial.until_state("WaitForSlot")
    assert trial.session.status() == "RUNNING"
    trial.empty_slots()


def _delay_report(trial: Trial) -> None:
    """Let ReportOutcome die a few times, before it has read what we are about to take away."""
    trial.order(engine.KILL_FUNCTION, REPORTING, times=_REPORT_TRIES)


def _lose_result(trial: Trial) -> None:
    trial.take_artifact("result.json")


def _ask_again(trial: Trial) -> None:
    trial.until_held(CLONE)
    trial.kill_task()
    trial.end()
    failed = trial.session.record()
    assert failed.error == "TaskLost", failed
    trial.label_again()


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
        before=lambda trial: trial.fill_slots(),
        during=_abort_waiting,
        execution="ABORTED",
    ),
    Cell(
        "AdmitSession",
        "no slot of the repository for a while",
        before=lambda trial: trial.fill_slots(),
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
        during=lambda trial: trial.until_held(CLONE),
        execution="TIMED_OUT",
        limit=LIMIT_SECONDS,
    ),
    Cell(
        "RecordSession",
        "execution aborted",
        "SessionStopped",
        "user",
        "Somebody stopped the session",
        0,
        before=refuse_call("PutItem "),
        during=_abort_in("RecordSession"),
        execution="ABORTED",
        limit=_WHILE_WE_LOOK,
    ),
    Cell(
        "CloseSession",
        "execution aborted",
        before=refuse_call("TransactWriteItems ", "closed_at"),
        during=_abort_in("CloseSession"),
        execution="ABORTED",
        limit=_WHILE_WE_LOOK,
    ),
    Cell(
        "RecordSession",
        "execution timed out",
        "TimeLimit",
        "limit",
        "time was up before its pull request was open",
        0,
        before=refuse_call("PutItem "),
        during=_until_ended_in("RecordSession"),
        execution="TIMED_OUT",
        limit=LIMIT_SECONDS,
    ),
    Cell(
        "OpenPullRequest",
        "execution timed out",
        "TimeLimit",
        "limit",
        "time was up before its pull request was open",
        0,
        (fails("GET", REPOSITORY, 502, times=None),),
        during=_until_ended_in("OpenPullRequest"),
        execution="TIMED_OUT",
        limit=LIMIT_SECONDS,
    ),
    Cell(
        "AdmitSession",
        "execution timed out while it waited for a slot",
        "TimeLimit",
        "limit",
        "time was up while it waited for a slot",
        before=lambda trial: trial.fill_slots(),
        during=_wait_in_vain,
        execution="TIMED_OUT",
        limit=LIMIT_SECONDS,
    ),
    Cell(
        "ReportOutcome",
        "execution timed out",
        before=refuse_call("GetObject ", "result.json"),
        during=_until_ended_in("ReportOutcome"),
        execution="TIMED_OUT",
        limit=LONG_LIMIT_SECONDS,
    ),
    Cell(
        "CloseSession",
        "execution timed out",
        before=refuse_call("TransactWriteItems ", "closed_at"),
        during=_until_ended_in("CloseSession"),
        execution="TIMED_OUT",
        limit=LONG_LIMIT_SECONDS,
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
