"""The handlers of the state machine's functions and the broker, as Lambda calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pullwright import aws, metrics, settings
from pullwright.errors import BranchProtected, InternalError, IssueWithoutText
from pullwright.handlers import broker, open_pull_request, reconcile, report_outcome
from pullwright.models import OpenedPullRequest, Verdict
from pullwright.opening.open_pull_request import Tools as OpeningTools
from pullwright.reporting.ending import Tools as ReportingTools
from tests.unit.pipeline_kit import REPOSITORY, Deployment, execution
from tests.unit.reconcile_kit import STOPPED, TABLE, SweptDeployment, table
from tests.unit.test_reconciling_executions import MACHINE
from tests.unit.test_reporting import SETTINGS, Idle
from tests.unit.test_settings_and_log import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENVIRONMENT = {
    **GOOD,
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made up",
    "CLUSTER_ARN": "c",
    "LOG_GROUP_NAME": "g",
    "RETENTION_DAYS": "90",
    "TASK_ROLE_NAME": "r",
    "SESSION_ROLE_ARN": "a",
    "MODEL_KEY_SECRET_ARN": "",
    "STATE_MACHINE_ARN": MACHINE,
}
CACHED = [
    *(getattr(aws, name) for name in ("dynamodb", "s3", "ecs", "secretsmanager", "stepfunctions", "sts")),
    *(getattr(settings, name) for name in ("open_pull_request", "report_outcome", "reconcile", "broker")),
    *(module._tools for module in (open_pull_request, report_outcome, reconcile, broker)),
]


class Context:
    """Lambda's context, as far as it is used."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """See Lambda's documentation."""
        return 100_000


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Provide every test begins in a new Lambda environment."""
    yield
    for function in CACHED:
        function.cache_clear()


@pytest.mark.parametrize("module", [open_pull_request, report_outcome, reconcile, broker])
def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """With the variables of the template every client and setting is there; without them one is named."""
    with pytest.raises(InternalError, match="SESSIONS_TABLE"):
        module._tools()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert module._tools() is module._tools()


def test_both_functions_speak_the_state_machines_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the handlers take and give is JSON in the form of the models."""
    deployment = Deployment(tmp_path)
    deployment.github.repository()
    deployment.github.issue()
    opening = OpeningTools(
        deployment.github.app(), deployment.store, deployment.artifacts, deployment.settings
    )
    reporting = ReportingTools(
        deployment.github.app(), deployment.store, deployment.artifacts, Idle(), SETTINGS
    )
    monkeypatch.setattr(open_pull_request, "_tools", lambda: opening)
    monkeypatch.setattr(report_outcome, "_tools", lambda: reporting)
    event = {"session_id": "s", "execution_arn": execution("s"), "started_at": "2999-01-01T00:00:00.123Z"}
    opened = open_pull_request.handler({**event, "input": {"repository": REPOSITORY, "issue": 1}}, Context())
    OpenedPullRequest.model_validate_json(json.dumps(opened))
    ended = {**event, "opened": opened, "task": {}, "error": None}
    verdict = report_outcome.handler(ended, Context())
    assert Verdict.model_validate_json(json.dumps(verdict)).error == "TaskLost"


def test_lambda_sees_class_and_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error's class is what the state machine matches, and its text is the sentence."""
    deployment = Deployment(tmp_path)
    deployment.github.repository()
    deployment.github.issue(body=None)
    opening = OpeningTools(
        deployment.github.app(), deployment.store, deployment.artifacts, deployment.settings
    )
    monkeypatch.setattr(open_pull_request, "_tools", lambda: opening)
    event = {"session_id": "s", "execution_arn": execution("s"), "started_at": "2025-01-01T00:00:00Z"}
    with pytest.raises(IssueWithoutText) as caught:
        open_pull_request.handler({**event, "input": {"repository": REPOSITORY, "issue": 1}}, Context())
    assert str(caught.value) == caught.value.sentence


def test_a_remedy_of_the_moment_reaches_people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of an exception Lambda keeps class and text; record and comment still say what helps in this case."""
    deployment = Deployment(tmp_path)
    deployment.github.repository()
    deployment.github.commit("release")
    deployment.github.commit("main", "And another")
    pull = deployment.github.person("POST", "/pulls", {"head": "main", "base": "release", "title": "Back"})
    opening = OpeningTools(
        deployment.github.app(), deployment.store, deployment.artifacts, deployment.settings
    )
    reporting = ReportingTools(
        deployment.github.app(), deployment.store, deployment.artifacts, Idle(), SETTINGS
    )
    monkeypatch.setattr(open_pull_request, "_tools", lambda: opening)
    monkeypatch.setattr(report_outcome, "_tools", lambda: reporting)
    asked = {"repository": REPOSITORY, "pull_request": pull["number"]}
    deployment.store.update_session("s", {"input": json.dumps(asked)})
    event = {"session_id": "s", "execution_arn": execution("s"), "started_at": "2025-01-01T00:00:00Z"}
    with pytest.raises(BranchProtected) as caught:
        open_pull_request.handler({**event, "input": asked}, Context())
    cause = json.dumps({"errorType": "BranchProtected", "errorMessage": str(caught.value)})
    error = {"Error": "BranchProtected", "Cause": cause}
    verdict = report_outcome.handler({**event, "opened": None, "task": None, "error": error}, Context())
    assert "from another branch" in verdict["remedy"]
    assert verdict["sentence"] == caught.value.sentence
    [comment] = deployment.github.comments(pull["number"])
    assert verdict["remedy"] in comment["body"]


def test_the_sweep_tells_what_it_did_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The event of an execution's end settles its session, anything else sweeps; both are counted."""
    for name, value in {**ENVIRONMENT, "SESSIONS_TABLE": TABLE}.items():
        monkeypatch.setenv(name, value)
    with table() as client:
        sweeping = SweptDeployment(tmp_path, client)
        counted: list[Any] = []
        monkeypatch.setattr(reconcile, "_tools", lambda: sweeping.sweeper().settler.tools)
        monkeypatch.setattr(reconcile, "Executions", lambda *_given: sweeping.machine)
        monkeypatch.setattr(metrics, "count", counted.append)
        for session_id in ("s-1", "s-2"):
            sweeping.begin(session_id, "recorded")
            sweeping.stop(session_id, STOPPED)
        event = {
            "detail-type": "Step Functions Execution Status Change",
            "detail": {"executionArn": execution("s-2")},
        }
        hinted = json.loads(json.dumps(reconcile.handler(event, Context())))
        swept = json.loads(json.dumps(reconcile.handler({"source": "aws.events"}, Context())))
    assert (hinted["settled"], hinted["open_sessions"]) == (["s-2"], 0)
    assert (swept["settled"], swept["open_sessions"]) == (["s-1"], 1)
    assert counted == [{"SettledSessions": 1}, {"SettledSessions": 1}]
