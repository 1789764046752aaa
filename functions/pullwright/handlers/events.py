"""The queue behind the webhook: does what its messages ask for."""

from typing import Any

from pullwright import aws, composition
from pullwright.events.process import process
from pullwright.events.queue import Queue
from pullwright.events.services import EventServices
from pullwright.reconciling.ledger import Ledger
from pullwright.settings import EventsSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Process one batch of SQS messages.

    Args:
        context: tells how long the function may still run.

    Returns:
        The messages that failed (`ReportBatchItemFailures`).

    Raises:
        InternalError: the function was deployed without a setting.
    """
    settings = composition.settings(EventsSettings)
    app = composition.github_app(settings)
    seconds_left = composition.limit_waits(app, context)
    services = EventServices(
        app=app,
        store=composition.store(settings),
        states=aws.stepfunctions(),
        ledger=Ledger(aws.dynamodb(), settings.sessions_table),
        state_machine_arn=settings.state_machine_arn,
        queue=Queue(aws.sqs(), settings.events_queue_url),
        allowed_owners=settings.allowed_owners,
        mention_name=settings.mention_name,
    )
    failed = process(event["Records"], services, seconds_left=seconds_left)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
