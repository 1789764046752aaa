"""PreparePreview: who may have a preview, of what, where, and what is said of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright import errors
from pullwright.github.transport import Response
from pullwright.table import read_item
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import ASKED, PERSON, REPOSITORY, STRANGER
from tests.unit.preview_kit import LABEL, STAGING_LABEL, START, SUFFIX, Previews

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a repository that says in its Procfile how it is served."""
    with mock_aws():
        yield Previews(tmp_path)


def test_a_preview_is_prepared_from_two_fields(previews: Previews) -> None:
    """Host, commands, time and comment come from the branch and the deployment, and twice is as once."""
    number = previews.pull("feature/Login_2")
    first = previews.prepare("p-1", number)
    assert previews.prepare("p-1", number) == first
    assert first.host == f"uat-feature-login-2.{SUFFIX}"
    assert (first.seconds, first.port, first.health, first.task_definition) == (86_400, 8_080, "/", "preview")
    assert first.commit == previews.github.head("feature/Login_2")
    assert first.commit[:7] in previews.comment(number)
    record = read_item(previews.store._client, "t", "PREVIEW#p-1")
    assert json.loads(record["plan"])["start"] == "python app.py"
    assert previews.store.holders() == {"p-1"}


def test_the_label_of_the_image_that_is_tried(previews: Previews) -> None:
    """The other label runs the other image, and a request may ask for fewer hours, not for more."""
    number = previews.pull()
    previews.label(number, STAGING_LABEL)
    prepared = previews.prepare("p-1", number, staging=True, hours=2, **ASKED)
    assert (prepared.task_definition, prepared.seconds) == ("preview-staging", 7_200)
    assert previews.prepare("p-2", number, hours=100).seconds == 86_400
    assert previews.store.read("p-1").label == STAGING_LABEL


def test_a_session_names_its_host(previews: Previews) -> None:
    """What a session left stands at the session's id, with a comment beside that of the label's preview."""
    number = previews.pull()
    previews.prepare("p-1", number)
    other = previews.prepare("p-2", number, session="implement-42_A")
    assert other.host == f"implement-42-a.{SUFFIX}"
    assert len(previews.github.comments(number)) == 2


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"repository": "octo"}, errors.InvalidRequest),
        ({"repository": "other/widgets"}, errors.AppNotInstalled),
        ({"pull_request": 99}, errors.PullRequestNotFound),
        ({**ASKED, "requested_by": STRANGER}, errors.NotAllowed),
        ({**ASKED, "requested_by": None}, errors.NotAllowed),
        (ASKED, errors.LabelRemoved),
    ],
)
def test_what_is_refused_says_nothing_on_the_pull_request(
    previews: Previews, fields: dict[str, Any], error: type[errors.PullwrightError]
) -> None:
    """RemovePreview tells it, in the one comment."""
    number = previews.pull()
    with pytest.raises(error):
        previews.prepare("p-1", **{"number": number, **fields})
    assert previews.github.comments(number) == []


def test_a_closed_pull_request_has_no_preview(previews: Previews) -> None:
    """What was closed before the preview began never runs."""
    number = previews.pull()
    previews.github.person("PATCH", f"/pulls/{number}", {"state": "closed"})
    with pytest.raises(errors.PullRequestClosed):
        previews.prepare("p-1", number)
    assert previews.store.holders() == frozenset()


def test_a_pull_request_that_is_closed_meanwhile_has_none(previews: Previews) -> None:
    """Who closes it before the slot is taken finds no preview to end, so GitHub is asked once more."""
    number = previews.pull()
    open_still = previews.github.person("GET", f"/pulls/{number}")
    previews.github.person("PATCH", f"/pulls/{number}", {"state": "closed"})
    path = f"/repos/{REPOSITORY}/pulls/{number}"
    previews.github.before.append(("GET", path, Response(200, {}, open_still)))
    with pytest.raises(errors.PullRequestClosed):
        previews.prepare("p-1", number)
    assert previews.store.holders() == {"p-1"}


def test_a_person_who_may_write_is_let_in(previews: Previews) -> None:
    """The sender of the label counts, and the label is still there."""
    number = previews.pull()
    previews.label(number, LABEL.upper())
    assert previews.prepare("p-1", number, **ASKED, staging=False).branch == "topic"
    assert ASKED["requested_by"] == PERSON


