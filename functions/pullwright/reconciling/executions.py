"""Which executions of the state machine run, and how the others ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pullwright.aws import calling, code_of
from pullwright.executions import execution_arn
from pullwright.json_object import decode_object

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

_RUNNING: Final = "RUNNING"
_TIMED_OUT: Final = "TIMED_OUT"
_GONE = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


@dataclass(frozen=True, slots=True)
class ExecutionEnd:
    """How an execution ended.

    Attributes:
        status: `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`; empty when AWS does not know it any more.
        error: name of the error, where there is one.
        cause: in words; who stopped it says it there.
        stopped_at: when; None if that is not known.
        input: as it was given, empty when AWS does not know it any more.
    """

    status: str = ""
    error: str = ""
    cause: str = ""
    stopped_at: datetime | None = None
    started_at: datetime | None = None
    input: str = ""

    @property
    def request(self) -> dict[str, Any]:
        """The input; empty where it is no JSON object."""
        return decode_object(self.input)


class Executions:
    """The executions of one state machine.

    Args:
        state_machine_arn: the machine; an alias lists those alone that were started through it.
    """

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._machine = state_machine_arn

    def arn_of(self, session_id: str) -> str:
        """Return the ARN of a session's execution."""
        return execution_arn(self._machine, session_id)

    def running(self) -> frozenset[str]:
        """Return the ARNs of the executions that run.

        The list lags behind: that an execution is missing proves nothing, `end_of` does.

        Raises:
            AwsUnavailable: AWS did not answer.
        """
        with calling("list the running executions"):
            pages = self._client.get_paginator("list_executions").paginate(
                stateMachineArn=self._machine, statusFilter=_RUNNING
            )
            return frozenset(execution["executionArn"] for page in pages for execution in page["executions"])

    def ended_badly_since(self, moment: datetime) -> list[str]:
        """Return the ARNs of executions that failed, were stopped or timed out since a moment, newest first.

        Of those that failed or were stopped only the ones that began after the moment too.

        Raises:
            AwsUnavailable: AWS did not answer.
        """
        found: list[str] = []
        with calling("list the executions that ended badly"):
            pages = self._client.get_paginator("list_executions")
            statuses: tuple[ExecutionStatusType, ...] = ("FAILED", "ABORTED", _TIMED_OUT)
            for status in statuses:
                for page in pages.paginate(stateMachineArn=self._machine, statusFilter=status):
                    # The newest come first by their beginning, which for those that timed out is days ago,
                    # but equally long for all of them.
                    fresh = [
                        execution["executionArn"]
                        for execution in page["executions"]
                        if execution["stopDate" if status == _TIMED_OUT else "startDate"] >= moment
                    ]
                    found.extend(fresh)
                    if len(fresh) < len(page["executions"]):
                        break
        return found

    def end_of(self, arn: str) -> ExecutionEnd | None:
        """Return how an execution ended; None while it runs.

        Raises:
            AwsUnavailable: AWS did not answer.
        """
        with calling("describe an execution"):
            try:
                found = self._client.describe_execution(executionArn=arn)
            except ClientError as error:
                if code_of(error) in _GONE:
                    return ExecutionEnd()
                raise
        if found["status"] == _RUNNING:
            return None
        stopped = found.get("stopDate")
        return ExecutionEnd(
            status=found["status"],
            error=found.get("error") or "",
            cause=found.get("cause") or "",
            stopped_at=stopped.astimezone(UTC) if stopped is not None else None,
            started_at=found["startDate"].astimezone(UTC),
            input=found.get("input") or "",
        )

    def stop(self, arn: str, *, error: str, cause: str) -> None:
        """Stop an execution; one that has ended stays as it is.

        Args:
            error: class name from `pullwright.errors` that it ends with.

        Raises:
            AwsUnavailable: AWS did not do it.
        """
        with calling("stop an execution"):
            try:
                self._client.stop_execution(executionArn=arn, error=error, cause=cause)
            except ClientError as refused:
                if code_of(refused) not in _GONE:
                    raise


def is_at_or_before(moment: Any, other: str) -> bool:
    """Return whether a time in ISO 8601 is at or before another; true if either cannot be read."""
    try:
        return datetime.fromisoformat(moment) <= datetime.fromisoformat(other)
    except (TypeError, ValueError):
        return True
