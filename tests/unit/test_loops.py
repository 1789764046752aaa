"""Nothing that a session does starts another one, in whatever order GitHub tells of it, and however often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.comments import REFUSAL_MARKER
from pullwright.errors import NotAddressed, TooManyInARow
from pullwright.mended import MOST_IN_A_ROW
from tests.examples import examples
from tests.unit.loops_kit import ACTS, OF_CHECKS, PERSON, US, WORKERS, Delivery, starts_of
from tests.unit.loops_world import Choices, World
from tests.unit.pipeline_kit import BOT, SLUG, Deployment, refused
from tests.unit.pipeline_kit import PERSON as PERSON_LOGIN
from tests.unit.test_reporting import Reporting

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=examples(10_000), deadline=None)
@given(st.binary(max_size=60))
def test_no_order_of_events_makes_a_loop_or_two_sessions_of_one_cause(tape: bytes) -> None:
    """Ten thousand orders, with a worker for everything that can happen: an end, and one session a cause.

    Checks that fail, pass when they run again or never pass are among it, and requests, commands, reviews,
    schedules, and messages that come late, again or in another order.
    """
    world = World(Choices(tape))
    world.play()
    assert all(len(commits) <= MOST_IN_A_ROW for commits in world.mending.values())
    assert len(world.github.comments_made) <= 1
    of_deliveries = {cause for worker, cause in world.causes if worker not in {*OF_CHECKS, "chore"}}
    assert of_deliveries <= world.people


def test_a_person_can_start_each_of_these_workers() -> None:
    """What the property forbids us is not forbidden to everybody."""
    names = [name for act in ACTS for name, _ in starts_of(Delivery(act, PERSON).decide())]
    started = {name.rsplit("-", 6)[0] for name in names}
    # Checks run on whoever's push, ours too; how often that may start a session, the queue's reader counts.
    assert started >= {worker.id for worker in WORKERS if worker.enabled} - OF_CHECKS
    assert not [name for act in ACTS for name, _ in starts_of(Delivery(act, US).decide())]


ASKED_BY_APP: dict[str, Any] = {"delivery_id": "d", "requested_by": "renovate[bot]"}


def test_apps_that_trigger_each_other_end_at_three(tmp_path: Path) -> None:
    """An App that the deployment lists asks three times; a person has to ask for the next, who then may."""
    deployment = Deployment(tmp_path)
    deployment.github.repository()
    issue = deployment.github.issue()
    for number in range(3):
        for _ in range(2):
            deployment.open(f"s-{number}", issue=issue, **ASKED_BY_APP)
        deployment.end(f"s-{number}")
    error = refused(deployment, TooManyInARow, session_id="s-3", issue=issue, **ASKED_BY_APP)
    assert "the last 3 sessions" in error.sentence
    deployment.open("s-4", issue=issue, requested_by=PERSON_LOGIN, delivery_id="d")
    deployment.end("s-4")
    deployment.open("s-5", issue=issue, **ASKED_BY_APP)


def test_the_reason_is_told_once(tmp_path: Path) -> None:
    """However often an App asks after that, its requests end without another word or edit."""
    deployment = Reporting(tmp_path)
    deployment.github.repository()
    issue = deployment.github.issue()
    for number in range(3):
        deployment.open(f"s-{number}", issue=issue, **ASKED_BY_APP)
        deployment.end(f"s-{number}")
    assert deployment.refuse("s-3", issue=issue, **ASKED_BY_APP).error == TooManyInARow.__name__
    [told] = [it["body"] for it in deployment.github.comments(issue) if REFUSAL_MARKER in it["body"]]
    assert "the last 3 sessions" in told
    deployment.github.seen.clear()
    assert deployment.refuse("s-4", issue=issue, **ASKED_BY_APP).error == TooManyInARow.__name__
    assert not [it for it in deployment.github.seen if it[0] != "GET" and "access_tokens" not in it[1]]


def test_what_we_do_ourselves_starts_nothing_even_where_we_are_listed(tmp_path: Path) -> None:
    """A deployment that lists its own App among those that may start sessions makes no circle."""
    deployment = Deployment(tmp_path)
    listed = deployment.settings.model_copy(update={"allowed_apps": SLUG})
    deployment.settings = listed  # type: ignore[misc] # of this one alone
    deployment.github.repository()
    issue = deployment.github.issue()
    refused(deployment, NotAddressed, issue=issue, delivery_id="d", requested_by=BOT)
