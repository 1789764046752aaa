"""What becomes of a session whose execution has ended, however far it and earlier sweeps had come."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import AwsUnavailable
from pullwright.github.transport import Response
from pullwright.models import Outcome
from pullwright.reconciling.executions import ExecutionEnd
from pullwright.reconciling.ledger import Ledger
from pullwright.results import AgentResult
from pullwright.reviewing.models import Finding, Findings
from pullwright.store import Store
from tests.unit.pipeline_kit import REPOSITORY, execution
from tests.unit.reconcile_kit import STOPPED, SweptDeployment, table
from tests.unit.test_opening_evaluation import put_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAGES = ("recorded", "opened", "admitted", "claimed")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[SweptDeployment]:
    """Provide a deployment without sessions."""
    with table() as client:
        yield SweptDeployment(tmp_path, client)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stopped_session_gets_its_ending_once(deployment: SweptDeployment, stage: str) -> None:
    """Wherever it was stopped, one sweep closes it, says why and frees all; another changes nothing."""
    deployment.begin(stage=stage)
    deployment.stop()
    swept = deployment.sweep(minutes=1)
    record = deployment.sessions.read_session("s-1")
    assert (swept.settled, swept.left) == (["s-1"], [])
    assert (record.status, record.outcome, record.error) == ("FAILED", "failed", "SessionStopped")
    assert (record.report, (record.ttl or 0) > 0) == ("made", True)
    assert record.reconciling_until is None
    assert deployment.held() == []
    assert deployment.cluster.running == {}
    [comment] = deployment.github.comments(record.pull_request or 1)
    assert "Somebody stopped the session: No longer needed." in comment["body"]
    assert str(record.remedy) in comment["body"]

    before = deployment.items()
    deployment.written()
    again = deployment.sweep(minutes=6)
    late = deployment.sweeper(timedelta(minutes=7)).settle_one(execution("s-1"))
    assert (again.settled, again.reported, again.slots, again.locks, late.settled) == ([], [], [], [], [])
    assert deployment.items() == before
    assert deployment.written() == []
    assert len(deployment.figures) == 1


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_of_an_evaluation_that_is_aborted_gives_its_budget_back(
    deployment: SweptDeployment, stage: str
) -> None:
    """It is closed and its task stopped as any session's; GitHub hears nothing of it."""
    put_task(deployment)
    deployment.begin(stage=stage, issue=None, evaluation={"id": "ev-1", "budget_usd": 20})
    budget = deployment.items().get("EVALUATION#ev-1", {})
    assert budget.get("holders", {}).get("SS", []) == ([] if stage == "recorded" else ["s-1"])
    deployment.written()
    deployment.stop()
    swept = deployment.sweep(minutes=1)
    record = deployment.sessions.read_session("s-1")
    assert (swept.settled, swept.left) == (["s-1"], [])
    assert (record.status, record.error, record.report) == ("FAILED", "SessionStopped", "made")
    assert deployment.held() == []
    assert deployment.cluster.running == {}
    assert [path for _, path in deployment.written() if not path.endswith("/markdown")] == []
    if stage != "recorded":
        budget = deployment.items()["EVALUATION#ev-1"]
        assert "holders" not in budget
        # A task that ran may have used all that it was allowed to: nobody can tell what it cost.
        assert budget["usd"]["N"] == ("0" if stage != "claimed" else "5")


def test_live_sessions_are_left_alone(deployment: SweptDeployment) -> None:
    """Beside running executions nothing changes, even if the list of running ones does not show them yet."""
    for stage in STAGES:
        deployment.begin(stage, stage)
    before = deployment.items()
    deployment.written()
    for unlisted in ((), STAGES):
        deployment.machine.unlisted = {execution(stage) for stage in unlisted}
        swept = deployment.sweep(minutes=4)
        assert (swept.open_sessions, swept.settled, swept.left) == (4, [], [])
    event = deployment.sweeper(timedelta(minutes=4)).settle_one(execution("claimed"))
    assert event.settled == []
    assert deployment.items() == before
    assert deployment.written() == []
    assert True not in deployment.cluster.running.values()


