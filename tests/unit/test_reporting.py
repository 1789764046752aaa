"""What came of a session is told everywhere it has to be told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import PullwrightError
from pullwright.github.transport import Response
from pullwright.models import OpenedPullRequest, Outcome
from pullwright.months import Spent
from pullwright.reporting.event import ReportOutcomeEvent, TaskEnd
from pullwright.reporting.report_outcome import report_outcome
from pullwright.reporting.tasks import Tasks
from pullwright.results import AgentResult, CheckResult, EgressResult, TokenUsage, Verdict
from pullwright.settings import ReportOutcomeSettings
from tests.unit.pipeline_kit import API, REPOSITORY, Deployment, execution

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
TASK = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/0123"
SETTINGS = ReportOutcomeSettings(
    sessions_table="table",
    artifacts_bucket="bucket",
    github_app_secret_arn="arn",
    github_api_url=API,
    cluster_arn="cluster",
    log_group_name="/pullwright/agent",
    retention_days=30,
    allowed_owners="",
    jira_base_url="",
    jira_secret_arn="",
    preview_queue_url="",
)


class Idle(Tasks):
    """A cluster whose tasks end at once; keeps what it was asked to stop."""

    def __init__(self, end: TaskEnd | None = None) -> None:
        self.stopped: list[str | None] = []
        self._end = end

    def stop(self, execution_arn: str, claimed: str | None, *, seconds: float) -> TaskEnd | None:
        """See `Tasks`."""
        assert execution_arn
        assert seconds >= 0
        self.stopped.append(claimed)
        return self._end


class Reporting(Deployment):
    """A deployment in which sessions also end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tasks = Idle()

    def opened(self, session_id: str = "s-1", **fields: Any) -> OpenedPullRequest:
        """Open and admit a session, and let its task claim it."""
        self.record(session_id, **fields)
        opened = self.open(session_id, **fields)
        self.store.update_session(
            session_id,
            {"admitted_at": NOW.isoformat(), "task_arn": TASK, "task_started_at": NOW.isoformat()},
        )
        return opened

    def record(self, session_id: str, **fields: Any) -> None:
        """Write what RecordSession writes."""
        text = json.dumps({"repository": REPOSITORY, **fields})
        self.store.update_session(session_id, {"input": text, "repository": REPOSITORY})

    def refuse(self, session_id: str, **fields: Any) -> Verdict:
        """Let OpenPullRequest fail, and report it as the state machine does."""
        self.record(session_id, **fields)
        with pytest.raises(PullwrightError) as caught:
            self.open(session_id, **fields)
        cause = {"errorMessage": str(caught.value), "errorType": type(caught.value).__name__}
        return self.report(
            session_id, error={"Error": type(caught.value).__name__, "Cause": json.dumps(cause)}
        )

    def report(self, session_id: str = "s-1", **payload: Any) -> Verdict:
        """Report with the payload of the state machine, through JSON."""
        event = {
            "session_id": session_id,
            "execution_arn": execution(session_id),
            "started_at": NOW.isoformat(),
            "opened": None,
            "task": None,
            "error": None,
            **payload,
        }
        if isinstance(event["opened"], OpenedPullRequest):
            event["opened"] = event["opened"].model_dump(mode="json")
        parsed = ReportOutcomeEvent.model_validate(event)
        return report_outcome(parsed, self.services_of(SETTINGS), self.tasks, now=NOW, seconds_left=100)

    def result(self, outcome: Outcome = Outcome.CHANGED, session_id: str = "s-1", **more: Any) -> None:
        """Leave what a runner leaves."""
        result = AgentResult(
            session_id=session_id,
            task_arn=TASK,
            outcome=outcome,
            summary="Fixed it.",
            commit="c0ffee" if outcome is Outcome.CHANGED else None,
            cost_usd=0.42,
            tokens=TokenUsage(input=1, output=2, cache_read=3, cache_write=4),
            turns=7,
            conversation_id="conversation",
            started_at=NOW,
            ended_at=NOW + timedelta(seconds=65),
            exit_code=0,
            phases={"agent": 60.5},
        ).model_copy(update=more)
        self.artifacts.results[session_id] = result.model_dump_json()


