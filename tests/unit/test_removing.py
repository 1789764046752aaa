"""`pullwright destroy`: what is listed, asked, drained, removed and left, and how a second run goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.store import DRAINING, Store
from pullwright_cli.aws import Stack
from pullwright_cli.errors import CliError
from pullwright_cli.removing import draining, inventory, removal
from pullwright_cli.removing.parts import Part, exists
from tests.template.kit import template
from tests.unit import aws_kit
from tests.unit.cli_kit import BUCKET, OUTPUTS, Cloud, States, cloud, matches, run
from tests.unit.reconcile_kit import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "acme-prod"
ARN = f"arn:aws:cloudformation:eu-central-1:123456789012:stack/{NAME}/1"
DATA = ("table", "bucket", "secret")
MORE = {"ReconcileFunctionName": "sweep"}


def _refused(operation: str, code: str = "ValidationError") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{NAME} does not exist"}}, operation)


@dataclass
class Formation:
    """CloudFormation with one stack.

    Attributes:
        stuck: why a resource cannot be deleted; empty if it can.
        deleted: how often the stack was deleted.
    """

    resources: list[dict[str, str]]
    status: str = "UPDATE_COMPLETE"
    description: str = "Pullwright: label an issue."
    parameters: dict[str, str] = field(default_factory=dict)
    is_protected: bool = False
    stuck: str = ""
    deleted: int = 0
    outputs: dict[str, str] = field(default_factory=dict)

    def describe_stacks(self, *, StackName: str = "") -> dict[str, Any]:  # noqa: N803 - AWS's name
        """See AWS."""
        if StackName != ARN and (StackName != NAME or self.status == inventory.GONE):
            raise _refused("DescribeStacks")
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        return {
            "Stacks": [
                {
                    "StackName": NAME,
                    "StackId": ARN,
                    "StackStatus": self.status,
                    "Description": self.description,
                    "EnableTerminationProtection": self.is_protected,
                    "Parameters": given,
                    "Outputs": outputs,
                }
            ]
        }

    def delete_stack(self, *, StackName: str) -> None:  # noqa: N803 - AWS's name
        """See AWS."""
        assert StackName == ARN
        self.deleted += 1
        self.status = "DELETE_FAILED" if self.stuck else inventory.GONE
        for it in self.resources:
            it["ResourceStatus"] = "DELETE_SKIPPED" if "Retain" in it.get("Policy", "") else inventory.GONE
        if self.stuck:
            self.resources[-1] |= {"ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": self.stuck}

    def get_paginator(self, name: str) -> Any:
        """Return what pages through stacks or resources."""
        pages = {
            "list_stacks": lambda **_: [{"StackSummaries": self._former()}],
            "list_stack_resources": lambda **_: [{"StackResourceSummaries": self.resources}],
            "describe_stacks": lambda **_: [{"Stacks": []}],
        }

        class Pages:
            paginate = staticmethod(pages[name])

        return Pages()

    def _former(self) -> list[dict[str, Any]]:
        if self.status != inventory.GONE:
            return []
        former = {"StackName": NAME, "StackId": ARN, "DeletionTime": datetime.now(UTC)}
        other = {"StackName": f"{NAME}-2", "StackId": "another", "DeletionTime": datetime.now(UTC)}
        return [former, other]


@dataclass
class Executions(States):
    """Step Functions whose executions end when they are stopped.

    Attributes:
        running: sessions whose execution runs.
        evaluations: those that run.
    """

    running: set[str] = field(default_factory=set)
    evaluations: set[str] = field(default_factory=set)

    def get_paginator(self, name: str) -> Any:
        """Return what pages through the running ones."""
        assert name == "list_executions"
        return self

    def paginate(self, **call: Any) -> list[dict[str, Any]]:
        """Return them on one page."""
        assert call["statusFilter"] == "RUNNING"
        arn = call["stateMachineArn"].replace(":stateMachine:", ":execution:")
        names = {"AgentSession": self.running, "Evaluation": self.evaluations}[arn.rpartition(":")[2]]
        return [{"executions": [{"executionArn": f"{arn}:{name}"} for name in sorted(names)]}]

    def stop_execution(self, **call: Any) -> None:
        """See AWS."""
        super().stop_execution(**call)
        for names in (self.running, self.evaluations):
            names.discard(call["executionArn"].rpartition(":")[2])


@dataclass
class Deployed:
    """A stack with everything that a real one has around it."""

    cloud: Cloud
    formation: Formation
    executions: Executions
    secret: str
    said: list[str] = field(default_factory=list)
    invoked: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """Return a client."""
        ours = {"cloudformation": self.formation, "stepfunctions": self.executions, "lambda": self}
        return ours.get(service) or aws_kit.client(service)

    def invoke(self, **call: Any) -> None:
        """See Lambda."""
        self.invoked.append(call["FunctionName"])

    def take(self) -> inventory.Inventory:
        """Return what there is."""
        return inventory.take(Stack(NAME, "eu-central-1"))

    def remove(self, **wanted: Any) -> removal.Removed:
        """Remove it."""
        stack = Stack(NAME, "eu-central-1")
        return removal.carry_out(
            stack, removal.Wanted(**wanted), self.take(), self.said.append, sleep=lambda _: None
        )

    def is_there(self, kind: str, name: str) -> bool:
        """Return whether a part exists."""
        return exists(Stack(NAME, "eu-central-1"), Part(kind, name))


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Provide a deployment in moto, with two sessions' artifacts, an old revision and stray log groups."""
    with cloud() as made:
        secret = aws_kit.client("secretsmanager").create_secret(Name="webhook", SecretString="x")["ARN"]
        ecs, logs = aws_kit.client("ecs"), aws_kit.client("logs")
        ecs.create_cluster(clusterName=OUTPUTS["EcsClusterArn"])
        container = {"name": "runner", "image": "x", "memory": 128}
        old, new = (
            ecs.register_task_definition(family=f"{NAME}-agent", containerDefinitions=[container])
            for _ in range(2)
        )
        ecs.register_task_definition(family=f"{NAME}-agent-staging", containerDefinitions=[container])
        for name in (
            *(f"/pullwright/{NAME}/agent", f"/pullwright/{NAME}/old", f"/pullwright/{NAME}-2/agent"),
            *(f"/aws/lambda/{NAME}-WebhookFunction-1", f"/aws/lambda/{NAME}-2-WebhookFunction-1"),
            *(f"/aws/vendedlogs/states/{NAME}", f"/aws/vendedlogs/states/{NAME}-2"),
        ):
            logs.create_log_group(logGroupName=name)
        for key in ("sessions/a/result.json", "sessions/b/result.json"):
            made.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        kept = "RetainExceptOnCreate"
        summaries = [
            ("SessionsTable", "AWS::DynamoDB::Table", TABLE, kept),
            ("ArtifactsBucket", "AWS::S3::Bucket", BUCKET, kept),
            ("WebhookSecret", "AWS::SecretsManager::Secret", secret, kept),
            ("WebhookFunction", "AWS::Lambda::Function", f"{NAME}-WebhookFunction-1", ""),
            ("AgentLogGroup", "AWS::Logs::LogGroup", f"/pullwright/{NAME}/agent", ""),
            (
                *("AgentTaskDefinition", "AWS::ECS::TaskDefinition"),
                *(new["taskDefinition"]["taskDefinitionArn"], ""),
            ),
            ("Cluster", "AWS::ECS::Cluster", f"{NAME}-Cluster-1", ""),
        ]
        assert old["taskDefinition"]["revision"] == 1
        fields = ("LogicalResourceId", "ResourceType", "PhysicalResourceId", "Policy")
        formation = Formation(
            [{**dict(zip(fields, it, strict=True)), "ResourceStatus": "CREATE_COMPLETE"} for it in summaries]
        )
        found = Deployed(made, formation, Executions(), secret)
        monkeypatch.setattr(Stack, "client", lambda _, service: found.client(service))
        monkeypatch.setattr(Stack, "output", lambda _, name: {**OUTPUTS, **MORE}[name])
        monkeypatch.setattr(Stack, "place", "eu-central-1")
        monkeypatch.setattr(
            "pullwright_cli.removing.draining.time.monotonic", partial(next, iter(range(10_000)))
        )
        yield found


