"""The queue behind the webhook: starts what could not be started at once."""

from typing import Any

from pullwright import aws, settings
from pullwright.webhook.queued import work_off


def handler(event: dict[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
    """Work off one batch of SQS messages.

    Args:
        event: of SQS.

    Returns:
        The messages that failed (`ReportBatchItemFailures`).

    Raises:
        InternalError: the function was deployed without a setting.
    """
    machine = settings.events().state_machine_arn
    failed = work_off(event["Records"], state_machine_arn=machine, states=aws.stepfunctions())
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
