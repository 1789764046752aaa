"""PreparePreview: the state that turns a request into a preview that can be built."""

from typing import Any

from pullwright import composition
from pullwright.errors import PullwrightError
from pullwright.log import about, logger
from pullwright.previewing.prepare import PreparePreviewEvent, prepare_preview
from pullwright.settings import PreparePreviewSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Prepare one preview.

    Args:
        event: a `PreparePreviewEvent`.
        context: tells how long the function may still run.

    Returns:
        A `PreparedPreview`.

    Raises:
        PullwrightError: the preview cannot begin; the state machine goes by the class's name.
    """
    parsed = PreparePreviewEvent.model_validate(event)
    about(parsed.preview_id)
    services = composition.preview_services(PreparePreviewSettings)
    composition.limit_waits(services.app, context)
    try:
        prepared = prepare_preview(parsed, services)
    except PullwrightError as error:
        error.pack()
        raise
    logger.info("prepared", repository=prepared.repository, pull_request=prepared.pull_request)
    return prepared.model_dump(mode="json")
