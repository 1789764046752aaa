"""Runs the state machine on the local engine: DynamoDB is real there, functions and tasks are mocked."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient

DEFINITION = Path(__file__).parents[2] / "statemachine" / "agent_session.asl.json"
MACHINE = "agent-session"
MAX_SESSIONS = 2
SECONDS = 60.0
"""How long an execution may take, at most, before its test fails."""

GOOD_PATH = [
    "RecordSession",
    "OpenPullRequest",
    "AdmitSession",
    "RunAgent",
    "ReportOutcome",
    "CloseSession",
    "Outcome",
    "Succeeded",
]
"""What a session enters that goes well."""

SUBSTITUTIONS = {
    "Partition": "aws",
    "SessionsTable": "sessions",
    "OpenPullRequestFunction": "arn:aws:lambda:us-east-1:000000000000:function:open",
    "ReportOutcomeFunction": "arn:aws:lambda:us-east-1:000000000000:function:report",
    "ClusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/agents",
    "LaunchField": "CapacityProviderStrategy",
    "TaskDefinition": "agent",
    "StagingTaskDefinition": "agent-staging",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupId": "sg-1",
    "AssignPublicIp": "ENABLED",
}

OPENED = {
    "repository": "acme/shop",
    "branch": "claude/7",
    "pull_request": 8,
    "pull_request_url": "https://github.com/acme/shop/pull/8",
    "comment_id": 9,
    "lock_key": "LOCK#acme/shop#claude/7",
    "timeout_seconds": 1800,
    "max_sessions": MAX_SESSIONS,
    "max_sessions_of_repository": MAX_SESSIONS,
}
TASK = {
    "TaskArn": "arn:aws:ecs:us-east-1:000000000000:task/agents/1",
    "StopCode": "EssentialContainerExited",
    "StoppedReason": "Essential container in task exited",
    "Containers": [{"Name": "runner", "ExitCode": 0}],
    "Overrides": {"ContainerOverrides": [{"Name": "runner"}]},
}
SUCCEEDED = {
    "status": "SUCCEEDED",
    "outcome": "changed",
    "error": "",
    "failure_class": "",
    "sentence": 'The agent changed "two" files.',
    "remedy": "",
    "lock_key": OPENED["lock_key"],
    "report_due": False,
    "ttl": 1_900_000_000,
}
LOCK = str(OPENED["lock_key"])


def failed(error: str, *, lock_key: str = "") -> dict[str, Any]:
    """Return a verdict on a failed session.

    Args:
        error: class name of `pullwright.errors`.
        lock_key: of the lock that the session holds, if it does.
    """
    return {
        **SUCCEEDED,
        "status": "FAILED",
        "outcome": "failed",
        "error": error,
        "failure_class": "user",
        "sentence": f"It failed with {error}.",
        "remedy": "Do something.",
        "lock_key": lock_key,
    }


def returns(value: Any) -> dict[str, Any]:
    """Return a mocked answer of an integration."""
    return {"Return": value}


def answers(payload: Any) -> dict[str, Any]:
    """Return a mocked answer of a function."""
    return returns({"StatusCode": 200, "Payload": payload})


def throws(error: str, cause: str = "because") -> dict[str, Any]:
    """Return a mocked error of a function or integration."""
    return {"Throw": {"Error": error, "Cause": cause}}


def reclaimed(code: str = "SpotInterruption") -> dict[str, Any]:
    """Return a mocked end of a task whose spare capacity AWS took back."""
    containers = [{"Name": "runner", "ExitCode": 143}]
    ended = {"StopCode": code, "StoppedReason": "Your Spot Task was interrupted.", "Containers": containers}
    return throws("States.TaskFailed", json.dumps({**TASK, **ended}))


def not_started() -> dict[str, Any]:
    """Return a mocked end of a task that ECS could not start."""
    cause = {**TASK, "StopCode": "TaskFailedToStart", "StoppedReason": "CannotPullContainerError"}
    return throws("States.TaskFailed", json.dumps(cause))


def not_placed(reason: str) -> dict[str, Any]:
    """Return a mocked answer of RunTask that started nothing, as `.sync` makes an error of it."""
    return throws("AmazonECS.Unknown", json.dumps({"Failures": [{"Reason": reason}], "Tasks": []}))


OPEN = [answers(OPENED)]
GOOD: dict[str, Any] = {
    "OpenPullRequest": OPEN,
    "RunAgent": [returns(TASK)],
    "ReportOutcome": [answers(SUCCEEDED)],
}
"""What is answered in a session that goes well."""


def filled_in(path: Path, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a definition with its names filled in."""
    text = re.sub(r"\$\{(\w+)\}", lambda name: names[name[1]], path.read_text(encoding="utf-8"))
    document: dict[str, Any] = json.loads(text)
    return document