@pytest.fixture
def deployment(tmp_path: Path) -> Reporting:
    """Provide a repository with one issue."""
    made = Reporting(tmp_path)
    made.github.repository()
    made.github.issue()
    return made


def test_work_that_was_done_is_ready_for_review(deployment: Reporting) -> None:
    """The pull request leaves draft, the comment shows the figures, the verdict succeeds."""
    opened = deployment.opened(issue=1)
    deployment.result()
    verdict = deployment.report(opened=opened, task={"TaskArn": TASK, "ExitCode": 0})
    assert (verdict.status, verdict.outcome, verdict.error) == ("SUCCEEDED", "changed", "")
    assert verdict.lock_key == opened.lock_key
    assert verdict.report_due is False
    assert verdict.ttl == int((NOW + timedelta(days=30)).timestamp())
    [pull] = deployment.github.pulls()
    assert pull["draft"] is False
    [comment] = deployment.github.comments(opened.pull_request)
    for part in ("$0.42", "7", "1 min 5 s", "c0ffee", "Fixed it.", "s3://bucket/sessions/s-1/"):
        assert part in comment["body"]
    assert deployment.tasks.stopped == []
    assert deployment.github.comments(1) == []


CHECKS = (
    CheckResult(name="lint", command="make lint", status="passed"),
    CheckResult(name="tests", command="make test", status="failed", exit_code=2, output="1 test failed"),
)


def test_checks_become_a_check_run_on_the_commit(deployment: Reporting) -> None:
    """A failed check fails the check run, stands in record and verdict, and is reported once."""
    opened = deployment.opened(issue=1)
    commit = deployment.github.head("claude/1")
    deployment.result(commit=commit, checks=CHECKS)
    verdict = deployment.report(opened=opened)
    deployment.report(opened=opened)
    assert (verdict.status, verdict.outcome) == ("SUCCEEDED", "changed")
    assert "but a check still fails (tests)" in verdict.sentence
    runs = deployment.github.person("GET", f"/commits/{commit}/check-runs")["check_runs"]
    assert [(run["name"], run["conclusion"], run["output"]["title"]) for run in runs] == [
        ("Pullwright", "failure", "1 of 2 checks passed")
    ]
    assert "1 test failed" in runs[0]["output"]["summary"]
    assert deployment.store.read_session("s-1").checks == "lint passed, tests failed"
    assert deployment.github.pulls()[0]["draft"] is False


def test_a_missing_permission_costs_only_the_check_run(tmp_path: Path) -> None:
    """An installation that never granted `checks` gets everything else."""
    deployment = Reporting(tmp_path)
    granted = {"contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write"}
    deployment.github.repository(installation_permissions=granted)
    deployment.github.issue()
    opened = deployment.opened(issue=1)
    commit = deployment.github.head("claude/1")
    deployment.result(commit=commit, checks=CHECKS)
    verdict = deployment.report(opened=opened)
    assert (verdict.status, verdict.report_due) == ("SUCCEEDED", False)
    assert deployment.github.person("GET", f"/commits/{commit}/check-runs")["total_count"] == 0
    assert "tests" in deployment.github.comments(opened.pull_request)[0]["body"]


def test_the_record_gets_every_detail(deployment: Reporting) -> None:
    """Cost, tokens, turns, commit, places and times are on the session record."""
    opened = deployment.opened(issue=1)
    deployment.result()
    deployment.report(opened=opened, task={"TaskArn": TASK})
    expected = {
        "outcome": "changed",
        "commit": "c0ffee",
        "cost_usd": Decimal("0.42"),
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_tokens": 3,
        "cache_write_tokens": 4,
        "turns": 7,
        "agent_seconds": 60.5,
        "conversation_id": "conversation",
        "failure_class": "",
        "artifacts": "s3://bucket/sessions/s-1/",
        "log_group": "/pullwright/agent",
        "log_stream": "agent/runner/0123",
    }
    record = deployment.store.read_session("s-1")
    assert {name: getattr(record, name) for name in expected} == expected


