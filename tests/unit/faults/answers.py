"""Commands that are answered, or release held CI: what goes wrong between the comment and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.events.answers import ANSWER_MARKER
from tests.unit.faults.cells import DOWN, FOR_GOOD, LOST, TWICE, cell, each
from tests.unit.test_releasing import hold

if TYPE_CHECKING:
    from tests.unit.delivery_kit import Delivered

ANSWERED = "answered"
RELEASED = "released"
CI = "`/ci`"
UNKNOWN = "a word that is no command"
ANSWERS = {"`/status`": ("/status", "+1"), "`/cost`": ("/cost", "+1"), UNKNOWN: ("/begin", "confused")}


def answers(world: Delivered, number: int) -> list[str]:
    """Return our answers to commands."""
    return [it["body"] for it in world.github.comments(number) if it["body"].startswith(ANSWER_MARKER)]


def reactions(world: Delivered, number: int) -> list[set[str]]:
    """Return what stands under each command, besides that it was seen."""
    commands = [it["id"] for it in world.github.comments(number) if it["body"].startswith("/")]
    found = [world.github.person("GET", f"/issues/comments/{it}/reactions") for it in commands]
    return [{reaction["content"] for reaction in each_} - {"eyes"} for each_ in found]


@each(ANSWERS, TWICE)
def _(world: Delivered, what: str) -> str:
    text, reaction = ANSWERS[what]
    number = world.worked_on()
    told = world.say(number, text)
    world.deliver(*told, *told)
    world.work_off()
    world.deliver(*told)
    world.work_off()
    assert (len(answers(world, number)), reactions(world, number)) == (1, [{reaction}])
    assert len(world.names) == 1
    return ANSWERED


@each(ANSWERS, LOST)
def _(world: Delivered, what: str) -> str:
    text, reaction = ANSWERS[what]
    number = world.worked_on()
    world.lose(*world.say(number, text))
    world.recover()
    world.work_off()
    assert (len(answers(world, number)), reactions(world, number)) == (1, [{reaction}])
    return ANSWERED


@each(ANSWERS, "GitHub 502 for good when it is answered, until the message comes again")
def _(world: Delivered, what: str) -> str:
    text, reaction = ANSWERS[what]
    number = world.worked_on()
    world.deliver(*world.say(number, text))
    world.github.before += [("POST", f"/issues/{number}/comments", DOWN)] * FOR_GOOD
    assert world.work_off() == 1
    assert answers(world, number) == []
    world.github.before.clear()
    assert world.work_off() == 0
    assert (len(answers(world, number)), reactions(world, number)) == (1, [{reaction}])
    return ANSWERED


@cell("`/status`", "delivered after a `/cost` that was written later")
def _(world: Delivered) -> str:
    number = world.worked_on()
    first, second = world.say(number, "/status"), world.say(number, "/cost")
    world.deliver(*second, *first)
    world.work_off()
    [answer] = answers(world, number)
    assert "`/status` by" in answer
    assert reactions(world, number) == [{"+1"}, {"+1"}]
    return ANSWERED


def held(world: Delivered) -> tuple[int, str]:
    """Have a session's work wait for people; return the pull request's number and the branch."""
    number = world.worked_on()
    branch = str(world.record_of(world.names[0]).branch)
    hold(world, branch)
    world.forget()
    return number, branch


def assert_released_once(world: Delivered, branch: str, work: str) -> None:
    """One commit that changes nothing stands on the work that was held."""
    [parent] = world.github.person("GET", f"/git/commits/{world.github.head(branch)}")["parents"]
    assert parent["sha"] == work
    assert len(world.names) == 1


@cell(CI, TWICE)
def _(world: Delivered) -> str:
    number, branch = held(world)
    work = world.github.head(branch)
    told = world.say(number, "/ci")
    world.deliver(*told, *told)
    world.work_off()
    world.deliver(*told)
    world.work_off()
    assert_released_once(world, branch, work)
    return RELEASED


@cell(CI, LOST)
def _(world: Delivered) -> str:
    number, branch = held(world)
    work = world.github.head(branch)
    world.lose(*world.say(number, "/ci"))
    world.recover()
    world.work_off()
    assert_released_once(world, branch, work)
    return RELEASED


@cell(CI, "delivered after work that came later")
def _(world: Delivered) -> str:
    number, branch = held(world)
    told = world.say(number, "/ci")
    world.github.slept += 2
    work = hold(world, branch)
    world.deliver(*told)
    world.work_off()
    assert world.github.head(branch) == work
    assert "New work came after" in world.github.comments(number)[-1]["body"]
    world.github.slept += 2
    world.deliver(*world.say(number, "/ci"))
    world.work_off()
    assert_released_once(world, branch, work)
    return RELEASED
