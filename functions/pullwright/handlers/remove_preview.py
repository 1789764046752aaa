"""RemovePreview: the state that takes away what a preview has; by the clock, what others have left."""

from datetime import UTC, datetime
from typing import Any

from pullwright import aws, composition
from pullwright.log import about, logger
from pullwright.previewing.remove import RemovePreviewEvent, remove_preview
from pullwright.previewing.routes import Routes
from pullwright.previewing.sweep import sweep
from pullwright.previewing.tasks import PreviewTasks
from pullwright.reconciling.executions import Executions
from pullwright.settings import RemovePreviewSettings

_ENDED = "Step Functions Execution Status Change"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Remove one preview, or what ended executions have left.

    Args:
        event: a `RemovePreviewEvent`; or EventBridge's, of an execution's end or of the schedule.
        context: tells how long the function may still run.

    Returns:
        A `PreviewVerdict`; or the previews that were removed.

    Raises:
        AwsUnavailable, GitHubUnavailable: to be asked again.
    """
    services = composition.preview_services(RemovePreviewSettings)
    seconds_left = composition.limit_waits(services.app, context)
    settings, now = services.settings, datetime.now(UTC)
    families = settings.preview_task_families.split(",")
    tasks = PreviewTasks(aws.ecs(), aws.stepfunctions(), settings.cluster_arn, families=families)
    routes = Routes(aws.elbv2(), settings.alb_listener_arn, settings.vpc_id, settings.stack_name)
    if "preview_id" not in event:
        hint = event["detail"]["executionArn"] if event.get("detail-type") == _ENDED else None
        executions = Executions(aws.stepfunctions(), settings.preview_state_machine_arn)
        removed = sweep(*(services, tasks, routes, executions), now=now, seconds_left=seconds_left, hint=hint)
        logger.info("swept", removed=removed)
        return {"removed": removed}
    parsed = RemovePreviewEvent.model_validate(event)
    about(parsed.preview_id)
    verdict = remove_preview(parsed, services, tasks, routes, now=now, seconds=seconds_left() / 2)
    logger.info("preview over", status=verdict.status, error=verdict.error)
    return verdict.model_dump(mode="json")
