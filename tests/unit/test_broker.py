"""The broker gives a task the credentials of its own session, and nobody anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from pullwright import aws, composition
from pullwright.brokering.grant import grant
from pullwright.brokering.models import BrokerGrant
from pullwright.errors import NotAllowed, PermissionMissing, SessionClosed
from pullwright.github.transport import Request
from pullwright.handlers import broker as function
from pullwright.log import scrub
from pullwright.previewing.screenshots import Screenshots
from pullwright.previewing.store import PreviewStore
from pullwright.services import Services
from pullwright.settings import BrokerSettings
from tests.unit.aws_kit import client
from tests.unit.pipeline_kit import API, REPOSITORY, Deployment

if TYPE_CHECKING:
    from pathlib import Path


TASK = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
EARLY = datetime(2025, 1, 1, tzinfo=UTC)
SECRET = "a secret access key"


def arn(task: str) -> str:
    """Return the ARN of a task."""
    return f"arn:aws:ecs:eu-central-1:123456789012:task/cluster/{task}"


def event(user_arn: str = f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK}") -> dict[str, Any]:
    """Return a request to the Function URL, as Lambda passes it on."""
    return {"requestContext": {"authorizer": {"iam": {"userArn": user_arn}}}, "body": "{}"}


def described(task: str = TASK, session_id: str = "s-1", **fields: Any) -> dict[str, Any]:
    """Return a task as ECS describes it."""
    override = {"name": "runner", "environment": [{"name": "SESSION_ID", "value": session_id}]}
    return {
        "taskArn": arn(task),
        "lastStatus": "RUNNING",
        "createdAt": EARLY,
        "overrides": {"containerOverrides": [override] if session_id else []},
        **fields,
    }


TWICE = {
    "containerOverrides": [
        {
            "name": "runner",
            "environment": [{"name": "SESSION_ID", "value": value} for value in ("s-1", "s-2")],
        }
    ]
}


class Broker(Deployment):
    """A running session, and what the broker works with."""

    def __init__(self, folder: Path, model_key: str = "") -> None:
        super().__init__(folder)
        self.github.repository()
        self.github.issue()
        self.open(issue=1)
        self.store.update_session("s-1", {"status": "RUNNING"})
        self.ecs: Any = Stubber(client("ecs"))
        self.sts: Any = Stubber(client("sts"))
        self.secrets: Any = Stubber(client("secretsmanager"))
        self.settings_ = BrokerSettings(
            sessions_table="table",
            artifacts_bucket="bucket",
            github_app_secret_arn="arn",
            github_api_url=API,
            cluster_arn="cluster",
            task_role_name="task-role",
            session_role_arn="arn:aws:iam::123456789012:role/session",
            model_key_secret_arn=model_key,
            preview_task_role_name="preview-role",
            preview_secret_arn="",
        )
        self.policy: dict[str, Any] = {}

    def describes(self, *tasks: dict[str, Any]) -> None:
        """Return the next answer of ECS."""
        self.ecs.add_response("describe_tasks", {"tasks": list(tasks)})

    def lends(self) -> None:
        """STS gives the session role."""
        credentials = {
            "AccessKeyId": "AKIDEXAMPLE12345",
            "SecretAccessKey": SECRET,
            "SessionToken": "a session token",
            "Expiration": datetime.now(UTC) + timedelta(hours=1),
        }
        self.sts.client.meta.events.register("before-parameter-build.sts.AssumeRole", self._keep)
        self.sts.add_response("assume_role", {"Credentials": credentials})

    def _keep(self, params: dict[str, Any], **_: Any) -> None:
        assert params["DurationSeconds"] == 3600
        assert params["RoleSessionName"] == TASK
        self.policy = json.loads(params["Policy"])

    def grant(self, request: dict[str, Any] | None = None) -> BrokerGrant:
        """Ask."""
        services = Services(self.github.app(), self.store, self.artifacts, self.settings_)
        asked = event() if request is None else request
        with self.ecs as ecs, self.sts as sts, self.secrets as secrets:
            given = grant(
                *(asked, services),
                ecs=ecs.client,
                sts=sts.client,
                secrets=secrets.client,
                previews=PreviewStore(client("dynamodb"), "no table"),
                screenshots=Screenshots(client("s3"), "no bucket"),
            )
        assert isinstance(given, BrokerGrant)
        return given


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    """Provide a session that runs on Bedrock."""
    return Broker(tmp_path)


def test_a_task_gets_what_its_session_needs(broker: Broker) -> None:
    """A running task gets a GitHub token and AWS credentials, and no model key with Bedrock."""
    broker.describes(described())
    broker.lends()
    given = broker.grant()
    assert (given.session_id, given.model_api_key) == ("s-1", None)
    assert given.github_token.startswith("ghs_")
    assert given.aws.secret_access_key == SECRET
    assert SECRET not in scrub(f"leaked {SECRET}")


def test_a_review_gets_a_token_that_reads_and_nothing_else(broker: Broker) -> None:
    """What the recorded request says decides: in comment mode every write of the task's token is refused."""
    head = broker.github.commit("topic")
    fields = {"title": "Topic", "head": "topic", "base": "main"}
    number = broker.github.person("POST", "/pulls", fields)["number"]
    broker.open("r-1", pull_request=number, worker="review")
    broker.store.update_session("r-1", {"status": "RUNNING"})
    broker.describes(described(session_id="r-1"))
    broker.lends()
    token = broker.grant().github_token
    assert broker.github.permissions()[-1] == {"contents": "read", "metadata": "read"}

    def status(method: str, path: str, body: Any = None) -> int:
        headers = {"authorization": f"Bearer {token}", "user-agent": "a task"}
        content = b"" if body is None else json.dumps(body).encode()
        return broker.github.send(Request(method, f"{API}/repos/{REPOSITORY}{path}", headers, content)).status

    assert status("GET", "/git/ref/heads/topic") == 200
    writes: dict[tuple[str, str], Any] = {
        ("POST", "/git/refs"): {"ref": "refs/heads/evil", "sha": head},
        ("PATCH", "/git/refs/heads/main"): {"sha": head},
        ("DELETE", "/git/refs/heads/topic"): None,
        ("POST", "/git/commits"): {"message": "x", "tree": head, "parents": [head]},
        ("PUT", f"/pulls/{number}/merge"): {},
        ("PATCH", f"/pulls/{number}"): {"title": "Mine now"},
        ("POST", f"/issues/{number}/comments"): {"body": "Hello"},
        ("POST", f"/pulls/{number}/reviews"): {"body": "Fine", "event": "APPROVE"},
    }
    assert {write: status(*write, body) for write, body in writes.items()} == dict.fromkeys(writes, 403)