def definition() -> dict[str, Any]:
    """Return the definition of sessions with names filled in."""
    return filled_in(DEFINITION, SUBSTITUTIONS)


def hurried(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy whose retries and looks come after a second at most, twice at most, in two rounds."""
    copied: dict[str, Any] = json.loads(json.dumps(document))
    for choice in copied["States"]["CheckLaunch"]["Choices"]:
        # Reclaims, which share these rounds, take no time here.
        if "$reclaims" not in choice["Condition"]:
            choice["Condition"] = choice["Condition"].replace("$waits < 71", "$waits < 1")
    for state in copied["States"].values():
        for retrier in state.get("Retry", []):
            retrier.pop("MaxDelaySeconds", None)
            retrier["IntervalSeconds"] = 1
            retrier["BackoffRate"] = 1
            retrier["MaxAttempts"] = min(retrier["MaxAttempts"], 2)
    copied["States"]["WaitForSlot"]["Seconds"] = 1
    (given_up,) = [one for one in copied["States"]["CheckSlots"]["Choices"] if "$looks" in one["Condition"]]
    given_up["Condition"] = "{% $looks >= 2 %}"
    return copied


@dataclass(frozen=True)
class Finished:
    """An execution that has ended."""

    session_id: str
    arn: str
    status: str
    error: str | None
    cause: str | None
    output: dict[str, Any] | None
    events: list[dict[str, Any]]

    @property
    def entered(self) -> list[str]:
        """The states that it went through, in order."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.events
            if "stateEnteredEventDetails" in event
        ]

    def calls(self, resource_type: str) -> list[dict[str, Any]]:
        """Return the arguments of its calls.

        Args:
            resource_type: such as `lambda` or `ecs`.
        """
        details = [
            event["taskScheduledEventDetails"]
            for event in self.events
            if "taskScheduledEventDetails" in event
        ]
        return [json.loads(call["parameters"]) for call in details if call["resourceType"] == resource_type]

    @property
    def report(self) -> dict[str, Any]:
        """What ReportOutcome was told the last time it was called."""
        calls = [call for call in self.calls("lambda") if call["FunctionName"].endswith(":report")]
        payload: dict[str, Any] = calls[-1]["Payload"]
        return payload