def test_the_list_has_what_cloudformation_leaves_and_what_aws_made(deployed: Deployed) -> None:
    """Nothing of a stack whose name begins with this one's, and nothing that goes with the stack."""
    found = deployed.take()
    assert {part.kind: part.name for part in found.parts if part.kind in DATA} == {
        "table": TABLE,
        "bucket": BUCKET,
        "secret": deployed.secret,
    }
    assert [part.name for part in found.parts if part.kind == "log group"] == [
        f"/pullwright/{NAME}/old",
        f"/aws/vendedlogs/states/{NAME}",
        f"/aws/lambda/{NAME}-WebhookFunction-1",
    ]
    revisions = [part.name.rpartition("/")[2] for part in found.parts if part.kind == "task definition"]
    assert revisions == [f"{NAME}-agent:1", f"{NAME}-agent-staging:1"]
    assert (found.resources, found.is_protected) == (4, False)
    assert [it.kind for it in found.left] == ["GitHub App"]


def test_all_of_it_goes_and_what_can_come_back_is_told(deployed: Deployed) -> None:
    """The intake is closed first; objects go with their bucket; a secret can be restored for a month."""
    deployed.formation.parameters = {"ImageRepositoryArn": "arn:aws:ecr:eu-central-1:1:repository/agent"}
    done = deployed.remove()
    assert deployed.formation.deleted == 1
    assert not any(
        deployed.is_there(*part) for part in done.parts if part.kind in ("table", "bucket", "secret")
    )
    left = {it.kind: it for it in done.left}
    assert set(left) == {"secret", "backup", "image repository", "GitHub App"}
    assert "restore-secret" in left["secret"].command
    assert (
        aws_kit.client("logs").describe_log_groups(logGroupNamePrefix="/pullwright/")["logGroups"][0][
            "logGroupName"
        ]
        == f"/pullwright/{NAME}-2/agent"
    )


