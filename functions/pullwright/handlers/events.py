"""The queue behind the webhook: starts, stops and releases what its messages ask for."""

from functools import cache
from typing import Any

from pullwright import aws, settings, wiring
from pullwright.events.process import Sessions, process
from pullwright.events.release import Tools, release
from pullwright.reconciling.ledger import Ledger


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Process one batch of SQS messages.

    Args:
        context: tells how long the function may still run.

    Returns:
        The messages that failed (`ReportBatchItemFailures`).

    Raises:
        InternalError: the function was deployed without a setting.
    """
    given = settings.events()
    ledger = Ledger(aws.dynamodb(), given.sessions_table)
    sessions = Sessions(
        given.state_machine_arn,
        aws.stepfunctions(),
        ledger.open_sessions,
        lambda asked: release(asked, _bounded(_tools(), context)),
    )
    failed = process(event["Records"], sessions)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _bounded(tools: Tools, context: Any) -> Tools:
    tools.app.time_left = lambda: context.get_remaining_time_in_millis() / 1000
    return tools


@cache
def _tools() -> Tools:
    given = settings.events()
    return Tools(wiring.github_app(given), wiring.store(given))
