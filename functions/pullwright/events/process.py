"""Processes the queue's messages; one that fails holds up no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from pullwright.errors import PullwrightError
from pullwright.events.messages import MESSAGE, Queued, QueuedRelease, QueuedStart, QueuedStop
from pullwright.log import logger
from pullwright.reconciling.executions import Executions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_stepfunctions import SFNClient

    from pullwright.record import SessionRecord


@dataclass(frozen=True, slots=True)
class Sessions:
    """What messages are processed with.

    Attributes:
        open_sessions: reads the records of the sessions that nobody has closed.
        release: releases CI that is held, and says what came of it.
    """

    state_machine_arn: str
    states: SFNClient
    open_sessions: Callable[[], list[SessionRecord]]
    release: Callable[[QueuedRelease], str]


def process(records: Iterable[Mapping[str, Any]], sessions: Sessions) -> list[str]:
    """Start, stop and release what the messages ask for.

    Returns:
        Ids of the messages that failed. SQS delivers them again, and in the end to the dead-letter queue.
    """
    failed: list[str] = []
    for record in records:
        message_id = str(record["messageId"])
        try:
            message = MESSAGE.validate_json(record["body"])
            result = _carry_out(message, sessions)
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
            logger.info(result, extra={"message_id": message_id, "correlation_id": message.subject})
    return failed


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
    """Stop the executions of the sessions that the message is about; the sweep reports and cleans up."""
    executions = Executions(sessions.states, sessions.state_machine_arn)
    arns = [
        executions.arn_of(record.session_id)
        for record in sessions.open_sessions()
        if message.is_about(record)
    ]
    for arn in arns:
        executions.stop(arn, error=message.error, cause=message.cause)
    return f"{len(arns)} sessions were stopped."
