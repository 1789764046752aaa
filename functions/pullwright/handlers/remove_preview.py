"""RemovePreview: the state that takes away what a preview has."""

from datetime import UTC, datetime
from typing import Any

from pullwright import aws, composition
from pullwright.log import about, logger
from pullwright.previewing.remove import RemovePreviewEvent, remove_preview
from pullwright.previewing.routes import Routes
from pullwright.reporting.tasks import Tasks
from pullwright.settings import RemovePreviewSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Remove one preview.

    Args:
        event: a `RemovePreviewEvent`.
        context: tells how long the function may still run.

    Returns:
        A `PreviewVerdict`.

    Raises:
        AwsUnavailable, GitHubUnavailable: to be asked again.
    """
    parsed = RemovePreviewEvent.model_validate(event)
    about(parsed.preview_id)
    services = composition.preview_services(RemovePreviewSettings)
    seconds_left = composition.limit_waits(services.app, context)
    settings = services.settings
    tasks = Tasks(aws.ecs(), aws.stepfunctions(), settings.cluster_arn)
    routes = Routes(aws.elbv2(), settings.alb_listener_arn, settings.vpc_id)
    result = remove_preview(
        parsed, services, tasks, routes, now=datetime.now(UTC), seconds=seconds_left() / 2
    )
    logger.info("preview over", status=result.status, error=result.error)
    return result.model_dump(mode="json")
