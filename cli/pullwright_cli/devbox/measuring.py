"""`pullwright devbox measure`: what only a box in AWS can tell of its promises."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright_cli.devbox.box import Box

_LONGEST_STACK, _LONGEST_START, _LONGEST_SET_UP, _OLDEST_REPORT = 300, 120, 300, 600
_READY = re.compile(r"READY \S+ after (\d+) s: (.*)", re.DOTALL)


class Measurement(NamedTuple):
    """A figure or a state.

    Attributes:
        value: as people read it.
        holds: whether the promise is kept.
    """

    name: str
    value: str
    holds: bool


def measure(box: Box) -> list[Measurement]:
    """Measure a box that is ready.

    Raises:
        DevBoxStopped: it does not run.
        DevBoxNotReady: its set-up goes on or has failed.
    """
    machine = box.ready()
    return [Measurement(name, *find(box, machine)) for name, find in MEASUREMENTS.items()]


def _within(seconds: float | None, most: int) -> tuple[str, bool]:
    if seconds is None:
        return "not known any more", False
    return f"{seconds:.0f} s of {most} s", seconds <= most


def _stack(box: Box, _: dict[str, Any]) -> tuple[str, bool]:
    pages = box.main.client("cloudformation").get_paginator("describe_stack_events")
    own = [
        event
        for page in pages.paginate(StackName=box.name)
        for event in page["StackEvents"]
        if event["LogicalResourceId"] == box.name
    ]
    began = [event["Timestamp"] for event in own if event["ResourceStatus"] == "CREATE_IN_PROGRESS"]
    ended = [event["Timestamp"] for event in own if event["ResourceStatus"] == "CREATE_COMPLETE"]
    return _within((ended[-1] - began[-1]).total_seconds() if began and ended else None, _LONGEST_STACK)


def _start(box: Box, machine: dict[str, Any]) -> tuple[str, bool]:
    started = machine["LaunchTime"].timestamp() * 1000
    first = box.first_message("bootstrap", int(started))
    return _within(None if first is None else (first.at - started) / 1000, _LONGEST_START)


def _set_up(box: Box, machine: dict[str, Any]) -> tuple[str, bool]:
    found = _READY.match(box.set_up(machine))
    return _within(float(found[1]) if found else None, _LONGEST_SET_UP)


def _tools(box: Box, machine: dict[str, Any]) -> tuple[str, bool]:
    found = _READY.match(box.set_up(machine))
    return (found[2].strip(), True) if found else ("not said", False)


def _agent(box: Box, _: dict[str, Any]) -> tuple[str, bool]:
    filters = [{"Key": "InstanceIds", "Values": [box.instance_id]}]
    found = box.main.client("ssm").describe_instance_information(Filters=filters)["InstanceInformationList"]
    status = found[0]["PingStatus"] if found else "unknown to Systems Manager"
    return status, status == "Online"


def _report(box: Box, _: dict[str, Any]) -> tuple[str, bool]:
    message = box.last_message("status")
    age = None if message is None else max(0.0, time.time() - message.at / 1000)
    value, holds = _within(age, _OLDEST_REPORT)
    return f"last word {value} ago" if age is not None else "it has said nothing", holds


def _closed(box: Box, machine: dict[str, Any]) -> tuple[str, bool]:
    groups = [group["GroupId"] for group in machine["SecurityGroups"]]
    found = box.main.client("ec2").describe_security_groups(GroupIds=groups)["SecurityGroups"]
    open_to = [group["GroupId"] for group in found if group["IpPermissions"]]
    problems = [
        *(["a key pair"] if machine.get("KeyName") else []),
        *(f"a way in by {group}" for group in open_to),
        *([] if machine.get("MetadataOptions", {}).get("HttpTokens") == "required" else ["IMDSv1"]),
    ]
    return ", ".join(problems) or "closed", not problems


MEASUREMENTS: dict[str, Callable[[Box, dict[str, Any]], tuple[str, bool]]] = {
    "stack": _stack,
    "start": _start,
    "set-up": _set_up,
    "tools": _tools,
    "agent": _agent,
    "report": _report,
    "closed": _closed,
}
"""Of the requirements that need AWS, by name."""