def test_work_that_was_done_is_no_failure(deployment: SweptDeployment) -> None:
    """A session that was stopped after its agent had finished is reported as what it came to."""
    deployment.begin()
    deployment.artifacts.results["s-1"] = AgentResult(
        session_id="s-1",
        task_arn="arn",
        outcome=Outcome.CHANGED,
        summary="Fixed it.",
        started_at=deployment.start,
        ended_at=deployment.start,
        exit_code=0,
    ).model_dump_json()
    deployment.stop()
    deployment.sweep(minutes=1)
    assert deployment.sessions.read_session("s-1").status == "SUCCEEDED"
    assert "Fixed it." in deployment.told()
    assert deployment.github.pulls()[0]["draft"] is False


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
def test_the_end_of_the_execution_decides(
    deployment: SweptDeployment, end: ExecutionEnd, error: str, words: str
) -> None:
    """Without a result the way the execution ended says what happened, else how its task ended."""
    deployment.begin()
    deployment.stop(end=end)
    deployment.sweep(minutes=1)
    record = deployment.sessions.read_session("s-1")
    assert (record.status, record.error) == ("FAILED", error)
    assert words in str(record.sentence)
    assert str(record.sentence) in deployment.told()


@pytest.mark.parametrize(
    ("stage", "words"),
    [("opened", "while it waited for a slot"), ("admitted", "before its task had started")],
)
def test_a_whole_execution_that_timed_out_is_no_single_call(
    deployment: SweptDeployment, stage: str, words: str
) -> None:
    """Whatever the session was doing, its own time was up: it says so, and what it was doing."""
    deployment.begin(stage=stage)
    deployment.stop(end=ExecutionEnd("TIMED_OUT"))
    deployment.sweep(minutes=1)
    record = deployment.sessions.read_session("s-1")
    assert (record.error, record.failure_class) == ("TimeLimit", "limit")
    assert words in str(record.sentence)
    assert str(record.sentence) in deployment.told()


@pytest.mark.parametrize(
    ("owner", "method"), [(Store, "release_lock"), (Ledger, "free_slot"), (Ledger, "close")]
)
def test_a_sweep_that_failed_half_way_is_finished_by_the_next(
    deployment: SweptDeployment, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    """Where AWS fails after the report, the next sweep frees and closes, and counts nothing twice."""
    deployment.begin()
    deployment.stop()
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, _fails)
        swept = deployment.sweep(minutes=1)
    assert (swept.settled, swept.left) == ([], ["s-1"])
    assert deployment.sessions.read_session("s-1").status == "RUNNING"
    assert "No longer needed" in deployment.told()
    sentence = deployment.sessions.read_session("s-1").sentence
    assert deployment.sweep(minutes=2).settled == ["s-1"]
    assert deployment.held() == []
    assert (deployment.sessions.read_session("s-1").sentence, str(sentence) in deployment.told()) == (
        sentence,
        True,
    )
    assert len(deployment.figures) == 1


def _fails(*_given: Any, **_named: Any) -> Any:
    raise AwsUnavailable("AWS could not do it.")


def test_a_sweep_that_was_killed_is_followed_when_its_time_is_over(deployment: SweptDeployment) -> None:
    """While another sweep may be at a session nobody else touches it; its lease ends by itself."""
    deployment.begin()
    deployment.stop()
    until = (deployment.start + timedelta(minutes=5)).isoformat()
    assert deployment.ledger.lease("s-1", now=deployment.start.isoformat(), until=until) is True
    assert deployment.sweep(minutes=4).settled == []
    assert "Somebody stopped" not in deployment.told()
    assert deployment.sweep(minutes=6).settled == ["s-1"]


def test_only_whoever_holds_the_lease_closes(deployment: SweptDeployment) -> None:
    """A sweep that was overtaken because its time was over does not write over what the other one wrote."""
    deployment.begin()
    deployment.stop()
    now = deployment.start.isoformat()
    late = (deployment.start + timedelta(minutes=5)).isoformat()
    verdict = deployment.sweeper().settler._verdict
    deployment.cluster.running.clear()
    slow = verdict(deployment.sessions.read_session("s-1"), STOPPED)
    assert deployment.ledger.lease("s-1", now=now, until=now)
    assert deployment.ledger.lease("s-1", now=late, until=late)
    assert deployment.ledger.close("s-1", slow, report="made", now=now, until=now) is False
    assert deployment.sessions.read_session("s-1").status == "RUNNING"


def test_an_execution_that_may_still_be_opening_is_waited_for(deployment: SweptDeployment) -> None:
    """A function that the stopped execution had called may still make the pull request: that is told then."""
    deployment.begin(stage="recorded")
    deployment.stop(end=ExecutionEnd("ABORTED", stopped_at=deployment.start))
    assert deployment.sweep(seconds=149).settled == []
    deployment.open(issue=1)
    assert deployment.sweep(seconds=149).settled == ["s-1"]
    assert "Somebody stopped the session" in deployment.told()
    assert deployment.held() == []


