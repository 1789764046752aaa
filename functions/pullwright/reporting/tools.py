"""What sessions are ended with, made from settings, for ReportOutcome and for the sweep."""

from pullwright import aws, wiring
from pullwright.reporting.ending import Tools
from pullwright.reporting.tasks import Tasks
from pullwright.settings import ReportOutcomeSettings


def tools(given: ReportOutcomeSettings) -> Tools:
    """Return the tools of `report_outcome`."""
    return Tools(
        app=wiring.github_app(given),
        store=wiring.store(given),
        artifacts=wiring.artifacts(given),
        tasks=Tasks(aws.ecs(), aws.stepfunctions(), given.cluster_arn),
        settings=given,
    )
