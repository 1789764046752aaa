"""Checks that fail on a session's work: what goes wrong between their end and the session that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.faults.cells import DOWN, FOR_GOOD, LOST, TWICE, cell
from tests.unit.mending_kit import BROKEN, FLAKY, WORKFLOW
from tests.unit.pipeline_kit import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.unit.delivery_kit import Delivered

CHECK = "failed check"


def pushed(world: Delivered, outcome: Mapping[str, Any]) -> str:
    """Push to a session's branch what a check finds wrong; return the commit."""
    world.github.write("main", {".github/workflows/ci.yml": WORKFLOW})
    world.worked_on()
    body = {"outcomes": [outcome], "wait": False}
    world.github.control("PUT", f"/repositories/{REPOSITORY}/outcomes", body)
    branch = str(world.record_of(world.names[0]).branch)
    world.github.write(branch, {"a.txt": "a bug\n"})
    return world.github.head(branch)


def handle(world: Delivered) -> None:
    """Deliver what checks have to tell, until they tell nothing more."""
    while told := world.undelivered("check_suite"):
        world.deliver(*told)
        world.work_off()


def assert_mended_once(world: Delivered, commit: str) -> str:
    """One session was started for the commit; return its name."""
    handle(world)
    [name] = world.names[1:]
    assert world.states.started[name]["checked_commit"] == commit
    world.run()
    return name


@cell(CHECK, TWICE)
def _(world: Delivered) -> str:
    commit = pushed(world, BROKEN)
    for _ in range(2):
        told = world.undelivered("check_suite")
        world.deliver(*told, *told)
        world.work_off()
        world.deliver(*told)
        world.work_off()
    return assert_mended_once(world, commit)


@cell(CHECK, LOST)
def _(world: Delivered) -> str:
    commit = pushed(world, BROKEN)
    for _ in range(2):
        world.lose(*world.undelivered("check_suite"))
        world.forget()
        world.recover()
        world.work_off()
    return assert_mended_once(world, commit)


@cell(CHECK, "its first failure is delivered after the second")
def _(world: Delivered) -> str:
    commit = pushed(world, BROKEN)
    first = world.undelivered("check_suite")
    world.deliver(*first)
    world.work_off()
    world.deliver(*world.undelivered("check_suite"), *first)
    world.work_off()
    return assert_mended_once(world, commit)


@cell(CHECK, "flaky, and delivered three times")
def _(world: Delivered) -> str:
    pushed(world, FLAKY)
    first = world.undelivered("check_suite")
    for _ in range(3):
        world.deliver(*first)
        world.work_off()
    handle(world)
    world.deliver(*first)
    world.work_off()
    assert len(world.names) == 1
    return "flaky"


@cell(CHECK, "GitHub 502 for good when it is looked at, until the message comes again")
def _(world: Delivered) -> str:
    commit = pushed(world, BROKEN)
    world.deliver(*world.undelivered("check_suite"))
    world.github.before += [("GET", f"/commits/{commit}/check-runs", DOWN)] * FOR_GOOD
    assert world.work_off() >= 1
    world.github.before.clear()
    assert world.work_off() == 0
    return assert_mended_once(world, commit)
