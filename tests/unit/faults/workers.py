"""Worker files and schedules: what goes wrong until they are in force."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from tests.unit.faults.cells import DOWN, FOR_GOOD, LOST, TWICE, cell
from tests.unit.pipeline_kit import REPOSITORY

if TYPE_CHECKING:
    from github_standin.records import Delivery
    from tests.unit.delivery_kit import Delivered

FILES_PUSHED, SCHEDULE = "worker files", "schedule"
NEW_FILE = "on: {event: issues, labels: never}\ninstructions: Keep it true.\n"
CHORE = "on: {schedule: '* * * * *'}\ninstructions: Look after it.\n"


def push_file(world: Delivered, name: str) -> list[Delivery]:
    """Push one more worker's file to the default branch; return what GitHub has to deliver about it."""
    known = {it.id for it in world.undelivered()}
    world.github.write("main", {f".pullwright/workers/{name}.yaml": NEW_FILE})
    return [it for it in world.undelivered("push") if it.id not in known][-1:]


def stored(world: Delivered) -> list[str]:
    """Return the ids of the stored workers."""
    return sorted(worker.id for worker in world.sessions.workers.read(REPOSITORY))


@cell(FILES_PUSHED, TWICE)
def _(world: Delivered) -> str:
    told = push_file(world, "docs")
    world.deliver(*told, *told)
    assert world.work_off() == 0
    head = world.sessions.workers.head(REPOSITORY)
    world.deliver(*told)
    assert world.work_off() == 0
    assert world.sessions.workers.head(REPOSITORY) == head
    assert stored(world) == ["docs", "review"]
    return "stored"


@cell(FILES_PUSHED, "three pushes are delivered in any order, some of them twice or never")
def _(world: Delivered) -> str:
    told = [it for name in ("a", "b", "c") for it in push_file(world, name)]
    for seed in range(6):
        chance = random.Random(seed)  # noqa: S311 - makes orders, keeps no secret
        some = chance.sample(told, chance.randint(1, len(told))) + chance.sample(told, 1)
        world.sessions.workers.remove(REPOSITORY)
        for delivery in some:
            world.deliver(delivery)
            assert world.work_off() == 0
        assert stored(world) == ["a", "b", "c", "review"]
    return "stored"


@cell(FILES_PUSHED, "the App is installed after the push was delivered")
def _(world: Delivered) -> str:
    told = push_file(world, "docs")
    world.forget()
    world.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    world.deliver(*told)
    assert world.work_off() == 0
    world.deliver(*world.undelivered())
    world.work_off()
    assert world.sessions.workers.head(REPOSITORY) is None
    world.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": True})
    world.deliver(*world.undelivered())
    world.work_off()
    assert stored(world) == ["docs", "review"]
    return "stored"


@cell(FILES_PUSHED, LOST)
def _(world: Delivered) -> str:
    world.lose(*push_file(world, "docs"))
    assert stored(world) == ["review"]
    world.forget()
    world.recover()
    assert world.work_off() == 0
    assert stored(world) == ["docs", "review"]
    return "stored"


@cell(FILES_PUSHED, "GitHub has no record of the delivery: the next push that touches them brings it")
def _(world: Delivered) -> str:
    push_file(world, "docs")
    world.forget()
    assert world.sweep(minutes=6).redelivered == []
    assert stored(world) == ["review"]
    world.deliver(*push_file(world, "more"))
    assert world.work_off() == 0
    assert stored(world) == ["docs", "more", "review"]
    return "stored"


def broken(operation: str) -> None:
    """Add cells for an operation of the table that is throttled for good in the middle of reading files."""

    @cell(FILES_PUSHED, f"DynamoDB throttles {operation} for good, until the message comes again")
    def _(world: Delivered) -> str:
        world.deliver(*push_file(world, "docs"))
        with world.broken_table(operation):
            assert world.work_off() == 1
        assert stored(world) == ["review"]
        assert world.work_off() == 0
        assert stored(world) == ["docs", "review"]
        return "stored"


for _operation in ("GetItem", "PutItem"):
    broken(_operation)


@cell(FILES_PUSHED, "GitHub 502 for good while they are read, until the message comes again")
def _(world: Delivered) -> str:
    world.deliver(*push_file(world, "docs"))
    world.github.before += [("GET", "", DOWN)] * FOR_GOOD
    before = len(world.github.before)
    assert world.work_off() == 1
    assert len(world.github.before) < before
    world.github.before.clear()
    assert stored(world) == ["review"]
    assert world.work_off() == 0
    assert stored(world) == ["docs", "review"]
    return "stored"


def chore(world: Delivered) -> None:
    """Have a worker by schedule stored."""
    world.github.write("main", {".pullwright/workers/chore.yaml": CHORE})
    world.sync()


def run_scheduled(world: Delivered) -> str:
    """Run the one session that sweeps have started, to its pull request."""
    [(name, request)] = world.starter.started.items()
    world.states.started[name] = json.loads(request)
    world.run()
    assert len(world.github.pulls()) == 1
    return name


@cell(SCHEDULE, "two sweeps see that it is due")
def _(world: Delivered) -> str:
    chore(world)
    assert len(world.sweep(minutes=1.5).scheduled) == 1
    assert world.sweep(minutes=1.5).scheduled == []
    return run_scheduled(world)


@cell(SCHEDULE, "no sweep for a day")
def _(world: Delivered) -> str:
    chore(world)
    assert len(world.sweep(days=1).scheduled) == 1
    return run_scheduled(world)


@cell(SCHEDULE, "Step Functions throttles, until the next sweep")
def _(world: Delivered) -> str:
    chore(world)
    world.starter.errors = ["ThrottlingException"]
    assert world.sweep(minutes=1.5).scheduled == []
    assert len(world.sweep(minutes=6).scheduled) == 1
    return run_scheduled(world)
