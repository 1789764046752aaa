"""ReportOutcome: the state that says what came of a session."""

from datetime import UTC, datetime
from typing import Any

from pullwright import aws, composition
from pullwright.log import about, logger
from pullwright.reporting.event import ReportOutcomeEvent
from pullwright.reporting.report_outcome import report_outcome
from pullwright.reporting.tasks import Tasks
from pullwright.settings import ReportOutcomeSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Report the outcome of one session.

    Args:
        event: a `ReportOutcomeEvent`.
        context: tells how long the function may still run.

    Returns:
        A `Verdict`.

    Raises:
        AwsUnavailable: AWS does not tell what came of it; to be asked again.
    """
    parsed = ReportOutcomeEvent.model_validate(event)
    about(parsed.session_id)
    services = composition.services(ReportOutcomeSettings)
    seconds_left = composition.limit_waits(services.app, context)
    tasks = Tasks(aws.ecs(), aws.stepfunctions(), services.settings.cluster_arn)
    verdict = report_outcome(parsed, services, tasks, now=datetime.now(UTC), seconds_left=seconds_left())
    logger.info("session over", status=verdict.status, outcome=verdict.outcome, error=verdict.error)
    return verdict.model_dump(mode="json")
