"""Reading a session of the local stack from outside: execution, record, logs and artifacts."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from local.sam import client
from pullwright.record import SessionRecord
from pullwright.table import decoded, session_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class StateVisit:
    """One entry of one state.

    Args:
        seconds: how long it took, None while it is not left.
    """

    name: str
    entered: datetime
    seconds: float | None


@dataclass
class Stack:
    """A running local stack, as `.local/stack.json` describes it."""

    described: dict[str, Any]
    _clients: dict[str, Any] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, folder: Path) -> Stack:
        """Read the stack that lives in a folder.

        Raises:
            FileNotFoundError: no stack is up there.
        """
        path = folder / "stack.json"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: no local stack is up; run `make up`")
        return cls(json.loads(path.read_text()))

    def client(self, service: str) -> Any:
        """Return a boto3 client for the stack, made once."""
        with self._guard:
            if service not in self._clients:
                self._clients[service] = client(service, self.described["endpoint_url"])
            return self._clients[service]

    @property
    def outputs(self) -> dict[str, str]:
        """Outputs of the CloudFormation stack."""
        outputs: dict[str, str] = self.described["outputs"]
        return outputs

    @property
    def github_url(self) -> str:
        """Root of the GitHub stand-in."""
        return str(self.described["github_url"])

    @property
    def model_url(self) -> str | None:
        """Root of the model stand-in, None when a real model works."""
        url = self.described.get("model_url")
        return str(url) if url else None

    def executions(self, repository: str, issue: int | None = None) -> list[str]:
        """Return the ARNs of all executions for a repository, oldest first."""
        found = []
        pages = (
            self.client("stepfunctions")
            .get_paginator("list_executions")
            .paginate(stateMachineArn=self.outputs["StateMachineArn"])
        )
        for page in pages:
            for execution in page["executions"]:
                session = Session(self, execution["executionArn"])
                if session.input.get("repository") != repository:
                    continue
                if issue is None or session.input.get("issue") == issue:
                    found.append((execution["startDate"], execution["executionArn"]))
        return [arn for _, arn in sorted(found)]

    def start(self, request: dict[str, Any], name: str | None = None) -> Session:
        """Start a session as `aws stepfunctions start-execution` does."""
        extra = {"name": name} if name else {}
        arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], input=json.dumps(request), **extra
        )["executionArn"]
        return Session(self, arn)

    def wait_for_execution(self, repository: str, issue: int, seconds: float) -> Session:
        """Wait until a webhook has started a session for an issue.

        Raises:
            TimeoutError: none was started in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            arns = self.executions(repository, issue)
            if arns:
                return Session(self, arns[-1])
            time.sleep(0.2)
        raise TimeoutError(f"no session was started for {repository}#{issue} within {seconds:.0f} s")


@dataclass
class Session:
    """One session of a stack."""

    stack: Stack
    arn: str

    @property
    def id(self) -> str:
        """The session's id, which is the execution's name."""
        return self.arn.rsplit(":", 1)[1]

    @cached_property
    def input(self) -> dict[str, Any]:
        """The execution's input; empty when it is no JSON object."""
        described = self.stack.client("stepfunctions").describe_execution(executionArn=self.arn)
        decoded = json.loads(described["input"])
        return decoded if isinstance(decoded, dict) else {}

    def status(self) -> str:
        """Return the execution's status."""
        described = self.stack.client("stepfunctions").describe_execution(executionArn=self.arn)
        return str(described["status"])

    def wait(self, seconds: float = 120) -> str:
        """Wait for the execution's end and return its status.

        Raises:
            TimeoutError: it has not ended in time.
        """
        deadline = time.monotonic() + seconds
        while (status := self.status()) not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"session {self.id} is still {status} after {seconds:.0f} s")
            time.sleep(0.2)
        return status

    def events(self) -> list[dict[str, Any]]:
        """Return the execution's whole history."""
        pages = (
            self.stack.client("stepfunctions")
            .get_paginator("get_execution_history")
            .paginate(executionArn=self.arn, includeExecutionData=True)
        )
        return [event for page in pages for event in page["events"]]

    def visits(self) -> list[StateVisit]:
        """Return the states that were entered, in order."""
        visits: list[StateVisit] = []
        for event in self.events():
            if entered := event.get("stateEnteredEventDetails"):
                visits.append(StateVisit(entered["name"], event["timestamp"], None))
            elif event.get("stateExitedEventDetails") and visits:
                last = visits[-1]
                seconds = (event["timestamp"] - last.entered).total_seconds()
                visits[-1] = StateVisit(last.name, last.entered, seconds)
        return visits

    def record(self) -> SessionRecord:
        """Return the session's record; `is_missing` when there is none."""
        item = (
            self.stack.client("dynamodb")
            .get_item(
                TableName=self.stack.outputs["SessionsTable"],
                Key={"pk": {"S": session_key(self.id)}},
                ConsistentRead=True,
            )
            .get("Item", {})
        )
        return SessionRecord.of(self.id, decoded(item))

    def artifacts(self) -> dict[str, bytes]:
        """Return the session's artifacts by file name."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs["ArtifactsBucket"]
        prefix = f"sessions/{self.id}/"
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {
            entry["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for entry in listed
        }

    def log_lines(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the runner's structured log lines.

        Args:
            since: how many of them to leave out, from the first on.
        """
        task_arn = self.record().task_arn
        if not task_arn:
            return
        logs = self.stack.client("logs")
        task_id = task_arn.rsplit("/", 1)[1]
        group = self.stack.outputs["LogGroupName"]
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        for stream in streams:
            if not stream["logStreamName"].endswith(task_id):
                continue
            events = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
            for event in events[since:]:
                try:
                    line = json.loads(event["message"])
                except ValueError:
                    line = {"message": event["message"]}
                yield line if isinstance(line, dict) else {"message": event["message"]}
