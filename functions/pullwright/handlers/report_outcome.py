"""ReportOutcome: the state that says what came of a session."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from pullwright import settings
from pullwright.log import about, logger
from pullwright.reporting.ending import Tools
from pullwright.reporting.event import ReportOutcomeEvent
from pullwright.reporting.report_outcome import report_outcome
from pullwright.reporting.tools import tools


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
    seconds_left = context.get_remaining_time_in_millis() / 1000
    made = _tools()
    made.app.time_left = lambda: context.get_remaining_time_in_millis() / 1000
    verdict = report_outcome(parsed, made, now=datetime.now(UTC), seconds_left=seconds_left)
    logger.info("session over", status=verdict.status, outcome=verdict.outcome, error=verdict.error)
    return verdict.model_dump(mode="json")


@cache
def _tools() -> Tools:
    return tools(settings.report_outcome())
