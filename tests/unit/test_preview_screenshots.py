"""ShowScreenshots: pictures of a preview in its comment, beside the base branch's; none is needed."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright import aws
from pullwright.errors import ScreenshotsNotReady
from pullwright.previewing.models import PreviewRoute
from pullwright.previewing.picture_table import LONGEST, Column, render_screenshots
from pullwright.previewing.screenshots import Screenshot, Screenshots
from pullwright.previewing.services import PreviewServices
from pullwright.previewing.show import ShowScreenshotsEvent, show_screenshots
from tests.unit.aws_kit import REGION, client
from tests.unit.moto_kit import mock_aws
from tests.unit.preview_kit import ROUTING, START, Previews, execution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from pullwright.previewing.models import PreparedPreview

CONFIGURATION = "preview: {start: python app.py, screenshots: [/, /login]}\n"
PAGES = (Screenshot(path="/"), Screenshot(path="/login", problem="the page took too long"))


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a repository whose configuration asks for pictures of two pages."""
    with mock_aws():
        made = Previews(tmp_path)
        made.github.write("main", {".pullwright/config.yaml": CONFIGURATION})
        client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield made


def _kept() -> Screenshots:
    return Screenshots(aws.s3(), "bucket")


def _show(previews: Previews, preview_id: str, prepared: PreparedPreview, now: datetime = START) -> int:
    event = ShowScreenshotsEvent(
        preview_id=preview_id,
        execution_arn=execution(preview_id),
        prepared=prepared,
        route=PreviewRoute(url=f"http://{prepared.host}:8000", healthy_seconds=40),
    )
    return show_screenshots(
        event, PreviewServices(previews.github.app(), previews.store, ROUTING), _kept(), now=now
    )


def test_pictures_stand_in_the_comment_below_the_address(previews: Previews) -> None:
    """A page without one has its reason; what RoutePreview wrote stays."""
    number = previews.pull()
    prepared = previews.serve("p-1", number)
    assert (prepared.screenshots, prepared.base) == (2, "main")
    before = previews.comment(number)
    with pytest.raises(ScreenshotsNotReady):
        _show(previews, "p-1", prepared)
    assert previews.comment(number) == before
    _kept().finish("p-1", PAGES)
    assert _show(previews, "p-1", prepared) == 1
    text = previews.comment(number)
    assert text.startswith(before.partition("it took")[0])
    [address] = re.findall(r'<img src="([^"]+)"', text)
    assert "/previews/p-1/screenshots/1.png?" in html.unescape(address)
    assert "X-Amz-Signature=" in address
    assert "the page took too long" in text
    assert f'href="http://{prepared.host}:8000/login"' in text
    assert "This branch" in text
    assert "| main |" not in text


def test_the_base_branchs_pictures_stand_beside(previews: Previews) -> None:
    """Those of the newest preview that is served of the pull request whose head the base is."""
    below = previews.pull("below")
    previews.serve("p-base", below)
    number = previews.pull("above")
    previews.github.person("PATCH", f"/pulls/{number}", {"base": "below"})
    prepared = previews.serve("p-2", number)
    assert prepared.base == "below"
    _kept().finish("p-2", (Screenshot(path="/"), Screenshot(path="/new")))
    _kept().finish("p-base", (Screenshot(path="/login"), Screenshot(path="/")))
    assert _show(previews, "p-2", prepared) == 2
    text = previews.comment(number)
    assert "| below |" in text
    addresses = [html.unescape(found) for found in re.findall(r'<img src="([^"]+)"', text)]
    keys = [found.partition("?")[0].partition("/previews/")[2] for found in addresses]
    assert keys == ["p-2/screenshots/1.png", "p-base/screenshots/2.png", "p-2/screenshots/2.png"]
    previews.remove("p-base")
    assert _show(previews, "p-2", prepared) == 2
    assert "| below |" not in previews.comment(number)


def test_pictures_that_do_not_come_are_waited_for_no_longer(previews: Previews) -> None:
    """The comment says so, and the preview goes on."""
    number = previews.pull()
    prepared = previews.serve("p-1", number)
    soon = START + timedelta(seconds=139)
    with pytest.raises(ScreenshotsNotReady):
        _show(previews, "p-1", prepared, now=soon)
    assert _show(previews, "p-1", prepared, now=soon + timedelta(seconds=2)) == 0
    assert "No screenshots: they did not come in time" in previews.comment(number)


def test_one_reason_for_all_is_said_once(previews: Previews) -> None:
    """Such as an image without a browser."""
    number = previews.pull()
    prepared = previews.serve("p-1", number)
    why = "the image of this preview has no browser"
    _kept().finish("p-1", tuple(Screenshot(path=page.path, problem=why) for page in PAGES))
    assert _show(previews, "p-1", prepared) == 0
    assert f"No screenshots: {why}." in previews.comment(number)
    assert "|" not in previews.comment(number)


def test_a_preview_that_is_over_is_not_written_over(previews: Previews) -> None:
    """Its comment says how it ended, though its pictures are there."""
    number = previews.pull()
    prepared = previews.serve("p-1", number)
    _kept().finish("p-1", PAGES)
    previews.store.withdraw("p-1", error="LabelRemoved", cause="The label was removed.")
    assert _show(previews, "p-1", prepared) == 0
    previews.remove("p-1", prepared=prepared)
    before = previews.comment(number)
    assert _show(previews, "p-1", prepared) == 0
    assert previews.comment(number) == before


def test_a_comment_has_room_for_its_pictures(previews: Previews, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the addresses are too long for GitHub, the base branch's go first, then all."""
    number = previews.pull()
    prepared = previews.serve("p-1", number)
    _kept().finish("p-1", PAGES)
    monkeypatch.setattr(Screenshots, "address", lambda *_, **__: "https://s3/" + "x" * LONGEST)
    before = previews.comment(number)
    assert _show(previews, "p-1", prepared) == 1
    assert "<img" not in previews.comment(number)
    assert previews.comment(number).partition("it took")[0] == before.partition("it took")[0]
    assert LONGEST < 65_536


_PATH = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60).map("/{}".format)


@given(path=_PATH, problem=st.text(max_size=100))
def test_no_path_and_no_reason_leaves_its_cell(path: str, problem: str) -> None:
    """A table keeps its rows and columns, and nothing calls or closes anything, whatever a path is."""
    columns = [
        Column("This branch", {path: "https://s3/a?b=c&d=e"}, {f"{path}x": problem}),
        Column("main", {f"{path}x": "https://s3/z"}),
    ]
    table, _, _ = render_screenshots(columns, url="http://h", preview_id="p").partition("\n\n")
    lines = table.split("\n")
    assert len(lines) == 4
    for line in lines:
        assert len(re.findall(r"(?<!\\)\|", line)) == 4
    assert "<script" not in table
    assert re.search(r"@\w", re.sub(r'href="[^"]*"', "", table)) is None
