"""Stacks for tests of the command: a table and a bucket in memory, executions as told."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from botocore.exceptions import ClientError
from jsonschema_rs import Draft202012Validator

from docs.contracts import COMMANDS
from pullwright_cli.app import main
from tests.unit.aws_kit import client
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:AgentSession:live"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:AgentSession:"
BUCKET = "artifacts"
OUTPUTS = {
    "StateMachineArn": MACHINE,
    "EvaluationMachineArn": "arn:aws:states:eu-central-1:123456789012:stateMachine:Evaluation",
    "SessionsTable": TABLE,
    "ArtifactsBucket": BUCKET,
    "EcsClusterArn": "the cluster",
    "EcsTaskDefinitionArn": "the definition",
    "EcsStagingTaskDefinitionArn": "the staging definition",
    "EcsSubnetIdsCsv": "subnet-1,subnet-2",
    "EcsSecurityGroupId": "sg-1",
    "LogGroupName": "/pullwright/s/agent",
}
_SCHEMA = json.loads(COMMANDS.read_text())


def matches(name: str, document: Any) -> bool:
    """Return whether a document has the form that the published schema gives it.

    Raises:
        ValidationError: it has not; the text says where.
    """
    Draft202012Validator({**_SCHEMA, "$ref": f"#/$defs/{name}"}).validate(document)
    return True


# What Typer makes of our functions is the same for every call of a process, and takes longer than most tests.
typer.main.get_command = cache(typer.main.get_command)


def run(*arguments: str) -> int:
    """Exit code of a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def printed(capsys: pytest.CaptureFixture[str], document: str, *arguments: str) -> Any:
    """Return what a command prints as JSON, which has the form of a document of the published schema."""
    assert run(*arguments, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert matches(document, found)
    return found


@dataclass
class States:
    """Step Functions as the command uses it.

    Attributes:
        executions: status and input by name; one that is not here is forgotten.
        calls: those that change something.
    """

    executions: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """See AWS."""
        name = executionArn.rpartition(":")[2]
        if name not in self.executions:
            raise ClientError(
                {"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution"
            )
        status, text = self.executions[name]
        return {"status": status, "input": text, "startDate": datetime.now(UTC)}

    def start_execution(self, **call: Any) -> dict[str, Any]:
        """See AWS."""
        self.calls.append(("start", call))
        self.executions[call["name"]] = ("RUNNING", call["input"])
        return {"executionArn": f"{EXECUTION}{call['name']}"}

    def stop_execution(self, **call: Any) -> None:
        """See AWS."""
        self.calls.append(("stop", call))

    def get_paginator(self, _name: str) -> Any:
        """Return what pages through a history."""
        return self

    def paginate(self, *, executionArn: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - AWS's name
        """Return a history of one state."""
        self.describe_execution(executionArn=executionArn)
        entered = {"stateEnteredEventDetails": {"name": "RecordSession"}, "timestamp": datetime.now(UTC)}
        return [{"events": [entered]}]


@dataclass
class Cloud:
    """A stack; `client` and `output` are those of `pullwright_cli.aws.Stack`."""

    dynamodb: Any
    s3: Any
    states: States = field(default_factory=States)
    queries: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """Return a client."""
        return {"dynamodb": self.dynamodb, "s3": self.s3, "stepfunctions": self.states}[service]

    def output(self, name: str) -> str:
        """Return an output."""
        return OUTPUTS[name]

    def record(self, session_id: str, *, bare: bool = False, **fields: Any) -> None:
        """Write a session's record.

        Args:
            bare: nothing but the given fields.
        """
        now = datetime.now(UTC).isoformat()
        usual = {
            "status": "SUCCEEDED",
            "repository": "octo/widgets",
            "created_at": now,
            "heartbeat_at": now,
            "worker": "implement",
        }
        values = {} if bare else usual
        item = {
            name: {"N": str(value)} if isinstance(value, int | float) else {"S": value}
            for name, value in {**values, **fields}.items()
        }
        self.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"SESSION#{session_id}"}, **item})


@contextmanager
def cloud() -> Iterator[Cloud]:
    """Provide an empty stack."""
    with table() as dynamodb:
        s3 = client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        made = Cloud(dynamodb, s3)
        note = made.queries.append
        dynamodb.meta.events.register(
            "provide-client-params.dynamodb.*",
            lambda params, model, **_: note({"call": model.name, **params}),
        )
        yield made
