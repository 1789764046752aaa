"""Reviews: what goes wrong between a push and the review of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.faults.cells import DOWN, FOR_GOOD, LOST, TWICE, cell

if TYPE_CHECKING:
    from tests.unit.delivery_kit import Delivered

REVIEW = "review"


@cell(REVIEW, TWICE)
def _(world: Delivered) -> str:
    number = world.open_pull()
    [opened] = world.undelivered("pull_request")
    world.deliver(opened, opened)
    world.run()
    world.deliver(opened)
    world.run()
    assert_read_once(world, number)
    return world.names[0]


@cell(REVIEW, "the push before it is delivered after it")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.push_mistake("another line\n")
    told = world.undelivered("pull_request")
    assert [it.action for it in told] == ["opened", "synchronize", "synchronize"]
    world.deliver(*reversed(told))
    world.run()
    first, *others = world.names
    request = world.artifacts.read_request(first)
    assert request is not None
    assert request.head_commit == world.github.head("topic")
    assert {world.record_of(other).error for other in others} == {"AlreadyRunning"}
    assert_read_once(world, number)
    return first


@cell(REVIEW, "somebody pushes while it reads")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.deliver(*world.undelivered())
    [first] = world.names
    world.open_session(first)
    world.push_mistake("another line\n")
    world.deliver(*world.undelivered())
    [_, second, third] = world.names
    assert (world.open_session(second), world.open_session(third)) == (False, False)
    world.run()
    assert world.record_of(third).error == "AlreadyRunning"
    request = world.artifacts.read_request(second)
    assert request is not None
    assert request.head_commit == world.github.head("topic")
    assert_read_once(world, number)
    return second


@cell(REVIEW, LOST)
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.lose(*world.undelivered())
    world.recover()
    world.run()
    assert_read_once(world, number)
    return world.names[0]


@cell(REVIEW, "the pull request is closed before its delivery")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.github.person("PATCH", f"/pulls/{number}", {"state": "closed"})
    world.deliver(*reversed(world.undelivered()))
    world.work_off()
    world.run()
    [comment] = world.github.comments(number)
    assert "is closed" in comment["body"]
    return world.names[0]


@cell(REVIEW, "GitHub 502 for good at the posting, until the next sweep")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.github.before += [("POST", f"/pulls/{number}/reviews", DOWN)] * FOR_GOOD
    world.arrive()
    [name] = world.names
    assert (world.record_of(name).report, world.inline(number)) == ("due", [])
    assert world.sweep(minutes=5).left == [name]
    world.github.before.clear()
    world.sweep(minutes=10)
    world.sweep(minutes=15)
    assert world.record_of(name).report == "made"
    assert_read_once(world, number)
    return name


@cell(REVIEW, "GitHub 502 after it took the review")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.github.after += [("POST", f"/pulls/{number}/reviews", DOWN)]
    world.arrive()
    world.sweep(minutes=5)
    assert_read_once(world, number)
    return world.names[0]


@cell(REVIEW, "GitHub 502 for good at its opening")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.github.before += [("POST", f"/issues/{number}/comments", DOWN)] * FOR_GOOD
    world.arrive()
    world.github.before.clear()
    [name] = world.names
    assert world.record_of(name).report == "due"
    world.sweep(minutes=5)
    [comment] = world.github.comments(number)
    assert "GitHub" in comment["body"]
    return name


@cell(REVIEW, "its task is lost, and then `/retry`")
def _(world: Delivered) -> str:
    number = world.open_pull()
    world.fails = True
    world.arrive()
    [lost] = world.names
    assert world.record_of(lost).error == "TaskLost"
    world.fails = False
    world.say(number, "/retry")
    world.arrive()
    assert_read_once(world, number)
    return world.names[1]


def assert_read_once(world: Delivered, number: int) -> None:
    """One comment of ours on the pull request, and one finding in one review."""
    comments = [it["body"] for it in world.github.comments(number) if not it["body"].startswith("/")]
    assert len(comments) == 1
    assert "Working" not in comments[0]
    assert len(world.inline(number)) == 1
    assert len(world.github.person("GET", f"/pulls/{number}/reviews")) == 1
