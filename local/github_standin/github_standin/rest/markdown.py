"""Rendering texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.answers import ApiError, invalid
from github_standin.markup import render
from github_standin.routing import Router
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call

ROUTER = Router()
_LARGEST = 400 << 10


@ROUTER.on("POST", "/markdown")
def render_text(call: Call) -> Reply:
    """Render a text: as in comments with the mode `gfm`, else as in files."""
    text, mode = call.text("text"), call.maybe_text("mode") or "markdown"
    call.maybe_text("context")
    if mode not in {"markdown", "gfm"}:
        raise invalid("Markdown", "invalid", field="mode")
    if len(text.encode()) > _LARGEST:
        raise ApiError(403, "This API renders Markdown of up to 400 KB.")
    return Reply(200, render(text, breaks=mode == "gfm"), media_type="text/html;charset=utf-8")
