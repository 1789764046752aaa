"""What the webhook queued when Step Functions had no room: started later, from the queue.

Unlike the rest of this package it runs in the events function, with pydantic and boto3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from pullwright.errors import PullwrightError
from pullwright.log import logger
from pullwright.models import Model
from pullwright.reconciling.executions import Executions, is_before
from pullwright.releasing.release import QueuedRelease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_stepfunctions import SFNClient

    from pullwright.record import SessionRecord


class QueuedStart(Model):
    """The queue's message.

    Attributes:
        input: the execution's, byte for byte as the webhook made it.
    """

    kind: Literal["start"]
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    input: Annotated[str, StringConstraints(min_length=2)]


class QueuedStop(Model):
    """The other message: sessions have lost their ground.

    Attributes:
        error: what their executions end with, a class of `pullwright.errors`.
        repository: with `issue`, whose sessions that a label started end if they were asked for before `at`.
        pull_request: with `repository`, whose sessions end if they began before `at`.
        installation_id: with `repositories` (None is all), whose sessions end.
    """

    kind: Literal["stop"]
    error: Literal["LabelRemoved", "SessionStopped"]
    cause: str
    repository: str | None = None
    issue: int | None = None
    pull_request: int | None = None
    at: str = ""
    installation_id: int | None = None
    repositories: tuple[str, ...] | None = Field(default=None, strict=False)

    def is_about(self, record: SessionRecord) -> bool:
        """Return whether a session is one of those that end."""
        if self.installation_id is not None:
            is_reached = self.repositories is None or record.repository in self.repositories
            return is_reached and record.installation_id == self.installation_id
        if self.pull_request is not None:
            place = (record.repository, record.pull_request)
            is_meant = place == (self.repository, self.pull_request)
            return is_meant and is_before(str(record.created_at), self.at)
        request = record.request
        is_ours = (record.repository, request.get("issue")) == (self.repository, self.issue)
        # A label that was added again afterwards stands; who started it without a label needs none.
        return is_ours and bool(request.get("asked_at")) and is_before(request["asked_at"], self.at)


Queued = QueuedStart | QueuedStop | QueuedRelease
_MESSAGE: TypeAdapter[Queued] = TypeAdapter(Annotated[Queued, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True)
class Sessions:
    """What messages are worked off with.

    Attributes:
        open_sessions: reads the records of the sessions that nobody has closed.
        release: releases CI that is held, and says what came of it.
    """

    state_machine_arn: str
    states: SFNClient
    open_sessions: Callable[[], list[SessionRecord]]
    release: Callable[[QueuedRelease], str]


def work_off(records: Iterable[Mapping[str, Any]], sessions: Sessions) -> list[str]:
    """Start, stop and release what the messages ask for.

    Returns:
        Ids of the messages that failed. SQS delivers them again, and in the end to the dead-letter queue.
    """
    failed: list[str] = []
    for record in records:
        message_id = str(record["messageId"])
        try:
            message = _MESSAGE.validate_json(record["body"])
            told = _carry_out(message, sessions)
        except ValidationError as error:
            # Without the input: whoever looks into the dead-letter queue sees it there.
            fields = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
            logger.warning("A message is malformed.", extra={"message_id": message_id, "fields": fields})
            failed.append(message_id)
        except (ClientError, BotoCoreError, PullwrightError) as error:
            logger.exception(
                "What a message asks for was not done.",
                extra={"message_id": message_id, "error": type(error).__name__},
            )
            failed.append(message_id)
        else:
            logger.info(told, extra={"message_id": message_id, "correlation_id": _about(message)})
    return failed


def _about(message: Queued) -> str:
    match message:
        case QueuedStart():
            return message.name
        case QueuedStop():
            return f"{message.repository}#{message.issue or message.pull_request}"
        case QueuedRelease():
            return f"{message.repository}#{message.pull_request}"


def _carry_out(message: Queued, sessions: Sessions) -> str:
    match message:
        case QueuedStart():
            return _start(message, sessions)
        case QueuedStop():
            return _stop(message, sessions)
        case QueuedRelease():
            return sessions.release(message)


def _start(message: QueuedStart, sessions: Sessions) -> str:
    """Start one execution; one that was started before and has ended is a success too."""
    try:
        sessions.states.start_execution(
            stateMachineArn=sessions.state_machine_arn, name=message.name, input=message.input
        )
    except sessions.states.exceptions.ExecutionAlreadyExists:
        return "The queued session was started before."
    return "The queued session is started."


def _stop(message: QueuedStop, sessions: Sessions) -> str:
    """Stop the executions of sessions that have lost their ground; the sweep tells it and cleans up."""
    executions = Executions(sessions.states, sessions.state_machine_arn)
    arns = [
        executions.arn_of(record.session_id)
        for record in sessions.open_sessions()
        if message.is_about(record)
    ]
    for arn in arns:
        executions.stop(arn, error=message.error, cause=message.cause)
    return f"{len(arns)} sessions were stopped."
