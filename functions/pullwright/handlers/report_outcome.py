"""ReportOutcome: the state that says what came of a session."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from pullwright import aws, settings
from pullwright.artifacts import Artifacts
from pullwright.github.app import GitHubApp
from pullwright.log import about, logger
from pullwright.reporting.ending import Tools
from pullwright.reporting.event import ReportOutcomeEvent
from pullwright.reporting.report_outcome import report_outcome
from pullwright.reporting.tasks import Tasks
from pullwright.secret_values import read_app_secret
from pullwright.store import Store


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Reports the outcome of one session.

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
    seconds_left = context.get_remaining_time_in_millis() / 1000
    verdict = report_outcome(parsed, _tools(), now=datetime.now(UTC), seconds_left=seconds_left)
    logger.info("session over", status=verdict.status, outcome=verdict.outcome, error=verdict.error)
    return verdict.model_dump(mode="json")


@cache
def _tools() -> Tools:
    given = settings.report_outcome()
    return Tools(
        app=GitHubApp(
            given.github_api_url, partial(read_app_secret, aws.secretsmanager(), given.github_app_secret_arn)
        ),
        store=Store(aws.dynamodb(), given.sessions_table),
        artifacts=Artifacts(aws.s3(), given.artifacts_bucket),
        tasks=Tasks(aws.ecs(), aws.stepfunctions(), given.cluster_arn),
        settings=given,
    )
