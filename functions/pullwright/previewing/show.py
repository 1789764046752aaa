"""ShowScreenshots: puts a preview's pictures into its comment once they are there.

They stand beside those of the branch that the pull request is to go into, where that has a preview too. None
of it can fail the preview.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from pullwright.errors import ScreenshotsNotReady
from pullwright.previewing.comment import tell_open
from pullwright.previewing.models import PreparedPreview, PreviewRoute
from pullwright.previewing.picture_table import LONGEST, Column, render_screenshots
from pullwright.previewing.store import SERVING
from pullwright.previewing.texts import marker, serving
from pullwright.record import moment

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.previewing.screenshots import Screenshot, Screenshots
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewRecord, PreviewStore
    from pullwright.settings import RoutePreviewSettings

_SECONDS, _SECONDS_OF_A_PAGE = 60, 40
# Sooner ends the signature with the credentials of the function that makes it: within hours.
_ADDRESS_SECONDS = 7 * 24 * 3_600


class ShowScreenshotsEvent(BaseModel):
    """What the state machine passes to ShowScreenshots."""

    model_config = ConfigDict(frozen=True)

    preview_id: str
    execution_arn: str
    prepared: PreparedPreview
    route: PreviewRoute


def show_screenshots(
    event: ShowScreenshotsEvent,
    services: PreviewServices[RoutePreviewSettings],
    screenshots: Screenshots,
    *,
    now: datetime,
) -> int:
    """Look once whether the pictures are there, and show them if they are.

    Safe to repeat.

    Returns:
        How many pictures are shown.

    Raises:
        ScreenshotsNotReady: they are not there; to be asked again.
        PullwrightError: AWS or GitHub did not do it.
    """
    store, prepared = services.store, event.prepared
    record = store.read(event.preview_id)
    if record.withdrawn or not record.is_open:
        return 0
    pages = screenshots.read(event.preview_id)
    if pages is None and not _is_late(record, prepared, now):
        raise ScreenshotsNotReady("The screenshots are not there yet.")
    columns = [_column("This branch", event.preview_id, pages or (), screenshots)]
    base = _base_preview(store, record, prepared.base)
    if base is not None and (theirs := screenshots.read(base.preview_id)):
        columns.append(_column(prepared.base, base.preview_id, theirs, screenshots))
    table = _fitting(record, event, columns)
    if not store.update_open(event.preview_id, {"pictures": table}, unless_withdrawn=True):
        return 0
    shown = record.model_copy(update={"pictures": table})
    tell_open(services.app, store, shown, serving(shown))
    return len(columns[0].addresses)


def _is_late(record: PreviewRecord, prepared: PreparedPreview, now: datetime) -> bool:
    """Return whether pictures that are not there will not come."""
    healthy = moment(record.healthy_at) or now
    return now - healthy > timedelta(seconds=_SECONDS + _SECONDS_OF_A_PAGE * prepared.screenshots)


def _column(heading: str, preview_id: str, pages: tuple[Screenshot, ...], screenshots: Screenshots) -> Column:
    addresses = {
        page.path: screenshots.address(preview_id, number, seconds=_ADDRESS_SECONDS)
        for number, page in enumerate(pages, 1)
        if not page.problem
    }
    return Column(heading, addresses, {page.path: page.problem for page in pages if page.problem})


def _base_preview(store: PreviewStore, record: PreviewRecord, base: str) -> PreviewRecord | None:
    """Return the newest preview of a branch that is served: of another pull request, whose head it is."""
    others = (store.read(other) for other in store.holders() - {record.preview_id})
    fitting = [
        other
        for other in others
        if other.preview_status == SERVING
        and not other.withdrawn
        and other.branch == base
        and other.preview_repository == record.preview_repository
    ]
    return max(fitting, key=lambda other: other.started_at, default=None)


def _fitting(record: PreviewRecord, event: ShowScreenshotsEvent, columns: list[Column]) -> str:
    """Return the pictures; without the base branch's if GitHub would not take the comment with them."""
    begin = marker(is_of_session=bool(record.session))
    for shown in (columns, columns[:1]):
        table = render_screenshots(shown, url=event.route.url, preview_id=event.preview_id)
        text = serving(record.model_copy(update={"pictures": table}))
        if len(text.comment(begin, record.news)) <= LONGEST:
            return table
    return ""