def test_data_and_secrets_can_stay(deployed: Deployed) -> None:
    """A later run without the options removes them: the stack is found among those that are gone."""
    done = deployed.remove(keep_data=True, keep_secrets=True)
    assert {part.kind for part in done.parts} == {"log group", "task definition"}
    assert deployed.is_there("table", TABLE)
    assert deployed.is_there("secret", deployed.secret)
    assert {it.kind for it in done.left} >= {"table", "bucket", "secret"}
    again = deployed.remove()
    assert {part.kind for part in again.parts} == {"table", "bucket", "secret"}
    assert deployed.formation.deleted == 1
    assert not deployed.is_there("bucket", BUCKET)
    assert deployed.remove().parts == ()


def test_what_runs_is_waited_for_and_the_intake_opens_again(deployed: Deployed) -> None:
    """When the time is up, nothing was removed and sessions can begin again."""
    deployed.executions.running = {"a"}
    deployed.cloud.record("a", status="RUNNING")
    with pytest.raises(errors.NotRemoved, match=r"1 sessions and 0 tasks have not ended\. Nothing was"):
        deployed.remove(minutes=1)
    assert deployed.formation.deleted == 0
    assert not Store(deployed.cloud.dynamodb, TABLE).is_draining(datetime.now(UTC))
    assert deployed.executions.calls == []


def test_what_runs_can_be_stopped_and_its_end_is_told(deployed: Deployed) -> None:
    """Its execution is stopped; while its record is open, the sweep is asked for."""
    deployed.executions.running = {"a"}
    deployed.cloud.record("a", status="RUNNING", report="due", closed_at="2026-11-27")
    looks = iter(range(100))

    def sleep(_: float) -> None:
        if next(looks) == 8:
            deployed.cloud.record("a", status="FAILED", report="due", closed_at="2026-11-27")

    stack = Stack(NAME, "eu-central-1")
    draining.drain(stack, is_stopping=True, minutes=60, say=deployed.said.append, sleep=sleep)
    assert [name for name, _ in deployed.executions.calls] == ["stop"]
    assert deployed.invoked == ["sweep", "sweep"]
    assert Store(deployed.cloud.dynamodb, TABLE).is_draining(datetime.now(UTC))
    assert draining.untold(stack) == ["a"]


def test_an_evaluation_is_waited_for_or_stopped_before_its_sessions(deployed: Deployed) -> None:
    """Between two of its sessions nothing runs, and after one that was stopped comes the next."""
    deployed.formation.outputs = OUTPUTS
    deployed.executions.evaluations = {"ev-1"}
    with pytest.raises(errors.NotRemoved, match=r"1 evaluations, 0 sessions .*Open: ev-1\."):
        deployed.remove(minutes=1)

    deployed.executions.running = {"ev-1-001"}
    [_, *lines] = draining.lines(Stack(NAME, "eu-central-1"), is_stopping=True)
    assert [line.partition("--execution-arn ")[2].split()[0].rpartition(":")[2] for line in lines] == [
        "ev-1",
        "ev-1-001",
    ]
    deployed.remove(is_stopping=True)
    stopped = [call["executionArn"].rpartition(":")[2] for _, call in deployed.executions.calls]
    assert stopped == ["ev-1", "ev-1-001"]
    assert deployed.formation.deleted == 1


