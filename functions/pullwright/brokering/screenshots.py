"""Takes a preview's screenshots from its task, which has no right to S3 itself."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pullwright.brokering.models import PreviewMessage
from pullwright.errors import ScreenshotRefused
from pullwright.log import logger
from pullwright.previewing.png import problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright.previewing.models import PreviewPlan
    from pullwright.previewing.screenshots import Picture, Screenshot, Screenshots


def read_message(event: Mapping[str, Any]) -> PreviewMessage:
    """Return what a preview's task says; one that says nothing asks for its plan.

    Args:
        event: of a Function URL.

    Raises:
        ScreenshotRefused: it says something else than screenshots.
    """
    body = str(event.get("body") or "{}")
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode(errors="replace")
    try:
        return PreviewMessage.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_url=False)[0]["loc"])) or "the request"
        raise ScreenshotRefused(
            f"The preview's task sent something that is no screenshot: {where}."
        ) from None


def take(message: PreviewMessage, plan: PreviewPlan, screenshots: Screenshots) -> None:
    """Store what a preview's task sends.

    Whose it is, the caller's task decides and not the request: nothing in it names a key.

    Raises:
        ScreenshotRefused: it is no picture, or of no page that the configuration names.
        AwsUnavailable: S3 did not take it.
    """
    if message.picture is not None:
        _take_picture(message.picture, plan, screenshots)
    if message.screenshots is not None:
        _take_list(message.screenshots, plan, screenshots)


def _take_picture(picture: Picture, plan: PreviewPlan, screenshots: Screenshots) -> None:
    if picture.number > len(plan.screenshots):
        raise ScreenshotRefused(
            f"The configuration names {len(plan.screenshots)} pages, not {picture.number}."
        )
    try:
        png = base64.b64decode(picture.png, validate=True)
    except binascii.Error:
        raise ScreenshotRefused(f"The picture of page {picture.number} is not in base64.") from None
    if problem := problem_of(png):
        raise ScreenshotRefused(f"The picture of page {picture.number} was not taken: {problem}.")
    screenshots.keep(plan.preview_id, picture.number, png)
    logger.info("screenshot kept", number=picture.number, size=len(png))


def _take_list(pages: tuple[Screenshot, ...], plan: PreviewPlan, screenshots: Screenshots) -> None:
    if tuple(page.path for page in pages) != plan.screenshots:
        raise ScreenshotRefused("The pages are not those that the configuration names.")
    screenshots.finish(plan.preview_id, pages)