def test_a_forgotten_execution_is_over(deployment: SweptDeployment) -> None:
    """A session whose execution AWS does not know is closed, unless it is so young that AWS lags behind."""
    deployment.begin()
    del deployment.machine.ends[execution("s-1")]
    before = deployment.items()
    assert deployment.sweep(seconds=5).settled == []
    assert deployment.items() == before
    assert deployment.sweep(minutes=1).settled == ["s-1"]
    assert deployment.sessions.read_session("s-1").error == "TaskStopped"
    assert deployment.held() == []


def test_findings_that_github_refuses_are_posted_later(deployment: SweptDeployment) -> None:
    """The sweep submits the review of a session that is closed, once, and then tells of it."""
    deployment.github.write("topic", {"README.md": "# Widgets\nA mistake\n"})
    fields = {"title": "Topic", "head": "topic", "base": "main"}
    number = deployment.github.person("POST", "/pulls", fields)["number"]
    deployment.begin(issue=None, pull_request=number, worker="review")
    remark = {"path": "README.md", "line": 2, "text": "Wrong.", "id": "0" * 16}
    found = Findings(session_id="s-1", head_commit="0" * 40, findings=(Finding.model_validate(remark),))
    deployment.artifacts.findings["s-1"] = found.model_dump_json()
    done = {"session_id": "s-1", "task_arn": "t", "outcome": "commented", "exit_code": 0}
    times = {name: deployment.start.isoformat() for name in ("started_at", "ended_at")}
    deployment.artifacts.results["s-1"] = json.dumps({**done, **times})
    deployment.stop()
    deployment.github.before += [("POST", "/reviews", Response(503, {}))] * 30
    assert deployment.sweep(minutes=1).settled == ["s-1"]
    assert deployment.sessions.read_session("s-1").report == "due"
    assert deployment.held() == []
    deployment.github.before.clear()
    for minutes in (6, 11):
        deployment.sweep(minutes=minutes)
    assert len(deployment.github.person("GET", f"/pulls/{number}/comments")) == 1
    assert "1 new comment" in deployment.told()


def test_a_report_that_github_refuses_is_made_later(deployment: SweptDeployment) -> None:
    """The session is closed and free at once; its record stays until the report was made."""
    deployment.begin()
    deployment.stop()
    comment = deployment.sessions.read_session("s-1").comment_id
    deployment.github.before += [("PATCH", f"/comments/{comment}", Response(503, {}))] * 30
    assert deployment.sweep(minutes=1).settled == ["s-1"]
    record = deployment.sessions.read_session("s-1")
    assert (record.status, record.report, record.report_due) == ("FAILED", "due", True)
    assert record.ttl == 0
    assert deployment.held() == []

    swept = deployment.sweep(minutes=6)
    assert (swept.settled, swept.reported, swept.left) == ([], [], ["s-1"])
    deployment.github.before.clear()
    swept = deployment.sweep(minutes=11)
    assert (swept.settled, swept.reported, swept.left) == ([], ["s-1"], [])
    later = deployment.sessions.read_session("s-1")
    assert (later.report, later.report_due, (later.ttl or 0) > 0) == ("made", False, True)
    assert (later.sentence, later.closed_at) == (record.sentence, record.closed_at)
    assert str(record.sentence) in deployment.told()
    assert "1 min 0 s" in deployment.told(), "the session ended when it was closed, not when that was told"
    assert len(deployment.figures) == 1


def test_a_report_is_given_up_after_three_days(deployment: SweptDeployment) -> None:
    """Whoever GitHub refuses for so long is not asked for ever."""
    deployment.begin()
    deployment.stop()
    comment = deployment.sessions.read_session("s-1").comment_id
    deployment.github.before += [("PATCH", f"/comments/{comment}", Response(503, {}))] * 60
    deployment.sweep(minutes=1)
    assert deployment.sweep(days=2).reported == []
    assert deployment.sweep(days=4).reported == ["s-1"]
    assert deployment.sessions.read_session("s-1").report == "given up"
    assert deployment.sweep(days=5).reported == []


def test_an_app_that_was_uninstalled_owes_nothing(deployment: SweptDeployment) -> None:
    """Where nothing can be written any more the session is closed for good."""
    deployment.begin()
    deployment.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    deployment.stop()
    assert deployment.sweep(minutes=1).settled == ["s-1"]
    assert deployment.sessions.read_session("s-1").report == "made"
    assert deployment.held() == []
