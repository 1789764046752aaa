"""Processes the queue's messages; one that fails holds up no other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from pullwright.errors import PullwrightError
from pullwright.events.asking import why_not
from pullwright.events.checks import decide_checks
from pullwright.events.command import carry_out
from pullwright.events.hint import hint
from pullwright.events.messages import (
    MESSAGE,
    Queued,
    QueuedChecks,
    QueuedCommand,
    QueuedHint,
    QueuedPreview,
    QueuedRelease,
    QueuedReview,
    QueuedStart,
    QueuedStop,
    QueuedSync,
)
from pullwright.events.release import release
from pullwright.events.review import start_for_review
from pullwright.events.sync import forget, sync
from pullwright.log import logger
from pullwright.models import SessionRequest
from pullwright.reconciling.executions import Executions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pullwright.events.services import EventServices


_NO_PREVIEWS = "No preview starts: they are not set up any more."
_SECONDS = 15.0
"""Without so much time left, no further message is begun."""


def process(
    records: Iterable[Mapping[str, Any]],
    services: EventServices,
    *,
    seconds_left: Callable[[], float] = lambda: math.inf,
) -> list[str]:
    """Start, stop and release what the messages ask for.

    Returns:
        Ids of the messages that failed. SQS delivers them again, and in the end to the dead-letter queue.
    """
    failed: list[str] = []
    for number, record in enumerate(records):
        message_id = str(record["messageId"])
        if number and seconds_left() < _SECONDS:
            # A function that runs out of time has SQS deliver all of them again, those that are done too.
            logger.info("There is no time for it; it comes again.", extra={"message_id": message_id})
            failed.append(message_id)
            continue
        try:
            message = MESSAGE.validate_json(record["body"])
            result = _carry_out(message, services)
        except ValidationError as error:
            # Without the input: whoever looks into the dead-letter queue sees it there.
            fields = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
            logger.warning("A message is malformed.", extra={"message_id": message_id, "fields": fields})
            failed.append(message_id)
        except (ClientError, BotoCoreError, PullwrightError) as error:
            logger.exception(
                "A message failed.",
                extra={"message_id": message_id, "error": type(error).__name__},
            )
            failed.append(message_id)
        else:
            logger.info(result, extra={"message_id": message_id, "correlation_id": message.subject})
    return failed


def _carry_out(message: Queued, services: EventServices) -> str:
    match message:
        case QueuedStart():
            result = _start(message, services)
        case QueuedPreview():
            result = _leave_preview(message, services)
        case QueuedStop():
            result = _stop(message, services)
        case QueuedRelease():
            result = release(message, services.app, services.store)
        case QueuedReview():
            result = start_for_review(message, services)
        case QueuedCommand():
            result = carry_out(message, services)
        case QueuedChecks():
            result = decide_checks(message, services)
        case QueuedHint():
            result = hint(message, services.app)
        case QueuedSync():
            result = sync(message, services)
    return result


def _start(message: QueuedStart, services: EventServices) -> str:
    """Start one execution; one that was started before and has ended is a success too."""
    if message.machine == "preview":
        if services.previews is None:
            return _NO_PREVIEWS
        is_new = services.start(message.name, message.input, services.previews.state_machine_arn)
        return f"The queued preview {'is started' if is_new else 'was started before'}."
    if message.paths or message.teams:
        request = SessionRequest.model_validate_json(message.input)
        if reason := why_not(message, request, services.app):
            return f"No session starts: {reason}"
    if services.start(message.name, message.input):
        return "The queued session is started."
    return "The queued session was started before."


def _leave_preview(message: QueuedPreview, services: EventServices) -> str:
    if services.previews is None:
        return _NO_PREVIEWS
    # Only few messages need what reads a configuration.
    from pullwright.events.preview import start_preview  # noqa: PLC0415

    return start_preview(message, services, services.previews)


def _stop(message: QueuedStop, services: EventServices) -> str:
    """Stop the executions of the sessions that the message is about; the sweep reports and cleans up."""
    executions = Executions(services.states, services.state_machine_arn)
    arns = [
        executions.arn_of(record.session_id)
        for record in services.ledger.open_sessions()
        if message.is_about(record)
    ]
    for arn in arns:
        executions.stop(arn, error=message.error, cause=message.cause)
    if message.installation_id is not None:
        forget(message.installation_id, message.repositories, services)
    previews, ended = services.previews, 0
    if previews is not None:
        ended = previews.end(message.is_about_preview, error=message.error, cause=message.cause)
    return f"{len(arns)} sessions were stopped." + (f" {ended} previews end." if ended else "")