def test_the_credentials_reach_one_session(broker: Broker) -> None:
    """The policy names the session's folder and record, and forbids rewriting its request."""
    broker.describes(described())
    broker.lends()
    broker.grant()
    read, deny, record, allowance = broker.policy["Statement"]
    assert read["Resource"] == "arn:aws:s3:::bucket/sessions/s-1/*"
    assert (deny["Effect"], deny["Resource"]) == ("Deny", "arn:aws:s3:::bucket/sessions/s-1/request.json")
    assert record["Resource"] == "arn:aws:dynamodb:eu-central-1:123456789012:table/table"
    assert record["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"] == ["SESSION#s-1"]
    assert allowance["Resource"] == record["Resource"]
    assert allowance["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"] == ["GITHUB#octo"]


def test_the_model_key_is_given_where_the_stack_has_one(tmp_path: Path) -> None:
    """With Anthropic the runner gets the key."""
    broker = Broker(tmp_path, model_key="arn:key")
    broker.describes(described())
    broker.lends()
    broker.secrets.add_response(
        "get_secret_value", {"SecretString": "sk-ant-made-up\n"}, {"SecretId": "arn:key"}
    )
    assert broker.grant().model_api_key == "sk-ant-made-up"


@pytest.mark.parametrize(
    "user_arn",
    [
        "",
        "arn:aws:iam::123456789012:user/task-role",
        f"arn:aws:sts::123456789012:assumed-role/other-role/{TASK}",
        "arn:aws:sts::123456789012:assumed-role/task-role/somebody",
        f"arn:aws:sts::123456789012:assumed-role/x/task-role/{TASK}",
        # A role of that name in another account or partition.
        f"arn:aws:sts::210987654321:assumed-role/task-role/{TASK}",
        f"arn:aws-cn:sts::123456789012:assumed-role/task-role/{TASK}",
        # Digits that are none of AWS's, letters of other alphabets, and what surrounds an ARN.
        f"arn:aws:sts::\uff11\uff12\uff13456789012:assumed-role/task-role/{TASK}",
        f"arn:aws:sts::12345678901\u0662:assumed-role/task-role/{TASK}",
        f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK[:-1]}\u0661",
        f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK.upper()}",
        f"arn:aws:sts::123456789012:assumed-role/Task-Role/{TASK}",
        f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK}\n",
        f" arn:aws:sts::123456789012:assumed-role/task-role/{TASK}",
        f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK[:31]}",
        f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK}0",
        "arn:aws:sts::123456789012:assumed-role/task-role/01234567-89ab-cdef-0123-456789abcdef",
    ],
)
def test_others_get_nothing(broker: Broker, user_arn: str) -> None:
    """Who is not a task with the task role is turned away before ECS is asked."""
    with pytest.raises(NotAllowed):
        broker.grant(event(user_arn))
    with pytest.raises(NotAllowed):
        broker.grant({})


