"""The handlers of the state machine's functions and the broker, as Lambda calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pullwright import aws, composition, metrics
from pullwright.errors import BranchProtected, InternalError, InvalidRequest, IssueWithoutText
from pullwright.events.messages import MESSAGE, QueuedPreview
from pullwright.events.queue import Queue
from pullwright.handlers import open_pull_request, reconcile, report_outcome
from pullwright.models import OpenedPullRequest
from pullwright.reconciling.settle import Settler
from pullwright.results import Verdict
from pullwright.services import Services
from pullwright.settings import (
    BrokerSettings,
    OpenPullRequestSettings,
    ReconcileSettings,
    ReportOutcomeSettings,
    StoreSettings,
)
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
    "PREVIEW_TASK_ROLE_NAME": "",
    "PREVIEW_SECRET_ARN": "",
    "PREVIEW_QUEUE_URL": "",
    "STATE_MACHINE_ARN": MACHINE,
    "LIVE_STATE_MACHINE_ARN": f"{MACHINE}:live",
}
CACHED = [
    *(
        getattr(aws, name)
        for name in ("dynamodb", "s3", "ecs", "secretsmanager", "sqs", "stepfunctions", "sts")
    ),
    *(getattr(composition, name) for name in ("settings", "github_app", "services")),
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


def work_with(
    monkeypatch: pytest.MonkeyPatch,
    opening: Services[OpenPullRequestSettings],
    reporting: Services[ReportOutcomeSettings] | None = None,
) -> None:
    """Let the handlers work with these services, and with a cluster whose tasks end at once."""
    services = {OpenPullRequestSettings: opening, ReportOutcomeSettings: reporting}
    monkeypatch.setattr(composition, "services", services.__getitem__)
    monkeypatch.setattr(report_outcome, "Tasks", lambda *_clients: Idle())
    for name in ("ecs", "stepfunctions"):
        monkeypatch.setattr(aws, name, lambda: None)


def test_a_session_without_jira_loads_nothing_of_it() -> None:
    """What opens, reports and sweeps imports the parts for Jira when a session is asked for there."""
    handlers = (
        f"pullwright.handlers.{name}" for name in ("open_pull_request", "report_outcome", "reconcile")
    )
    code = f"import sys, {', '.join(handlers)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not [name for name in done.stdout.split() if name.startswith("pullwright.jira")]


def test_jira_is_there_where_the_deployment_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is made when it is asked for; without a site, who asks is told."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequest, match="knows no Jira"):
        composition.services(ReportOutcomeSettings).jira()
    monkeypatch.setenv("JIRA_BASE_URL", "https://acme.atlassian.net")
    assert composition.services(OpenPullRequestSettings).jira().site == "https://acme.atlassian.net"


@pytest.mark.parametrize("model", [ReportOutcomeSettings, ReconcileSettings])
def test_a_session_asks_the_queue_for_its_preview(
    monkeypatch: pytest.MonkeyPatch, model: type[StoreSettings]
) -> None:
    """Where previews are set up, both functions that report write what the events function reads."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert composition.services(model).leave_preview is None
    for function in (composition.settings, composition.services):
        function.cache_clear()
    monkeypatch.setenv("PREVIEW_QUEUE_URL", "https://sqs/events")
    sent: list[tuple[str, list[tuple[QueuedPreview, int]]]] = []
    monkeypatch.setattr(Queue, "send", lambda queue, messages: sent.append((queue.url, messages)))
    leave = composition.services(model).leave_preview
    assert leave is not None
    opened = SimpleNamespace(repository=REPOSITORY, pull_request=7, installation_id=5)
    leave("s-1", cast("OpenedPullRequest", opened))
    [(url, [(message, _)])] = sent
    assert url == "https://sqs/events"
    written = MESSAGE.validate_json(message.model_dump_json(exclude_defaults=True))
    assert written == QueuedPreview(
        kind="preview", session="s-1", repository=REPOSITORY, pull_request=7, installation_id=5
    )


@pytest.mark.parametrize(
    "model", [OpenPullRequestSettings, ReportOutcomeSettings, ReconcileSettings, BrokerSettings]
)
def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch, model: type[StoreSettings]) -> None:
    """With the variables of the template every client and setting is there; without them one is named."""
    with pytest.raises(InternalError, match="SESSIONS_TABLE"):
        composition.services(model)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert composition.services(model) is composition.services(model)


def test_both_functions_speak_the_state_machines_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the handlers take and give is JSON in the form of the models."""
    deployment = Deployment(tmp_path)
    deployment.github.repository()
    deployment.github.issue()
    opening = Services(deployment.github.app(), deployment.store, deployment.artifacts, deployment.settings)
    reporting = Services(deployment.github.app(), deployment.store, deployment.artifacts, SETTINGS)
    work_with(monkeypatch, opening, reporting)
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
    opening = Services(deployment.github.app(), deployment.store, deployment.artifacts, deployment.settings)
    work_with(monkeypatch, opening)
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
    opening = Services(deployment.github.app(), deployment.store, deployment.artifacts, deployment.settings)
    reporting = Services(deployment.github.app(), deployment.store, deployment.artifacts, SETTINGS)
    work_with(monkeypatch, opening, reporting)
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
        settings = composition.settings(ReconcileSettings)
        services = replace(sweeping.sweeper().settler.services, settings=settings)
        monkeypatch.setattr(composition, "services", {ReconcileSettings: services}.__getitem__)
        monkeypatch.setattr(reconcile, "Settler", partial(Settler, measure=sweeping.figures.append))
        monkeypatch.setattr(reconcile, "Tasks", lambda *_clients: sweeping.cluster)
        monkeypatch.setattr(reconcile, "Executions", lambda *_clients: sweeping.machine)
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