def test_ctrl_c_while_it_waits_changes_nothing(deployed: Deployed) -> None:
    """The intake is open again; during the deletion it goes on, and the sentence says so."""
    deployed.executions.running = {"a"}

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    stack, wanted = Stack(NAME, "eu-central-1"), removal.Wanted()
    with pytest.raises(KeyboardInterrupt):
        removal.carry_out(stack, wanted, deployed.take(), deployed.said.append, sleep=interrupt)
    item = deployed.cloud.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "SLOTS"}})["Item"]
    assert DRAINING not in item
    deployed.formation.status = "DELETE_IN_PROGRESS"
    deployed.formation.delete_stack = lambda **_: None  # type: ignore[method-assign]
    with pytest.raises(CliError, match="goes on deleting"):
        removal.carry_out(stack, wanted, deployed.take(), deployed.said.append, sleep=interrupt)


def test_what_cloudformation_cannot_delete_is_named_and_tried_again(deployed: Deployed) -> None:
    """With its reason; the next run deletes the stack again without draining what is gone."""
    deployed.formation.stuck = "The cluster has tasks."
    with pytest.raises(errors.NotRemoved, match=r"Cluster \(The cluster has tasks\.\)") as caught:
        deployed.remove()
    assert caught.value.exit_code == 75
    deployed.formation.stuck = ""
    assert {part.kind for part in deployed.remove().parts} >= {"table", "bucket"}
    assert deployed.formation.deleted == 2


def test_one_part_that_stays_keeps_no_other(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is named with AWS's reason; the rest is gone."""
    secrets = aws_kit.client("secretsmanager")

    def refuse(**_: Any) -> None:
        raise _refused("DeleteSecret", "AccessDeniedException")

    monkeypatch.setattr(secrets, "delete_secret", refuse)
    monkeypatch.setattr(
        Stack,
        "client",
        lambda _, service: secrets if service == "secretsmanager" else deployed.client(service),
    )
    with pytest.raises(errors.NotRemoved, match=r"Not removed: secret arn.*AccessDenied"):
        deployed.remove()
    assert not deployed.is_there("table", TABLE)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"is_protected": True}, 75, "is protected against deletion; nothing was changed. Take the prot"),
        ({"description": "Something else"}, 30, "is no Pullwright"),
        ({"status": "gone"}, 30, "There is no stack acme-prod"),
    ],
)
def test_what_may_not_be_removed_is_refused_before_anything_changes(
    change: dict[str, Any], code: int, words: str, deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    """A protected stack, somebody else's, and none at all."""
    if change == {"status": "gone"}:
        change = {"describe_stacks": lambda **_: (_ for _ in ()).throw(_refused("DescribeStacks"))}
    for name, value in change.items():
        setattr(deployed.formation, name, value)
    assert run("destroy", "--yes", "--stack-name", NAME) == code
    assert words in capsys.readouterr().err
    assert deployed.formation.deleted == 0


def test_the_stacks_name_is_asked_for(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal --yes is missing; another name than the stack's changes nothing."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert run("destroy", "--stack-name", NAME) == 2
    assert "say --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "yes\n")
    assert run("destroy", "--stack-name", NAME) == 1
    said = capsys.readouterr().err
    assert f"table {TABLE}" in said
    assert "nothing was changed" in said
    assert deployed.formation.deleted == 0


def test_a_dry_run_prints_plain_calls_and_has_a_schema(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order; with --json beside what is removed and what stays."""
    deployed.executions.running = {"a"}
    assert run("destroy", "--dry-run", "--stop", "--stack-name", NAME) == 0
    lines = capsys.readouterr().out.splitlines()
    begins = [" ".join(line.split()[1:3]) for line in lines]
    assert begins[:4] == [
        "dynamodb update-item",
        "stepfunctions stop-execution",
        "cloudformation delete-stack",
        "cloudformation wait",
    ]
    assert {"dynamodb delete-table", "s3 rm", "s3api delete-bucket"} <= set(begins[4:])
    assert run("destroy", "--dry-run", "--json", "--keep-data", "--stack-name", NAME) == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("Removal", document)
    assert document["status"] == "planned"
    assert "delete-table" not in " ".join(document["commands"])
    assert deployed.formation.deleted == 0


def test_json_tells_what_became_of_it(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document has the published form; once more there is nothing to do."""
    assert deployed
    monkeypatch.setattr(draining, "_PAUSE_SECONDS", 0.0)
    for expected in ("table", ""):
        assert run("destroy", "--yes", "--json", "--stack-name", NAME) == 0
        document = json.loads(capsys.readouterr().out)
        assert matches("Removal", document)
        assert document["status"] == "removed"
        assert ("table" in [part["kind"] for part in document["removed"]]) == bool(expected)


def test_destroy_knows_a_pullwright_by_its_template() -> None:
    """A stack's description is the template's, from its first moment on."""
    assert template()["Description"].startswith("Pullwright:")