def test_nothing_to_change_is_a_success_and_a_draft(deployment: Reporting) -> None:
    """Without a change the pull request stays a draft, and the comment says so."""
    opened = deployment.opened(issue=1)
    deployment.result(Outcome.NO_CHANGE)
    verdict = deployment.report(opened=opened)
    assert (verdict.status, verdict.outcome) == ("SUCCEEDED", "no_change")
    assert deployment.github.pulls()[0]["draft"] is True
    assert "No change needed" in deployment.github.comments(opened.pull_request)[0]["body"]


def test_a_session_that_changed_something_may_leave_a_preview(deployment: Reporting) -> None:
    """It is asked for once: not for another outcome, nor when GitHub takes the report later."""
    asked: list[tuple[str, OpenedPullRequest]] = []
    services_of = deployment.services_of
    deployment.services_of = lambda settings: replace(  # type: ignore[method-assign] # where previews are
        services_of(settings), leave_preview=lambda *about: asked.append(about)
    )
    opened = deployment.opened(issue=1)
    deployment.result(Outcome.NO_CHANGE)
    deployment.report(opened=opened)
    assert asked == []
    deployment.result()
    deployment.report(opened=opened)
    assert asked == [("s-1", opened)]
    deployment.store.update_session("s-1", {"report": "due"})
    deployment.report(opened=opened)
    assert len(asked) == 1


def test_a_task_that_left_nothing_is_stopped_and_told(deployment: Reporting) -> None:
    """After an error the claimed task is stopped, and its end decides."""
    opened = deployment.opened(issue=1)
    deployment.tasks = Idle(TaskEnd(TaskArn=TASK, StopCode="UserInitiated", ExitCode=143))
    verdict = deployment.report(opened=opened, error={"Error": "States.Timeout", "Cause": ""})
    assert (verdict.error, verdict.failure_class) == ("TimeLimit", "limit")
    assert deployment.tasks.stopped == [TASK]
    [comment] = deployment.github.comments(opened.pull_request)
    assert verdict.sentence in comment["body"]
    assert verdict.remedy in comment["body"]
    assert deployment.store.read_session("s-1").exit_code == 143


def test_a_result_that_cannot_be_read_is_a_case_of_its_own(deployment: Reporting) -> None:
    """Rubbish in result.json ends as TaskLost, and says that it was rubbish."""
    opened = deployment.opened(issue=1)
    deployment.artifacts.results["s-1"] = "{"
    verdict = deployment.report(opened=opened)
    assert verdict.error == "TaskLost"
    assert "cannot be read" in verdict.sentence


def test_a_refusal_is_one_comment_on_the_issue(deployment: Reporting) -> None:
    """Refused twice, the issue has one comment with sentence and remedy; no lock is given back."""
    number = deployment.github.issue(body="")
    for session_id in ("s-1", "s-2"):
        verdict = deployment.refuse(session_id, issue=number)
        assert (verdict.error, verdict.lock_key, verdict.report_due) == ("IssueWithoutText", "", False)
    [comment] = deployment.github.comments(number)
    assert "has no description" in comment["body"]
    assert verdict.remedy in comment["body"]
    assert deployment.tasks.stopped == []


def test_a_refusal_does_not_outlive_its_reason(deployment: Reporting) -> None:
    """The next session that begins puts its link in the refusal's place; a later refusal takes it back."""
    number = deployment.github.issue(body="")
    deployment.refuse("s-1", issue=number)
    deployment.github.person("PATCH", f"/issues/{number}", {"body": "Add a line."})
    opened = deployment.opened("s-2", issue=number)
    [comment] = deployment.github.comments(number)
    assert f"{opened.pull_request_url}#issuecomment-{opened.comment_id}" in comment["body"]
    assert "has no description" not in comment["body"]

    deployment.end("s-2")
    deployment.github.seen.clear()
    deployment.opened("s-3", issue=number)
    assert [path for method, path in deployment.github.seen if method == "PATCH"] == [
        f"/api/v3/repos/{REPOSITORY}/issues/comments/{opened.comment_id}"
    ]

    deployment.end("s-3")
    deployment.github.person("PATCH", f"/issues/{number}", {"state": "closed"})
    deployment.refuse("s-4", issue=number)
    [comment] = deployment.github.comments(number)
    assert "is closed" in comment["body"]


