"""What the state machine passes to ReportOutcome."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pullwright.json_object import decode_object
from pullwright.models import OpenedPullRequest


class _FromAws(BaseModel):
    """A model with AWS's own names and spelling; other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class TaskEnd(_FromAws):
    """How an ECS task ended. `Reason` is the container's, the rest the task's.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """

    TaskArn: str | None = None
    StopCode: str | None = None
    StoppedReason: str | None = None
    ExitCode: int | None = None
    Reason: str | None = None

    @classmethod
    def of(cls, task: Any) -> "TaskEnd | None":
        """Read a task that ECS describes, in the spelling of Step Functions or of boto3."""
        if not isinstance(task, dict):
            return None
        named = {key[:1].upper() + key[1:]: value for key, value in task.items()}
        containers = [
            {key[:1].upper() + key[1:]: value for key, value in container.items()}
            for container in named.get("Containers") or []
            if isinstance(container, dict)
        ]
        # A session's task and a preview's have one container each.
        ours = next((it for it in containers if it.get("Name") in {"runner", "preview"}), {})
        fields = {name: named.get(name) for name in ("TaskArn", "StopCode", "StoppedReason")}
        return cls(**fields, ExitCode=ours.get("ExitCode"), Reason=ours.get("Reason"))


class StateError(_FromAws):
    """The error that a Catch of the state machine caught."""

    Error: str = ""
    Cause: str = ""

    @property
    def decoded(self) -> dict[str, Any]:
        """The cause, where it is a JSON object: a Lambda's error, or a failed task."""
        return decode_object(self.Cause)


class ReportOutcomeEvent(BaseModel):
    """The payload of ReportOutcome.

    Attributes:
        opened: what OpenPullRequest answered; None if it failed.
        task: how the task ended, if the state machine knows.
        error: what a state failed with; None if all went well.
    """

    model_config = ConfigDict(frozen=True)

    session_id: str
    execution_arn: str
    started_at: datetime
    opened: OpenedPullRequest | None = None
    task: TaskEnd | None = None
    error: StateError | None = Field(default=None)
