"""The queue behind the webhook: starts what could not be started at once, stops what has lost its ground."""

from typing import Any

from pullwright import aws, settings
from pullwright.reconciling.ledger import Ledger
from pullwright.webhook.queued import Sessions, work_off


def handler(event: dict[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
    """Work off one batch of SQS messages.

    Args:
        event: of SQS.

    Returns:
        The messages that failed (`ReportBatchItemFailures`).

    Raises:
        InternalError: the function was deployed without a setting.
    """
    given = settings.events()
    ledger = Ledger(aws.dynamodb(), given.sessions_table)
    sessions = Sessions(given.state_machine_arn, aws.stepfunctions(), ledger.open_sessions)
    failed = work_off(event["Records"], sessions)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
