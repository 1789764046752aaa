"""One session as AWS holds it: its execution, its record, its artifacts and its task's log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.aws import code_of
from pullwright.executions import execution_arn, session_of_execution
from pullwright.json_object import decode_object
from pullwright.models import SessionStatus
from pullwright.record import SessionRecord
from pullwright.table import decoded, session_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_TASK_PREFIX = "agent/runner"
"""Of the streams of tasks: the template's prefix and the container's name."""
# Executions are forgotten 90 days after their end: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_FORGOTTEN = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


class Deployed(Protocol):
    """A stack that sessions run on."""

    def client(self, service: str) -> Any:
        """Return a client of boto3."""

    def output(self, name: str) -> str:
        """Return an output of the stack."""


@dataclass(frozen=True)
class StateVisit:
    """One entry of one state.

    Attributes:
        seconds: how long it took, None while it is not left.
    """

    name: str
    entered: datetime
    seconds: float | None


@dataclass(frozen=True)
class Artifact:
    """A file that a session left.

    Attributes:
        size: number of bytes.
    """

    name: str
    key: str
    size: int


@dataclass
class Session:
    """One session of a stack."""

    stack: Deployed
    arn: str

    @classmethod
    def named(cls, stack: Deployed, session_id: str) -> Self:
        """Return a session by its id, or by the ARN of its execution."""
        return cls.of(stack, stack.output("StateMachineArn"), session_id)

    @classmethod
    def of(cls, stack: Deployed, machine: str, execution: str) -> Self:
        """Return what an execution of a state machine is, by its name or its ARN."""
        return cls(stack, execution_arn(machine, session_of_execution(execution)))

    @property
    def id(self) -> str:
        """The session's id, which is the execution's name."""
        return session_of_execution(self.arn)

    @cached_property
    def input(self) -> dict[str, Any]:
        """The execution's input; empty when it is no JSON object."""
        return decode_object(self.description()["input"])

    def description(self) -> dict[str, Any]:
        """Return what Step Functions says of the execution.

        Raises:
            ExecutionForgotten: it does not know it, or not any more.
        """
        try:
            found: dict[str, Any] = self.stack.client("stepfunctions").describe_execution(
                executionArn=self.arn
            )
        except ClientError as error:
            raise self._forgotten(error) from None
        return found

    def status(self) -> str:
        """Return the execution's status."""
        return str(self.description()["status"])

    def events(self) -> list[dict[str, Any]]:
        """Return the execution's whole history.

        Raises:
            ExecutionForgotten: Step Functions does not know the execution, or not any more.
        """
        pages = (
            self.stack.client("stepfunctions")
            .get_paginator("get_execution_history")
            .paginate(executionArn=self.arn, includeExecutionData=True)
        )
        try:
            return [event for page in pages for event in page["events"]]
        except ClientError as error:
            raise self._forgotten(error) from None

    def visits(self) -> list[StateVisit]:
        """Return the states that were entered, in order."""
        return visits_of(self.events())

    def record(self) -> SessionRecord:
        """Return the session's record; `is_missing` when there is none.

        Raises:
            RecordTooNew: its status is none that this release knows.
        """
        found = self.stack.client("dynamodb").get_item(
            TableName=self.stack.output("SessionsTable"),
            Key={"pk": {"S": session_key(self.id)}},
            ConsistentRead=True,
        )
        item = decoded(found.get("Item", {}))
        status = item.get("status")
        if isinstance(status, str) and status not in set(SessionStatus):
            raise errors.RecordTooNew(
                f"The record of {self.id} has the status {status!r}, which this release does not know."
            )
        return SessionRecord.of(self.id, item)

    def artifact_list(self) -> list[Artifact]:
        """Return what the session left, by name."""
        prefix = f"sessions/{self.id}/"
        pages = (
            self.stack.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self.stack.output("ArtifactsBucket"), Prefix=prefix)
        )
        found = [entry for page in pages for entry in page.get("Contents", [])]
        return [Artifact(entry["Key"].removeprefix(prefix), entry["Key"], entry["Size"]) for entry in found]

    def artifacts(self) -> dict[str, bytes]:
        """Return the session's artifacts by file name."""
        s3, bucket = self.stack.client("s3"), self.stack.output("ArtifactsBucket")
        return {
            artifact.name: s3.get_object(Bucket=bucket, Key=artifact.key)["Body"].read()
            for artifact in self.artifact_list()
        }

    def log_lines(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the runner's structured log lines.

        Args:
            since: how many of them to leave out, from the first on.
        """
        task_arn = self.record().task_arn
        if task_arn is None:
            return
        place = {
            "logGroupName": self.stack.output("LogGroupName"),
            "logStreamName": f"{_TASK_PREFIX}/{task_arn.rsplit('/', 1)[1]}",
        }
        seen, token = 0, None
        while True:
            try:
                page = self.stack.client("logs").get_log_events(
                    **place, startFromHead=True, **({"nextToken": token} if token else {})
                )
            except ClientError as error:
                # The task has written nothing yet.
                if code_of(error) == "ResourceNotFoundException":
                    return
                raise
            for event in page["events"]:
                seen += 1
                if seen > since:
                    yield decode_object(event["message"]) or {"message": event["message"]}
            # The last page's token leads to itself.
            if page["nextForwardToken"] == token or not page["events"]:
                return
            token = page["nextForwardToken"]

    def _forgotten(self, error: ClientError) -> Exception:
        if code_of(error) not in _FORGOTTEN:
            return error
        return errors.ExecutionForgotten(
            f"Step Functions does not know an execution {self.id}, or not any more."
        )


_ENDS = frozenset(f"Execution{how}" for how in ("Aborted", "Failed", "Succeeded", "TimedOut"))


def visits_of(events: list[dict[str, Any]]) -> list[StateVisit]:
    """Return the states that a history says were entered, in order; the execution's end ends the last one."""
    visits: list[StateVisit] = []
    for event in events:
        if entered := event.get("stateEnteredEventDetails"):
            visits.append(StateVisit(entered["name"], event["timestamp"], None))
        elif visits and (event.get("stateExitedEventDetails") or event.get("type") in _ENDS):
            last = visits[-1]
            if last.seconds is not None:
                continue
            seconds = (event["timestamp"] - last.entered).total_seconds()
            visits[-1] = StateVisit(last.name, last.entered, seconds)
    return visits


def task_of(events: list[dict[str, Any]]) -> str | None:
    """Return the ARN of the last task that a history says was started; None before there is one."""
    return next(reversed(tasks_of(events)), None)


def tasks_of(events: list[dict[str, Any]]) -> list[str]:
    """Return the ARNs of the tasks that a history says were started, in order."""
    found = []
    for event in events:
        submitted = event.get("taskSubmittedEventDetails", {})
        if submitted.get("resourceType") == "ecs":
            answer = json.loads(submitted.get("output") or "{}")
            found.append((answer.get("Tasks") or [answer])[0].get("TaskArn"))
    return [arn for arn in found if arn]