def test_a_refusal_that_cannot_be_withdrawn_stops_nothing(deployment: Reporting) -> None:
    """GitHub failing at this courtesy leaves the session as it is."""
    number = deployment.github.issue(body="")
    deployment.refuse("s-1", issue=number)
    [comment] = deployment.github.comments(number)
    broken = ("PATCH", f"/issues/comments/{comment['id']}", Response(403, {}, {"message": "locked"}))
    deployment.github.before += [broken] * 2
    assert deployment.opened("s-2", issue=number, prompt="Add a line.").pull_request > number
    assert deployment.github.before == []


def test_a_wrong_request_is_answered_where_it_can_be(deployment: Reporting) -> None:
    """An invalid request that names repository and issue is answered there; others are only recorded."""
    assert deployment.refuse("s-1", issue=1, colour="red").error == "InvalidRequest"
    [comment] = deployment.github.comments(1)
    assert "colour" in comment["body"]
    for wrong in ({"issue": True}, {"issue": [1]}, {"issue": -1}, {"repository": 7, "issue": 1}):
        verdict = deployment.refuse("s-2", **wrong)
        assert (verdict.error, verdict.report_due) == ("InvalidRequest", False)
    assert len(deployment.github.comments(1)) == 1


def test_a_missing_permission_does_not_hide_itself(tmp_path: Path) -> None:
    """Where the App may only write on issues, the issue is told what is missing."""
    deployment = Reporting(tmp_path)
    deployment.github.repository(installation_permissions={"issues": "write"})
    deployment.github.issue()
    assert deployment.refuse("s-1", issue=1).error == "PermissionMissing"
    [comment] = deployment.github.comments(1)
    assert "contents: write" in comment["body"]


@pytest.mark.parametrize("settings", [{"installed": False}, {"archived": True}])
def test_where_nothing_can_be_written_nothing_is_due(tmp_path: Path, settings: dict[str, Any]) -> None:
    """A repository that takes no comment leaves no report to be made up for."""
    deployment = Reporting(tmp_path)
    deployment.github.repository()
    deployment.github.issue()
    deployment.github.control("PATCH", f"/repositories/{REPOSITORY}", settings)
    assert deployment.refuse("s-1", issue=1).report_due is False
    assert deployment.github.comments(1) == []


@pytest.mark.parametrize(("method", "end"), [("PATCH", "/comments/"), ("POST", "/graphql")])
def test_a_report_that_github_refuses_stays_due(deployment: Reporting, method: str, end: str) -> None:
    """When GitHub fails, the verdict stands, the lock is freed and the report is still due."""
    opened = deployment.opened(issue=1)
    deployment.result()
    path = end if end != "/comments/" else f"/comments/{opened.comment_id}"
    deployment.github.before += [(method, path, Response(503, {}))] * 5
    verdict = deployment.report(opened=opened)
    assert (verdict.status, verdict.report_due) == ("SUCCEEDED", True)
    assert verdict.lock_key == opened.lock_key


def test_a_deleted_comment_is_written_again(deployment: Reporting) -> None:
    """When somebody deleted the tracking comment, the outcome makes a new one."""
    opened = deployment.opened(issue=1)
    deployment.result()
    deployment.github.person("DELETE", f"/issues/comments/{opened.comment_id}")
    assert deployment.report(opened=opened).report_due is False
    [comment] = deployment.github.comments(opened.pull_request)
    assert "Fixed it." in comment["body"]


def test_a_pull_request_closed_meanwhile_stays_closed(deployment: Reporting) -> None:
    """A person who closes the pull request during the run is not overruled."""
    opened = deployment.opened(issue=1)
    deployment.github.person("PATCH", f"/pulls/{opened.pull_request}", {"state": "closed"})
    deployment.result()
    assert deployment.report(opened=opened).report_due is False
    assert deployment.github.pulls()[0]["state"] == "closed"


def test_somebody_elses_lock_is_not_given_back(deployment: Reporting) -> None:
    """Only a lock that this execution owns is named in the verdict."""
    opened = deployment.opened(issue=1)
    deployment.store.items[opened.lock_key]["owner"] = execution("s-2")
    deployment.result()
    assert deployment.report(opened=opened).lock_key == ""


