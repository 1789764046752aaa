"""What becomes of a session whose execution has ended, however far it and earlier sweeps had come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import AwsUnavailable
from pullwright.github.transport import Response
from pullwright.models import AgentResult, Outcome
from pullwright.reconciling.executions import ExecutionEnd
from pullwright.reconciling.ledger import Ledger
from pullwright.store import Store
from tests.unit.pipeline_kit import REPOSITORY, execution
from tests.unit.reconcile_kit import STOPPED, Yard, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAGES = ("recorded", "opened", "admitted", "claimed")


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """Provide a deployment without sessions."""
    with table() as client:
        yield Yard(tmp_path, client)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stopped_session_gets_its_ending_once(yard: Yard, stage: str) -> None:
    """Wherever it was stopped, one sweep closes it, says why and frees all; another changes nothing."""
    yard.begin(stage=stage)
    yard.stop()
    swept = yard.sweep(minutes=1)
    record = yard.sessions.read_session("s-1")
    assert (swept.settled, swept.left) == (["s-1"], [])
    assert (record.status, record.outcome, record.error) == ("FAILED", "failed", "SessionStopped")
    assert (record.report, (record.ttl or 0) > 0) == ("made", True)
    assert record.reconciling_until is None
    assert yard.held() == []
    assert yard.cluster.running == {}
    [comment] = yard.github.comments(record.pull_request or 1)
    assert "Somebody stopped the session: No longer needed." in comment["body"]
    assert str(record.remedy) in comment["body"]

    before = yard.items()
    yard.written()
    again = yard.sweep(minutes=6)
    late = yard.sweeper(timedelta(minutes=7)).settle_one(execution("s-1"))
    assert (again.settled, again.reported, again.slots, again.locks, late.settled) == ([], [], [], [], [])
    assert yard.items() == before
    assert yard.written() == []
    assert len(yard.figures) == 1


def test_live_sessions_are_left_alone(yard: Yard) -> None:
    """Beside running executions nothing changes, even if the list of running ones does not show them yet."""
    for stage in STAGES:
        yard.begin(stage, stage)
    before = yard.items()
    yard.written()
    for unlisted in ((), STAGES):
        yard.machine.unlisted = {execution(stage) for stage in unlisted}
        swept = yard.sweep(minutes=4)
        assert (swept.open_sessions, swept.settled, swept.left) == (4, [], [])
    event = yard.sweeper(timedelta(minutes=4)).settle_one(execution("claimed"))
    assert event.settled == []
    assert yard.items() == before
    assert yard.written() == []
    assert True not in yard.cluster.running.values()


def test_work_that_was_done_is_no_failure(yard: Yard) -> None:
    """A session that was stopped after its agent had finished is reported as what it came to."""
    yard.begin()
    yard.artifacts.results["s-1"] = AgentResult(
        session_id="s-1",
        task_arn="arn",
        outcome=Outcome.CHANGED,
        summary="Fixed it.",
        started_at=yard.start,
        ended_at=yard.start,
        exit_code=0,
    ).model_dump_json()
    yard.stop()
    yard.sweep(minutes=1)
    assert yard.sessions.read_session("s-1").status == "SUCCEEDED"
    assert "Fixed it." in yard.told()
    assert yard.github.pulls()[0]["draft"] is False


@pytest.mark.parametrize(
    ("end", "error", "words"),
    [
        (
            ExecutionEnd("ABORTED", "LabelRemoved", "The label agent was removed by maintainer."),
            "LabelRemoved",
            "by",
        ),
        (ExecutionEnd("TIMED_OUT"), "TimeLimit", "time was up"),
        (ExecutionEnd("FAILED", "States.Runtime", "At length."), "InternalError", "States.Runtime"),
        (ExecutionEnd("FAILED", "TaskLost", "The task ended."), "TaskStopped", "Somebody stopped the task"),
    ],
)
def test_the_end_of_the_execution_decides(yard: Yard, end: ExecutionEnd, error: str, words: str) -> None:
    """Without a result the way the execution ended says what happened, else how its task ended."""
    yard.begin()
    yard.stop(end=end)
    yard.sweep(minutes=1)
    record = yard.sessions.read_session("s-1")
    assert (record.status, record.error) == ("FAILED", error)
    assert words in str(record.sentence)
    assert str(record.sentence) in yard.told()


@pytest.mark.parametrize(
    ("stage", "words"),
    [("opened", "while it waited for a slot"), ("admitted", "before its task had started")],
)
def test_a_whole_execution_that_timed_out_is_no_single_call(yard: Yard, stage: str, words: str) -> None:
    """Whatever the session was doing, its own time was up: it says so, and what it was doing."""
    yard.begin(stage=stage)
    yard.stop(end=ExecutionEnd("TIMED_OUT"))
    yard.sweep(minutes=1)
    record = yard.sessions.read_session("s-1")
    assert (record.error, record.failure_class) == ("TimeLimit", "limit")
    assert words in str(record.sentence)
    assert str(record.sentence) in yard.told()


@pytest.mark.parametrize(
    ("owner", "method"), [(Store, "release_lock"), (Ledger, "free_slot"), (Ledger, "close")]
)
def test_a_sweep_that_failed_half_way_is_finished_by_the_next(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    """Where AWS fails after the report, the next sweep frees and closes, and counts nothing twice."""
    yard.begin()
    yard.stop()
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, _fails)
        swept = yard.sweep(minutes=1)
    assert (swept.settled, swept.left) == ([], ["s-1"])
    assert yard.sessions.read_session("s-1").status == "RUNNING"
    assert "No longer needed" in yard.told()
    sentence = yard.sessions.read_session("s-1").sentence
    assert yard.sweep(minutes=2).settled == ["s-1"]
    assert yard.held() == []
    assert (yard.sessions.read_session("s-1").sentence, str(sentence) in yard.told()) == (sentence, True)
    assert len(yard.figures) == 1


def _fails(*_given: Any, **_named: Any) -> Any:
    raise AwsUnavailable("AWS could not do it.")


def test_a_sweep_that_was_killed_is_followed_when_its_time_is_over(yard: Yard) -> None:
    """While another sweep may be at a session nobody else touches it; its lease ends by itself."""
    yard.begin()
    yard.stop()
    until = (yard.start + timedelta(minutes=5)).isoformat()
    assert yard.ledger.lease("s-1", now=yard.start.isoformat(), until=until) is True
    assert yard.sweep(minutes=4).settled == []
    assert "Somebody stopped" not in yard.told()
    assert yard.sweep(minutes=6).settled == ["s-1"]


def test_only_whoever_holds_the_lease_closes(yard: Yard) -> None:
    """A sweep that was overtaken because its time was over does not write over what the other one wrote."""
    yard.begin()
    yard.stop()
    now = yard.start.isoformat()
    late = (yard.start + timedelta(minutes=5)).isoformat()
    verdict = yard.sweeper().settler._verdict
    yard.cluster.running.clear()
    slow = verdict(yard.sessions.read_session("s-1"), STOPPED)
    assert yard.ledger.lease("s-1", now=now, until=now)
    assert yard.ledger.lease("s-1", now=late, until=late)
    assert yard.ledger.close("s-1", slow, report="made", now=now, until=now) is False
    assert yard.sessions.read_session("s-1").status == "RUNNING"


def test_an_execution_that_may_still_be_opening_is_waited_for(yard: Yard) -> None:
    """A function that the stopped execution had called may still make the pull request: that is told then."""
    yard.begin(stage="recorded")
    yard.stop(end=ExecutionEnd("ABORTED", stopped_at=yard.start))
    assert yard.sweep(seconds=149).settled == []
    yard.open(issue=1)
    assert yard.sweep(seconds=149).settled == ["s-1"]
    assert "Somebody stopped the session" in yard.told()
    assert yard.held() == []


def test_a_forgotten_execution_is_over(yard: Yard) -> None:
    """A session whose execution AWS does not know is closed, unless it is so young that AWS lags behind."""
    yard.begin()
    del yard.machine.ends[execution("s-1")]
    before = yard.items()
    assert yard.sweep(seconds=5).settled == []
    assert yard.items() == before
    assert yard.sweep(minutes=1).settled == ["s-1"]
    assert yard.sessions.read_session("s-1").error == "TaskStopped"
    assert yard.held() == []


def test_a_report_that_github_refuses_is_made_later(yard: Yard) -> None:
    """The session is closed and free at once; its record stays until the report was made."""
    yard.begin()
    yard.stop()
    comment = yard.sessions.read_session("s-1").comment_id
    yard.github.before += [("PATCH", f"/comments/{comment}", Response(503, {}))] * 30
    assert yard.sweep(minutes=1).settled == ["s-1"]
    record = yard.sessions.read_session("s-1")
    assert (record.status, record.report, record.report_due) == ("FAILED", "due", True)
    assert record.ttl == 0
    assert yard.held() == []

    swept = yard.sweep(minutes=6)
    assert (swept.settled, swept.reported, swept.left) == ([], [], ["s-1"])
    yard.github.before.clear()
    swept = yard.sweep(minutes=11)
    assert (swept.settled, swept.reported, swept.left) == ([], ["s-1"], [])
    later = yard.sessions.read_session("s-1")
    assert (later.report, later.report_due, (later.ttl or 0) > 0) == ("made", False, True)
    assert (later.sentence, later.closed_at) == (record.sentence, record.closed_at)
    assert str(record.sentence) in yard.told()
    assert "1 min 0 s" in yard.told(), "the session ended when it was closed, not when that was told"
    assert len(yard.figures) == 1


def test_a_report_is_given_up_after_three_days(yard: Yard) -> None:
    """Whoever GitHub refuses for so long is not asked for ever."""
    yard.begin()
    yard.stop()
    comment = yard.sessions.read_session("s-1").comment_id
    yard.github.before += [("PATCH", f"/comments/{comment}", Response(503, {}))] * 60
    yard.sweep(minutes=1)
    assert yard.sweep(days=2).reported == []
    assert yard.sweep(days=4).reported == ["s-1"]
    assert yard.sessions.read_session("s-1").report == "given up"
    assert yard.sweep(days=5).reported == []


def test_an_app_that_was_uninstalled_owes_nothing(yard: Yard) -> None:
    """Where nothing can be written any more the session is closed for good."""
    yard.begin()
    yard.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    yard.stop()
    assert yard.sweep(minutes=1).settled == ["s-1"]
    assert yard.sessions.read_session("s-1").report == "made"
    assert yard.held() == []