@pytest.mark.parametrize(
    ("tasks", "error"),
    [
        ([], SessionClosed),
        ([described(lastStatus="STOPPED")], SessionClosed),
        ([described(session_id="")], NotAllowed),
        ([described(session_id="s-2")], SessionClosed),
        # Another task than was asked for, and sessions that are none.
        ([described(OTHER)], SessionClosed),
        ([described(session_id="*")], NotAllowed),
        ([described(session_id="../s-1")], NotAllowed),
        ([described(session_id="s-1\n")], NotAllowed),
        ([described(session_id="s-\u0661")], NotAllowed),
        ([described(overrides=TWICE)], NotAllowed),
    ],
)
def test_a_task_without_a_running_session_gets_nothing(
    broker: Broker, tasks: list[dict[str, Any]], error: type[Exception]
) -> None:
    """The task must run, and so must the session it was started for."""
    broker.describes(*tasks)
    with pytest.raises(error):
        broker.grant()


def test_a_closed_session_gets_nothing(broker: Broker) -> None:
    """When the session has been closed its task gets no more credentials."""
    broker.store.update_session("s-1", {"status": "FAILED"})
    broker.describes(described())
    with pytest.raises(SessionClosed):
        broker.grant()


def test_the_newest_task_wins(broker: Broker) -> None:
    """A task that was made before the one that claimed the session is refused; a later one is not."""
    broker.store.update_session("s-1", {"task_arn": arn(OTHER)})
    broker.describes(described())
    broker.describes(described(OTHER, createdAt=EARLY + timedelta(seconds=5)))
    with pytest.raises(SessionClosed, match="newer"):
        broker.grant()
    broker.describes(described(createdAt=EARLY + timedelta(seconds=9)))
    broker.describes(described(OTHER))
    broker.lends()
    assert broker.grant().session_id == "s-1"


@pytest.mark.parametrize(
    "claimed",
    [
        *(7, "", "x" * 100_000, "arn:aws:ecs:eu-central-1:123456789012:task/cluster/../x", {"S": "x"}, ["x"]),
        "arn:aws:ecs:eu-central-1:123456789012:task/elsewhere/0123456789abcdef0123456789abcdef",
    ],
)
def test_a_claim_that_makes_no_sense_is_none(broker: Broker, claimed: Any) -> None:
    """Whatever a task has put into the record in place of its ARN, ECS is not asked about it."""
    broker.store.items["SESSION#s-1"]["task_arn"] = claimed
    broker.describes(described())
    broker.lends()
    assert broker.grant().session_id == "s-1"


def test_a_claim_with_another_session_s_task_keeps_nobody_out(broker: Broker) -> None:
    """A task that names a newer one, of another session, does not shut out the one that should run."""
    broker.store.update_session("s-1", {"task_arn": arn(OTHER)})
    broker.describes(described())
    broker.describes(described(OTHER, session_id="s-2", createdAt=EARLY + timedelta(seconds=5)))
    broker.lends()
    assert broker.grant().session_id == "s-1"


def test_a_request_of_another_session_is_none(broker: Broker) -> None:
    """What lies in the session's folder has to be its own."""
    other = json.loads(broker.artifacts.requests["s-1"]) | {"session_id": "s-2"}
    broker.artifacts.requests["s-1"] = json.dumps(other)
    broker.describes(described())
    with pytest.raises(SessionClosed, match="no request"):
        broker.grant()


def test_what_the_runner_wrote_decides_nothing(broker: Broker) -> None:
    """Repository and installation in the record, which a runner may write, do not widen the token."""
    broker.store.update_session("s-1", {"repository": "octo/other", "installation_id": 1})
    broker.describes(described())
    broker.lends()
    token = broker.grant().github_token
    issued = next(one for one in broker.github._world.store.tokens if one.token == token)
    [repository_id] = issued.repository_ids or []
    assert broker.github._world.store.repositories[repository_id].full_name == REPOSITORY
    assert issued.permissions == {
        "contents": "write",
        "issues": "write",
        "pull_requests": "write",
        "metadata": "read",
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotAllowed("No."), 403), (SessionClosed("Over."), 409), (PermissionMissing("No."), 403)],
)
def test_refusals_have_a_status(monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    """The handler says in JSON which error it was, and forbids that anything is cached."""

    def refuse(*_: Any, **_clients: Any) -> Any:
        raise error

    monkeypatch.setattr(function, "grant", refuse)
    settings = SimpleNamespace(sessions_table="t", artifacts_bucket="b")
    monkeypatch.setattr(composition, "services", lambda _model: SimpleNamespace(settings=settings))
    for name in ("dynamodb", "ecs", "s3", "sts", "secretsmanager"):
        monkeypatch.setattr(aws, name, lambda: None)
    answer = function.handler(event(), None)
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["error"] == type(error).__name__
    assert answer["headers"]["cache-control"] == "no-store"
