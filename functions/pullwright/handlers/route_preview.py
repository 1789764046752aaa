"""RoutePreview and ShowScreenshots: the states that route a preview once it is healthy, and show it."""

import time
from datetime import UTC, datetime
from typing import Any

from pullwright import aws, composition
from pullwright.errors import PullwrightError
from pullwright.log import about, logger
from pullwright.previewing.route import RoutePreviewEvent, route_preview
from pullwright.previewing.routes import Routes
from pullwright.previewing.screenshots import Screenshots
from pullwright.previewing.show import ShowScreenshotsEvent, show_screenshots
from pullwright.reporting.tasks import Tasks
from pullwright.settings import RoutePreviewSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Route one preview, or show its screenshots.

    Args:
        event: a `RoutePreviewEvent` or a `ShowScreenshotsEvent`.
        context: tells how long the function may still run.

    Returns:
        A `PreviewRoute`; or how many pictures are shown.

    Raises:
        PullwrightError: it is not ready, or will not be; the state machine goes by the class's name.
    """
    services = composition.preview_services(RoutePreviewSettings)
    composition.limit_waits(services.app, context)
    settings = services.settings
    if "route" in event:
        asked = ShowScreenshotsEvent.model_validate(event)
        about(asked.preview_id)
        kept = Screenshots(aws.s3(), settings.artifacts_bucket)
        shown = show_screenshots(asked, services, kept, now=datetime.now(UTC))
        logger.info("screenshots shown", count=shown)
        return {"shown": shown}
    parsed = RoutePreviewEvent.model_validate(event)
    about(parsed.preview_id)
    tasks = Tasks(aws.ecs(), aws.stepfunctions(), settings.cluster_arn)
    routes = Routes(aws.elbv2(), settings.alb_listener_arn, settings.vpc_id, settings.stack_name)
    try:
        result = route_preview(parsed, services, tasks, routes, now=datetime.now(UTC), pause=time.sleep)
    except PullwrightError as error:
        error.pack()
        raise
    logger.info("served", url=result.url, seconds=result.healthy_seconds)
    return result.model_dump(mode="json")
