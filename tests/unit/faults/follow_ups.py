"""Follow-ups: what goes wrong between a comment or review that asks for more and the work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pullwright.errors import AwsUnavailable
from tests.unit.faults.cells import DOWN, FOR_GOOD, LOST, TWICE, cell, each

if TYPE_CHECKING:
    from github_standin.records import Delivery
    from tests.unit.delivery_kit import Delivered

FOLLOW_UP, SUBMITTED = "follow-up by a comment", "follow-up by a review"


def asked_by_comment(world: Delivered, number: int) -> list[Delivery]:
    """Ask for more in a comment."""
    return world.say(number, "@pullwright do more")


def asked_by_review(world: Delivered, number: int) -> list[Delivery]:
    """Ask for changes in a review of the pull request, which needs no mention."""
    body = {"event": "REQUEST_CHANGES", "body": "Not yet.", "comments": []}
    world.github.person("POST", f"/pulls/{number}/reviews", body)
    return world.undelivered("pull_request_review")


ASKING = {FOLLOW_UP: asked_by_comment, SUBMITTED: asked_by_review}


def assert_done_once(world: Delivered, name: str, *texts: str) -> None:
    """One session did what all texts ask, and there is one pull request."""
    done = [it for it in world.names if world.record_of(it).outcome == "changed" and world.asked_in(it)]
    assert done == [name]
    assert tuple(world.asked_in(name)) == texts
    assert len(world.github.pulls()) == 1


@each(ASKING, TWICE)
def _(world: Delivered, what: str) -> str:
    number = world.worked_on()
    told = ASKING[what](world, number)
    world.deliver(*told, *told)
    world.work_off()
    world.run()
    world.deliver(*told)
    world.work_off()
    world.run()
    assert_done_once(world, world.names[1], *world.asked_in(world.names[1]))
    return world.names[1]


@each(ASKING, LOST)
def _(world: Delivered, what: str) -> str:
    number = world.worked_on()
    world.lose(*ASKING[what](world, number))
    world.recover()
    world.work_off()
    world.run()
    assert_done_once(world, world.names[1], *world.asked_in(world.names[1]))
    return world.names[1]


@each(ASKING, "the session before it still works")
def _(world: Delivered, what: str) -> str:
    world.label_issue()
    world.deliver(*world.undelivered())
    [first] = world.names
    world.open_session(first)
    world.forget()
    told = ASKING[what](world, int(world.record_of(first).pull_request or 0))
    world.deliver(*told)
    world.work_off()
    [_, second] = world.names
    assert world.open_session(second) is False
    world.run()
    assert world.record_of(first).outcome == "changed"
    assert_done_once(world, second, *world.asked_in(second))
    return second


@each(ASKING, "GitHub 502 for good when it is read")
def _(world: Delivered, what: str) -> str:
    number = world.worked_on()
    told = ASKING[what](world, number)
    [place] = {(it.payload.get("comment") or it.payload["review"])["id"] for it in told}
    world.github.before += [("GET", f"/{place}", DOWN)] * FOR_GOOD
    world.deliver(*told)
    stays = world.work_off()
    world.run()
    world.github.before.clear()
    if stays:
        # A review's message comes again, and after a day goes to the dead-letter queue.
        assert world.work_off() == 0
        world.run()
        return world.names[1]
    assert world.record_of(world.names[1]).error == "GitHubUnavailable"
    assert any("GitHub answered 502" in it["body"] for it in world.github.comments(number))
    world.say(number, "/retry")
    world.arrive()
    assert_done_once(world, world.names[2], "@pullwright do more")
    return world.names[1]


@cell(FOLLOW_UP, "two are delivered in the wrong order, and one works")
def _(world: Delivered) -> str:
    number = world.worked_on()
    first = world.say(number, "@pullwright do one")
    second = world.say(number, "@pullwright do two")
    world.deliver(*second, *first)
    late, early = world.names[1:]
    world.open_session(late)
    assert world.open_session(early) is False
    world.run()
    assert [world.asked_in(name) for name in (late, early)] == [
        ["@pullwright do two"],
        ["@pullwright do one"],
    ]
    assert len(world.github.pulls()) == 1
    return early


@cell(FOLLOW_UP, "on the issue, delivered before the label")
def _(world: Delivered) -> str:
    issue = world.label_issue()
    asked = world.say(issue, "@pullwright and more")
    [label] = [it for it in world.undelivered("issues") if it.action == "labeled"]
    world.deliver(*asked)
    world.open_session(world.names[0])
    world.deliver(label)
    assert world.open_session(world.names[1]) is False
    assert world.record_of(world.names[1]).error == "AlreadyRunning"
    world.run()
    assert_done_once(world, world.names[0], "@pullwright and more")
    return world.names[0]


@cell(FOLLOW_UP, "three wait, the one that took them along loses its task, and then `/retry`")
def _(world: Delivered) -> str:
    number = world.worked_on()
    texts = [f"@pullwright do {count}" for count in ("one", "two", "three", "four")]
    world.deliver(*world.say(number, texts[0]))
    world.open_session(world.names[1])
    for text in texts[1:]:
        world.deliver(*world.say(number, text))
    waiting = world.names[2:]
    assert [world.open_session(name) for name in waiting] == [False] * 3
    world.finish(world.names[1])
    world.fails = True
    world.run()
    outcomes = {name: world.record_of(name).outcome for name in waiting}
    [taker] = [name for name, outcome in outcomes.items() if outcome == "failed"]
    assert sorted(map(str, outcomes.values())) == ["failed", "taken_along", "taken_along"]
    world.fails = False
    world.forget()
    world.say(number, "/retry")
    world.arrive()
    retried = world.names[-1]
    assert world.states.started[retried]["retry_of"] == taker
    assert world.asked_in(retried) == texts[1:]
    assert world.record_of(retried).outcome == "changed"
    return taker


@cell(FOLLOW_UP, "DynamoDB throttles for good when it is opened")
def _(world: Delivered) -> str:
    number = world.worked_on()
    world.deliver(*world.say(number, "@pullwright do more"))
    name = world.names[1]
    world.open_session(name)
    world.at_work.clear()
    # Opened and not admitted: the same attempt comes again, and now the table is busy.
    with world.broken_table("UpdateItem"), pytest.raises(AwsUnavailable):
        world.open(name, **world.states.started[name])
    world.run()
    assert_done_once(world, name, "@pullwright do more")
    return name
