"""Commands: what goes wrong between the comment and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.reconciling.executions import ExecutionEnd
from tests.unit.faults.cells import DOWN, FOR_GOOD, LOST, TWICE, cell, each
from tests.unit.faults.follow_ups import assert_done_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.delivery_kit import Delivered

STOP, RETRY, PLAN, GO = "`/stop`", "`/retry`", "`/plan`", "`/go`"


def at_work(world: Delivered) -> tuple[str, int]:
    """Have a session at work; return it and the number of its pull request."""
    world.label_issue()
    world.deliver(*world.undelivered())
    [name] = world.names
    world.open_session(name)
    world.forget()
    return name, int(world.record_of(name).pull_request or 0)


def settle(world: Delivered) -> None:
    """Let the executions that were stopped end, and the sweep close their sessions."""
    for arn, (error, cause) in world.states.stopped.items():
        world.machine.ends[arn] = ExecutionEnd(status="ABORTED", error=error, cause=cause)
        world.at_work.pop(arn.rpartition(":")[2], None)
    world.sweep(minutes=5)


@cell(STOP, TWICE)
def _(world: Delivered) -> str:
    name, number = at_work(world)
    told = world.say(number, "/stop")
    world.deliver(*told, *told)
    world.work_off()
    settle(world)
    world.deliver(*told)
    world.work_off()
    assert_answered(world, number, "+1")
    return name


@cell(STOP, LOST)
def _(world: Delivered) -> str:
    name, number = at_work(world)
    world.lose(*world.say(number, "/stop"))
    world.recover()
    world.work_off()
    settle(world)
    assert_answered(world, number, "+1")
    return name


@cell(STOP, "delivered after a mention that was written later")
def _(world: Delivered) -> str:
    name, number = at_work(world)
    stop = world.say(number, "/stop")
    world.github.slept += 2
    asked = world.say(number, "@pullwright go on like this")
    world.deliver(*asked)
    later = world.names[1]
    assert world.open_session(later) is False
    world.sessions.update_session(later, {"created_at": asked[0].payload["comment"]["created_at"]})
    world.deliver(*stop)
    world.work_off()
    settle(world)
    world.run()
    assert_done_once(world, later, "@pullwright go on like this")
    return name


@cell(STOP, "delivered before the label, which starts its session all the same")
def _(world: Delivered) -> str:
    issue = world.label_issue()
    [label] = [it for it in world.undelivered("issues") if it.action == "labeled"]
    world.deliver(*world.say(issue, "/stop"))
    world.work_off()
    answers = [it["body"] for it in world.github.comments(issue)]
    assert "no session runs or waits here" in answers[-1]
    world.deliver(label)
    world.run()
    return world.names[0]


@cell(STOP, "GitHub 502 for good when the comment is read")
def _(world: Delivered) -> str:
    name, number = at_work(world)
    told = world.say(number, "/stop")
    world.github.before += [("GET", f"/{told[0].payload['comment']['id']}", DOWN)] * FOR_GOOD
    world.deliver(*told)
    assert world.work_off() == 1
    assert world.states.stopped == {}
    world.github.before.clear()
    assert world.work_off() == 0
    settle(world)
    assert_answered(world, number, "+1")
    return name


def starting(text: str, outcome: str) -> Callable[[Delivered], tuple[int, str]]:
    """Return what brings a pull request to where a command starts a session, and the command's text."""

    def prepare(world: Delivered) -> tuple[int, str]:
        number = world.worked_on()
        world.sessions.update_session(world.names[0], {"outcome": outcome})
        return number, text

    return prepare


COMMANDS = {
    RETRY: starting("/retry", "failed"),
    PLAN: starting("/plan and keep the name", "changed"),
    GO: starting("/go", "planned"),
}


def assert_answered(world: Delivered, number: int, reaction: str) -> None:
    """Our last word about the newest command is this reaction and nothing else."""
    commands = [it for it in world.github.comments(number) if it["body"].startswith("/")]
    reactions = world.github.person("GET", f"/issues/comments/{commands[-1]['id']}/reactions")
    assert reaction in [it["content"] for it in reactions]
    assert {it["content"] for it in reactions} <= {reaction, "eyes"}
    assert not [it for it in world.github.comments(number) if "pullwright:answer" in it["body"]]


@each(COMMANDS, TWICE)
def _(world: Delivered, what: str) -> str:
    number, text = COMMANDS[what](world)
    told = world.say(number, text)
    world.deliver(*told, *told)
    world.work_off()
    world.run()
    world.deliver(*told)
    world.work_off()
    world.run()
    assert len(world.names) == 2
    assert_answered(world, number, "+1")
    return world.names[1]


@each(COMMANDS, LOST)
def _(world: Delivered, what: str) -> str:
    number, text = COMMANDS[what](world)
    world.lose(*world.say(number, text))
    world.recover()
    world.work_off()
    world.run()
    assert_answered(world, number, "+1")
    return world.names[1]


@each(COMMANDS, "Step Functions throttles for good, until the message comes again")
def _(world: Delivered, what: str) -> str:
    number, text = COMMANDS[what](world)
    world.states.errors = ["ThrottlingException"] * FOR_GOOD
    world.deliver(*world.say(number, text))
    assert world.work_off() == 1
    assert len(world.names) == 1
    world.states.errors.clear()
    assert world.work_off() == 0
    world.run()
    assert_answered(world, number, "+1")
    return world.names[1]


@cell(RETRY, "delivered while the session still works")
def _(world: Delivered) -> str:
    name, number = at_work(world)
    world.deliver(*world.say(number, "/retry"))
    world.work_off()
    assert "a session is still at work" in world.github.comments(number)[-1]["body"]
    world.run()
    assert world.names == [name]
    return name


@cell(GO, "delivered before the plan is there")
def _(world: Delivered) -> str:
    number = world.worked_on()
    plan = world.say(number, "/plan")
    go = world.say(number, "/go")
    world.deliver(*go, *plan)
    world.work_off()
    world.run()
    assert "no plan waits here" in world.github.comments(number)[-1]["body"]
    return world.names[1]
