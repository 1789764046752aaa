"""The queue behind the webhook: starts what could not be started at once."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger

from pullwright.webhook.queued import work_off
from pullwright.webhook.settings import MissingSetting

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@cache
def _states() -> "SFNClient":
    return boto3.client("stepfunctions")


@cache
def _logger() -> Logger:
    return Logger()


def handler(event: dict[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
    """Work off one batch of SQS messages.

    Args:
        event: of SQS.

    Returns:
        The messages that failed (`ReportBatchItemFailures`).

    Raises:
        MissingSetting: the function was deployed without a setting.
    """
    machine = os.environ.get("STATE_MACHINE_ARN")
    if not machine:
        raise MissingSetting("STATE_MACHINE_ARN")
    failed = work_off(event["Records"], state_machine_arn=machine, states=_states(), logger=_logger())
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