def test_an_opening_that_died_late_is_told_on_the_pull_request(deployment: Reporting) -> None:
    """When OpenPullRequest dies after the comment was made, that comment says so and the lock goes back."""
    opened = deployment.opened(issue=1)
    verdict = deployment.report(error={"Error": "States.Timeout", "Cause": ""})
    assert (verdict.error, verdict.lock_key) == ("InternalError", opened.lock_key)
    [comment] = deployment.github.comments(opened.pull_request)
    assert verdict.sentence in comment["body"]


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [("TakenAlong", "SUCCEEDED", "taken_along"), ("NotAddressed", "FAILED", "failed")],
)
def test_what_nobody_waits_for_is_not_told(
    deployment: Reporting, error: str, status: str, outcome: str
) -> None:
    """A request that was taken along ends well, one that was none badly; GitHub hears of neither."""
    deployment.opened(issue=1)
    deployment.record("s-2", issue=1, comment_id=5)
    before = [one["body"] for one in deployment.github.comments(1)]
    cause = json.dumps({"errorMessage": "The other one works on it.", "errorType": error})
    verdict = deployment.report("s-2", error={"Error": error, "Cause": cause})
    assert (verdict.status, verdict.outcome) == (status, outcome)
    assert (verdict.report_due, verdict.lock_key) == (False, "")
    assert deployment.store.read_session("s-2").outcome == outcome
    assert [one["body"] for one in deployment.github.comments(1)] == before
    # It says nothing about the deployment, and begins no count anew.
    assert (deployment.store.items.get("IN_A_ROW") is None) == (error == "TakenAlong")


def test_the_branch_remembers_its_last_conversation(deployment: Reporting) -> None:
    """The next session on it goes on from there, also after one that had none."""
    opened = deployment.opened(issue=1)
    deployment.result(Outcome.FAILED)
    deployment.report(opened=opened)
    record = deployment.store.read_branch(REPOSITORY, opened.branch)
    assert record is not None
    assert (record.conversation_id, record.conversation_session) == ("conversation", "s-1")
    deployment.end()
    again = deployment.opened("s-2", issue=1)
    deployment.result(session_id="s-2", conversation_id=None)
    deployment.report("s-2", opened=again)
    record = deployment.store.read_branch(REPOSITORY, opened.branch)
    assert record is not None
    assert (record.session_id, record.conversation_session) == ("s-2", "s-1")


def test_a_plan_waits_on_a_draft(deployment: Reporting) -> None:
    """The comment shows it and says how it goes on; the pull request is not ready."""
    opened = deployment.opened(issue=1)
    deployment.result(Outcome.PLANNED, summary="1. Mend the sum.")
    verdict = deployment.report(opened=opened)
    assert (verdict.status, verdict.outcome) == ("SUCCEEDED", "planned")
    [comment] = [one["body"] for one in deployment.github.comments(opened.pull_request)]
    assert "The plan waits for your word" in comment
    assert "1. Mend the sum." in comment
    assert "`/go`" in comment
    assert deployment.github.pulls()[0]["draft"] is True


@pytest.mark.parametrize("state", ["caged", "off", "unavailable"])
def test_only_a_cage_that_was_wanted_is_missed(
    deployment: Reporting,
    state: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Sessions are counted as uncaged where the operator wanted a cage, and not where it is switched off."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "pullwright")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "pullwright")
    opened = deployment.opened(issue=1)
    deployment.result(egress=EgressResult.model_validate({"state": state}))
    deployment.report(opened=opened)
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum("UncagedSessions" in line for line in logged) == (state == "unavailable")


def test_whoever_ends_a_session_has_it_counted(deployment: Reporting) -> None:
    """With its cost and turns; one that never had a task cost nothing, and one without a word is unknown."""
    opened = deployment.opened(issue=1)
    deployment.result()
    deployment.report(opened=opened)
    deployment.refuse("s-2", issue=99)
    lost = deployment.opened("s-3", issue=deployment.github.issue(title="More", body="More."))
    deployment.report("s-3", opened=lost, error={"Error": "States.Timeout", "Cause": ""})
    assert deployment.store.counted.calls == [
        ("s-1", Spent(has_failed=False, usd=0.42, turns=7)),
        ("s-2", Spent(has_failed=True, usd=0.0, turns=0)),
        ("s-3", Spent(has_failed=True, usd=None, turns=0)),
    ]
