"""What the webhook queued when Step Functions had no room: started later, from the queue.

Unlike the rest of this package it runs in the events function, with pydantic and boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import StringConstraints, ValidationError

from pullwright.log import logger
from pullwright.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_stepfunctions import SFNClient


class QueuedStart(Model):
    """The queue's message.

    Attributes:
        name: the execution's, which deduplicates.
        input: the execution's, byte for byte as the webhook made it.
    """

    kind: Literal["start"]
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    input: Annotated[str, StringConstraints(min_length=2)]


def work_off(records: Iterable[Mapping[str, Any]], *, state_machine_arn: str, states: SFNClient) -> list[str]:
    """Start what the messages ask for.

    Args:
        records: of the SQS event.
        state_machine_arn: which machine.
        states: client of Step Functions.

    Returns:
        Ids of the messages that failed. SQS delivers them again, and in the end to the dead-letter queue.
    """
    failed: list[str] = []
    for record in records:
        message_id = str(record["messageId"])
        try:
            message = QueuedStart.model_validate_json(record["body"])
            arn = _start(message, state_machine_arn, states)
        except ValidationError as error:
            # Without the input: whoever looks into the dead-letter queue sees it there.
            fields = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
            logger.warning("A message is malformed.", extra={"message_id": message_id, "fields": fields})
            failed.append(message_id)
        except (ClientError, BotoCoreError) as error:
            logger.exception(
                "An execution was not started.",
                extra={"message_id": message_id, "error": type(error).__name__},
            )
            failed.append(message_id)
        else:
            logger.info(
                "The queued session is started." if arn else "The queued session was started before.",
                extra={"message_id": message_id, "correlation_id": message.name},
            )
    return failed


def _start(message: QueuedStart, state_machine_arn: str, states: SFNClient) -> str:
    """Start one execution; an empty answer means that it was started before, and has ended."""
    try:
        started = states.start_execution(
            stateMachineArn=state_machine_arn, name=message.name, input=message.input
        )
    except states.exceptions.ExecutionAlreadyExists:
        return ""
    return started["executionArn"]
