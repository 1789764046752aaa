"""RoutePreview: the state that routes a preview once it is healthy."""

import time
from datetime import UTC, datetime
from typing import Any

from pullwright import aws, composition
from pullwright.errors import PullwrightError
from pullwright.log import about, logger
from pullwright.previewing.route import RoutePreviewEvent, route_preview
from pullwright.previewing.routes import Routes
from pullwright.reporting.tasks import Tasks
from pullwright.settings import RoutingSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Route one preview.

    Args:
        event: a `RoutePreviewEvent`.
        context: tells how long the function may still run.

    Returns:
        A `PreviewRoute`.

    Raises:
        PullwrightError: it is not ready, or will not be; the state machine goes by the class's name.
    """
    parsed = RoutePreviewEvent.model_validate(event)
    about(parsed.preview_id)
    services = composition.preview_services(RoutingSettings)
    composition.limit_waits(services.app, context)
    settings = services.settings
    tasks = Tasks(aws.ecs(), aws.stepfunctions(), settings.cluster_arn)
    routes = Routes(aws.elbv2(), settings.alb_listener_arn, settings.vpc_id, settings.stack_name)
    try:
        result = route_preview(parsed, services, tasks, routes, now=datetime.now(UTC), pause=time.sleep)
    except PullwrightError as error:
        error.pack()
        raise
    logger.info("served", url=result.url, seconds=result.healthy_seconds)
    return result.model_dump(mode="json")
