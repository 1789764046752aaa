"""A preview's life, with functions and task mocked, on the machine's own definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.statemachine.kit import answers, throws
from tests.statemachine.preview_kit import FAILED, GONE, GOOD, WITH_PICTURES

if TYPE_CHECKING:
    from tests.statemachine.preview_kit import Previews


def test_a_preview_is_served_and_removed(previews: Previews) -> None:
    """Ten states are entered, and the record is there from the first of them on."""
    finished = previews.serve(**GOOD)
    assert finished.status == "SUCCEEDED"
    assert finished.output == GONE
    assert len(finished.entered) == 10
    assert [*finished.entered[:3], *finished.entered[-3:]] == [
        *("RecordPreview", "PreparePreview", "ServePreview"),
        *("RemovePreview", "Outcome", "Succeeded"),
    ]
    record = previews.get(f"PREVIEW#{finished.session_id}")
    assert record is not None
    assert record["preview_repository"] == "acme/shop"
    assert "status" not in record


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("PreparePreview", "PreviewFromFork"),
        ("RunPreview", "States.Timeout"),
        ("RunPreview", "States.TaskFailed"),
        ("RoutePreview", "PreviewNeverHealthy"),
        ("RoutePreview", "States.Timeout"),
    ],
)
def test_whatever_fails_is_removed(previews: Previews, state: str, error: str) -> None:
    """RemovePreview hears of the error, and what it says is the execution's end."""
    finished = previews.serve(**{**GOOD, state: [throws(error)], "RemovePreview": [answers(FAILED)]})
    [told] = [
        call["Payload"] for call in finished.calls("lambda") if call["FunctionName"].endswith(":remove")
    ]
    assert told["ended"]["Error"] == error
    assert (told["prepared"] is None) == (state == "PreparePreview")
    assert (finished.status, finished.error) == ("FAILED", "PreviewNeverHealthy")


def test_a_route_is_asked_for_until_it_is_ready(previews: Previews) -> None:
    """PreviewNotReady is no failure."""
    ready = answers({"url": "http://uat-main.preview.localhost"})
    finished = previews.serve(**{**GOOD, "RoutePreview": [throws("PreviewNotReady"), ready]})
    assert finished.status == "SUCCEEDED"


def test_what_cannot_be_removed_is_a_failure(previews: Previews) -> None:
    """The execution does not succeed while something may be left."""
    finished = previews.serve(**{**GOOD, "RemovePreview": [throws("AwsUnavailable")]})
    assert (finished.status, finished.error) == ("FAILED", "InternalError")


def test_pictures_are_one_state_more(previews: Previews) -> None:
    """They are asked for until they are there, with what RoutePreview answered."""
    shown = answers({"shown": 2})
    finished = previews.serve(**{**WITH_PICTURES, "ShowScreenshots": [throws("ScreenshotsNotReady"), shown]})
    assert finished.status == "SUCCEEDED"
    assert len(finished.entered) == 11
    asked = [call["Payload"] for call in finished.calls("lambda") if "route" in call["Payload"]]
    assert asked[0]["route"] == {"url": "http://uat-main.preview.localhost"}
    assert asked[0]["prepared"]["screenshots"] == 2


@pytest.mark.parametrize(
    "error", ["ScreenshotsNotReady", "GitHubUnavailable", "Lambda.Unknown", "ValidationError"]
)
def test_no_picture_fails_a_preview(previews: Previews, error: str) -> None:
    """Whatever ShowScreenshots fails with, for good: the preview is served all the same."""
    finished = previews.serve(**{**WITH_PICTURES, "ShowScreenshots": [throws(error)]})
    assert finished.status == "SUCCEEDED"
    assert finished.output == GONE
