"""A session of an evaluation begins: what it reads, what it keeps free, and that GitHub is told nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import InvalidRequest, SessionsPaused
from pullwright.evaluation import EvaluationTask, Judgement
from pullwright.models import Outcome
from pullwright.workers.definition import WorkerDefinition
from tests.unit.pipeline_kit import REPOSITORY
from tests.unit.test_reporting import Reporting

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.models import OpenedPullRequest
    from pullwright.results import Verdict
    from tests.unit.pipeline_kit import Deployment

RUN = {"id": "ev-1", "budget_usd": 20}


def put_task(deployment: Deployment) -> None:
    """Make a change in the repository's history, and a task of it for session `s-1`."""
    base = deployment.github.head("main")
    change = deployment.github.write("main", {"tests/test_sum.py": "assert sum([]) == 0\n", "sum.py": "0\n"})
    deployment.artifacts.tasks["s-1"] = EvaluationTask(
        id="7",
        repository=REPOSITORY,
        base_commit=base,
        solution_commit=change,
        title="Sum of nothing",
        body="It is **wrong** <!-- see tests/test_sum.py -->",
        tests=("tests/test_sum.py",),
        issue=7,
        pull_request=9,
    )
    deployment.github.seen.clear()


@pytest.fixture
def deployment(tmp_path: Path) -> Reporting:
    """Provide a deployment, a repository with a change in its history, and a task for session `s-1`."""
    made = Reporting(tmp_path)
    made.github.repository()
    put_task(made)
    return made


def begin(deployment: Reporting, **fields: Any) -> OpenedPullRequest:
    """Begin the session; without money limits nothing is kept free."""
    return deployment.opened("s-1", evaluation=RUN, stub=True, **fields)


def test_the_session_begins_at_the_earlier_commit(deployment: Reporting) -> None:
    """Its request has the issue as people saw it, and the tests apart from it."""
    opened = begin(deployment)
    task = deployment.artifacts.tasks["s-1"]
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert (request.head_commit, request.base, request.branch) == (task.base_commit, "main", "claude/7")
    assert (request.issue, request.title, request.body) == (7, "Sum of nothing", "It is wrong")
    assert request.evaluation is not None
    assert request.evaluation.solution_commit == task.solution_commit
    assert request.evaluation.paths == ("tests/test_sum.py",)
    assert request.only_reads
    # 30 minutes of its own, 30 for the judgement, and 15 of grace.
    assert opened.timeout_seconds == (30 + 30 + 15) * 60
    assert opened.lock_key == ""


def test_nothing_is_made_on_github(deployment: Reporting) -> None:
    """Every request reads, but for tokens and the rendering of the text; no lock is taken."""
    begin(deployment)
    written = {(method, path) for method, path in deployment.github.seen if method != "GET"}
    assert all(path.endswith(("/access_tokens", "/markdown")) for _, path in written)
    assert deployment.store.locks() == []


def test_a_task_without_an_issue_is_a_prompt(deployment: Reporting) -> None:
    """What stands in a file of tasks need not have been an issue."""
    task = deployment.artifacts.tasks["s-1"].model_copy(update={"issue": None})
    deployment.artifacts.tasks["s-1"] = task
    begin(deployment)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert request.prompt == "Sum of nothing\n\nIt is wrong"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repository": "octo/other"}, "the task is of octo/other"),
        ({"base_commit": "0" * 40}, "has no commit 0000"),
        (None, "there is no task"),
    ],
)
def test_a_wrong_task_is_told(deployment: Reporting, change: dict[str, Any] | None, words: str) -> None:
    """Before a slot is taken, with what is wrong."""
    task = deployment.artifacts.tasks.pop("s-1")
    if change is not None:
        deployment.artifacts.tasks["s-1"] = task.model_copy(update=change)
    with pytest.raises(InvalidRequest, match=words):
        begin(deployment)
    assert deployment.artifacts.requests == {}


def test_a_worker_that_only_comments_cannot_be_evaluated(deployment: Reporting) -> None:
    """It leaves nothing that tests could judge."""
    with pytest.raises(InvalidRequest, match="nothing to test"):
        begin(deployment, worker="review")


def test_the_workers_model_and_limits_hold(deployment: Reporting) -> None:
    """An evaluation of a worker runs it as its file says."""
    deployment.store.definitions = (
        WorkerDefinition.model_validate_json(
            '{"id": "careful", "on": [{"event": "issues"}], "limits": {"turns": 7}, '
            '"instructions": "Take care."}'
        ),
    )
    begin(deployment, worker="careful")
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert (request.limits.turns, request.instructions) == (7, "Take care.")


def test_no_evaluation_begins_while_new_work_is_switched_off(deployment: Reporting) -> None:
    """It is work as any other."""
    deployment.settings = deployment.settings.model_copy(update={"max_sessions": 0})  # type: ignore[misc] # of this one
    with pytest.raises(SessionsPaused):
        begin(deployment)


@pytest.mark.parametrize("field", ["issue", "pull_request", "prompt", "base", "delivery_id"])
def test_an_evaluation_has_no_other_subject(deployment: Reporting, field: str) -> None:
    """Least of all does a webhook start one."""
    value: Any = 7 if field in {"issue", "pull_request"} else "x"
    with pytest.raises(InvalidRequest, match="Evaluation excludes"):
        begin(deployment, **{field: value})


def ended(deployment: Reporting, **result: Any) -> Verdict:
    """Let the session's task end with a result, and report it."""
    opened = begin(deployment)
    deployment.github.seen.clear()
    deployment.result(**result)
    return deployment.report("s-1", opened=opened.model_dump(mode="json"))


def test_a_judgement_is_kept_and_told_to_nobody(deployment: Reporting) -> None:
    """Record and verdict have it; GitHub is not asked, and no report is due."""
    judged = Judgement(verdict="unsolved", reason="tests failed.", fail_to_pass=("tests",), failed=("tests",))
    verdict = ended(deployment, outcome=Outcome.CHANGED, judgement=judged)
    assert (verdict.status, verdict.report_due, verdict.lock_key) == ("SUCCEEDED", False, "")
    assert verdict.sentence == "The agent's work was judged: unsolved. tests failed."
    record = deployment.store.read_session("s-1")
    assert (record.evaluation, record.judgement, record.judgement_reason) == (
        "ev-1",
        "unsolved",
        "tests failed.",
    )
    assert deployment.github.seen == []


def test_a_session_that_could_not_begin_tells_nobody_either(deployment: Reporting) -> None:
    """The issue of a task is none of this session's; the record says why."""
    deployment.artifacts.tasks.clear()
    verdict = deployment.refuse("s-1", evaluation=RUN)
    assert (verdict.status, verdict.error, verdict.report_due) == ("FAILED", "InvalidRequest", False)
    assert [path for method, path in deployment.github.seen if method != "GET"] == []
