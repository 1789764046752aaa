"""The broker's way with a preview's screenshots, by the functions' own code, on the bucket in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pullwright.brokering.screenshots import read_message, take
from pullwright.errors import ScreenshotRefused
from pullwright.previewing.models import PreviewPlan
from pullwright.previewing.screenshots import Screenshot, Screenshots, list_key, picture_key, read_list

if TYPE_CHECKING:
    from tests.container.harness import Harness


class MemoryScreenshots(Screenshots):
    """The bucket in memory."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def keep(self, preview_id: str, number: int, png: bytes) -> None:
        """See `Screenshots`."""
        self._objects[picture_key(preview_id, number)] = png

    def finish(self, preview_id: str, pages: tuple[Screenshot, ...]) -> None:
        """See `Screenshots`."""
        written = b",".join(page.model_dump_json().encode() for page in pages)
        self._objects[list_key(preview_id)] = b"[" + written + b"]"

    def read(self, preview_id: str) -> tuple[Screenshot, ...] | None:
        """See `Screenshots`."""
        content = self._objects.get(list_key(preview_id))
        return None if content is None else read_list(content)


def take_screenshot(harness: Harness, body: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and answer to a preview's task that says something."""
    plan = PreviewPlan.model_validate(harness.plan)
    try:
        take(read_message({"body": body.decode()}), plan, MemoryScreenshots(harness.objects))
    except ScreenshotRefused as error:
        return 403, {"error": type(error).__name__, "message": error.sentence}
    return 200, {}