def test_no_slot_is_said_with_its_number(previews: Previews) -> None:
    """The sentence names the limit and who can raise it."""
    numbers = [previews.pull(branch) for branch in ("a", "b")]
    previews.prepare("p-1", numbers[0], limit=1)
    with pytest.raises(errors.NoCapacity) as caught:
        previews.prepare("p-2", numbers[1], limit=1)
    assert "All 1 previews" in caught.value.sentence
    assert "MaxPreviews" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("preview: {port: 80}", "port"),
        ("preview: {sart: x}", "do you mean start"),
        ("preview: [", "cannot be used"),
    ],
)
def test_a_broken_configuration_names_the_field(previews: Previews, text: str, said: str) -> None:
    """The configuration is that of the default branch, and nothing runs with one that cannot be read."""
    previews.github.write("main", {".pullwright/config.yaml": text})
    number = previews.pull()
    with pytest.raises(errors.PreviewConfigurationInvalid) as caught:
        previews.prepare("p-1", number)
    assert said in caught.value.sentence


def test_the_configuration_of_the_branch_is_not_read(previews: Previews) -> None:
    """Who can push a branch does not choose what the platform does with it."""
    previews.github.write("main", {".pullwright/config.yaml": "preview: {port: 3000, start: node a.js}"})
    number = previews.pull()
    previews.github.write("topic", {".pullwright/config.yaml": "preview: {port: 4000}"})
    assert previews.prepare("p-1", number).port == 3_000


def test_nothing_says_how_it_is_served(previews: Previews) -> None:
    """The remedy has the lines to copy."""
    previews.github.write("main", {"Procfile": "worker: x\n"})
    with pytest.raises(errors.PreviewNotConfigured) as caught:
        previews.prepare("p-1", previews.pull())
    assert "preview: {" in caught.value.remedy


def test_two_branches_with_one_slug_have_two_hosts(previews: Previews) -> None:
    """The second gets eight characters of a hash."""
    first, second = (
        previews.prepare(f"p-{n}", previews.pull(branch)).host for n, branch in enumerate(("a/b", "a-b"))
    )
    assert first == f"uat-a-b.{SUFFIX}"
    assert second.startswith("uat-a-b-")
    assert len(second) == len(first) + 9


def test_a_preview_that_is_renewed_keeps_its_host(previews: Previews) -> None:
    """Who closes it before the slot is taken finds nothing to end, so its state is asked for again."""
    numbers = [previews.pull(branch) for branch in ("a/b", "a-b")]
    hosts = [previews.prepare(f"p-{n}", number).host for n, number in enumerate(numbers)]
    previews.remove("p-0")
    renewed = previews.prepare("p-2", numbers[1], started_at=START + timedelta(minutes=1))
    assert renewed.host == hosts[1] != hosts[0]
    assert previews.store.read("p-1").withdrawn == "PreviewReplaced"


def test_a_newer_preview_withdraws_an_older_one_that_only_starts(previews: Previews) -> None:
    """Nobody waits for a commit that is not the newest, and the newer one keeps the host."""
    number = previews.pull()
    previews.prepare("p-1", number)
    later = START + timedelta(minutes=1)
    previews.prepare("p-2", number, started_at=later)
    assert previews.store.read("p-1").withdrawn == "PreviewReplaced"
    with pytest.raises(errors.PreviewReplaced):
        previews.prepare("p-1", number)
    assert previews.store.read("p-2").withdrawn == ""
    assert len(previews.github.comments(number)) == 1


def test_a_fork_is_never_run(previews: Previews) -> None:
    """Whoever asks: its code is not of people who may write here."""
    number = previews.pull()
    payload = previews.github.person("GET", f"/pulls/{number}")
    payload["head"]["repo"] = {**payload["head"]["repo"], "full_name": "stranger/widgets"}
    previews.github.before.append(("GET", f"/repos/{REPOSITORY}/pulls/{number}", Response(200, {}, payload)))
    with pytest.raises(errors.PreviewFromFork):
        previews.prepare("p-1", number)