@dataclass
class Machine:
    """The state machine on an engine.

    Attributes:
        mocks: file that the engine reads mocked answers from.
    """

    url: str
    mocks: Path
    states: SFNClient = field(init=False)
    table: DynamoDBClient = field(init=False)
    arn: str = field(init=False)
    _runs: int = 0

    def __post_init__(self) -> None:
        common: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        self.states = boto3.client("stepfunctions", **common)
        self.table = boto3.client("dynamodb", **common)
        self.table.create_table(
            TableName=SUBSTITUTIONS["SessionsTable"],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        self.arn = self.states.create_state_machine(
            name=MACHINE,
            definition=json.dumps(hurried(definition())),
            roleArn="arn:aws:iam::000000000000:role/machine",
        )["stateMachineArn"]

    def put(self, pk: str, **attributes: Any) -> None:
        """Write an item."""
        self.table.put_item(TableName=SUBSTITUTIONS["SessionsTable"], Item={"pk": {"S": pk}, **attributes})

    def get(self, pk: str) -> dict[str, Any] | None:
        """Read an item; strings, numbers and booleans as they are."""
        item = self.table.get_item(TableName=SUBSTITUTIONS["SessionsTable"], Key={"pk": {"S": pk}}).get(
            "Item"
        )
        return {name: next(iter(value.values())) for name, value in item.items()} if item else None

    def session(self, finished: Finished) -> dict[str, Any]:
        """Return the record of a session."""
        record = self.get(f"SESSION#{finished.session_id}")
        assert record is not None
        return record

    def lock(self, session_id: str) -> str:
        """Take the branch's lock as OpenPullRequest does.

        Args:
            session_id: name of the execution that owns it from now on.

        Returns:
            That execution's ARN.
        """
        owner = f"{self.arn.replace(':stateMachine:', ':execution:')}:{session_id}"
        self.put(str(OPENED["lock_key"]), owner={"S": owner}, session_id={"S": session_id})
        return owner

    def run(
        self, session_id: str | None = None, request: Any = None, **mocked: list[dict[str, Any]]
    ) -> Finished:
        """Run a session.

        Args:
            session_id: the execution's name; a fresh one without it.
            mocked: answers by state, one per attempt; the last one stays. States that are not named run.
        """
        name = session_id or f"implement-7-{uuid.uuid4()}"
        return self.wait(name, self.begin(name, request, **mocked))

    def begin(self, name: str, request: Any = None, **mocked: list[dict[str, Any]]) -> str:
        """Start an execution as `run` does, and return its ARN."""
        arn: str = self.states.start_execution(
            stateMachineArn=self.mock(name, **mocked),
            name=name,
            input=json.dumps({"repository": "acme/shop", "issue": 7} if request is None else request),
        )["executionArn"]
        return arn

    def mock(self, case: str, **mocked: list[dict[str, Any]]) -> str:
        """Have the engine mock states in the next executions, and return the ARN to start them by.

        Args:
            case: a name for it.
            mocked: as in `run`.
        """
        responses: dict[str, dict[str, Any]] = {}
        for state, attempts in mocked.items():
            last = len(attempts) - 1
            # More attempts than any retrier of the hurried copy makes.
            ranges = [*(str(number) for number in range(last)), f"{last}-{last + 20}"]
            responses[state] = dict(zip(ranges, attempts, strict=True))
        # This case alone: the engine reads all of the file at each start, and keeps what it began with.
        cases = {"TestCases": {case: {state: state for state in mocked}}}
        config = {"StateMachines": {self.arn.rpartition(":")[2]: cases}, "MockedResponses": responses}
        self.mocks.write_text(json.dumps(config), encoding="utf-8")
        # The engine reads the file again when its time in whole seconds has changed.
        self._runs += 1
        os.utime(self.mocks, (0, self._runs))
        return f"{self.arn}#{case}"

    def wait(self, name: str, arn: str) -> Finished:
        """Wait until an execution has ended."""
        deadline = time.monotonic() + SECONDS
        while (told := self.states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{name} did not end"
            time.sleep(0.05)
        events: list[dict[str, Any]] = []
        for page in self.states.get_paginator("get_execution_history").paginate(executionArn=arn):
            events.extend(dict(event) for event in page["events"])
        output = told.get("output")
        return Finished(
            session_id=name,
            arn=arn,
            status=told["status"],
            error=told.get("error"),
            cause=told.get("cause"),
            output=json.loads(output) if output else None,
            events=events,
        )


def is_closed(machine: Machine, finished: Finished, error: str) -> bool:
    """Return whether the session failed with that error, in every place, and holds nothing any more."""
    record = machine.session(finished)
    return (
        finished.status == "FAILED"
        and finished.error == error
        and (record["status"], record["error"]) == ("FAILED", error)
        and "closed_at" in record
        and finished.session_id not in (machine.get("SLOTS") or {}).get("holders", [])
    )
