"""Reconcile: ends what dead executions left, on the event of their end and every five minutes."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from pullwright import aws, composition, metrics
from pullwright.log import logger
from pullwright.reconciling.deliveries import LostDeliveries
from pullwright.reconciling.due import Schedules
from pullwright.reconciling.executions import Executions
from pullwright.reconciling.ledger import Ledger
from pullwright.reconciling.settle import Settler
from pullwright.reconciling.sweep import Sweeper
from pullwright.reporting.tasks import Tasks
from pullwright.settings import ReconcileSettings
from pullwright.workers.store import WorkerStore

_ENDED = "Step Functions Execution Status Change"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Settle one session, or sweep.

    Args:
        event: EventBridge's, of an execution's end or of the schedule; anything else sweeps too.
        context: tells how long the function may still run.

    Returns:
        What was found and done, see `Swept`.

    Raises:
        AwsUnavailable: AWS did not answer; the next sweep tries again.
    """
    sweeper = _sweeper(context)
    is_hint = event.get("detail-type") == _ENDED
    done = sweeper.settle_one(event["detail"]["executionArn"]) if is_hint else sweeper.sweep()
    figures: dict[metrics.Name, float] = {
        "SettledSessions": len(done.settled),
        "SilencedTasks": len(done.silenced),
        "RedeliveredWebhooks": len(done.redelivered),
        "LostWebhooks": len(done.lost),
        "RefusedWebhooks": len(done.refused),
    }
    metrics.count({name: value for name, value in figures.items() if value})
    logger.info("settled" if is_hint else "swept", **asdict(done))
    return asdict(done)


def _sweeper(context: Any) -> Sweeper:
    services, now = composition.services(ReconcileSettings), datetime.now(UTC)
    settings, table = services.settings, aws.dynamodb()
    seconds_left = composition.limit_waits(services.app, context)
    settler = Settler(
        services=services,
        tasks=Tasks(aws.ecs(), aws.stepfunctions(), settings.cluster_arn),
        ledger=Ledger(table, settings.sessions_table),
        executions=Executions(aws.stepfunctions(), settings.state_machine_arn),
        now=now,
        until=now + timedelta(seconds=seconds_left()),
    )
    deliveries = LostDeliveries(services.app, table, settings.sessions_table)
    schedules = Schedules(
        WorkerStore(table, settings.sessions_table),
        services.store,
        aws.stepfunctions(),
        settings.live_state_machine_arn,
    )
    return Sweeper(settler, deliveries, schedules, settings.max_sessions == 0, seconds_left)
