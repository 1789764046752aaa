"""The queue behind the webhook: does what its messages ask for."""

from typing import Any

from pullwright import aws, composition
from pullwright.events.process import process
from pullwright.events.queue import Queue
from pullwright.events.services import EventServices, Previews
from pullwright.previewing.store import PreviewStore
from pullwright.reconciling.ledger import Ledger
from pullwright.reporting.tasks import Tasks
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
        previews=_previews(settings),
    )
    failed = process(event["Records"], services, seconds_left=seconds_left)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _previews(settings: EventsSettings) -> Previews | None:
    if not settings.preview_state_machine_arn:
        return None
    return Previews(
        settings.preview_state_machine_arn,
        PreviewStore(aws.dynamodb(), settings.sessions_table),
        Tasks(aws.ecs(), aws.stepfunctions(), settings.cluster_arn),
    )
