"""The steps of a preview until it is healthy; those within its task are told by lines of the task's log.

Only the runner writes into that log. What programs of the branch write passes through it, and what looks like
such a line gets a sign before it, so that no branch tells a step.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pullwright.json_object import decode_object
from pullwright.record import moment

if TYPE_CHECKING:
    from datetime import datetime

_BEGIN = '{"preview_step": "'


class Step(StrEnum):
    """What a preview is at, in their order."""

    CLONE = "clone"
    BUILD = "build"
    START = "start"
    HEALTH = "health"


class Begun(NamedTuple):
    """A step, and when it began."""

    step: Step
    at: datetime


def line_of(begun: Begun) -> str:
    """Return the line of the log that tells a step."""
    told = {
        "preview_step": begun.step,
        "at": begun.at.isoformat(),
        "service": "runner",
        "message": f"the step {begun.step} began",
    }
    return f"{json.dumps(told)}\n"


def step_in(line: str) -> Begun | None:
    """Return the step that a line of the log tells; None if it tells none."""
    if not line.startswith(_BEGIN):
        return None
    told = decode_object(line)
    step, at = told.get("preview_step"), moment(str(told.get("at")))
    return None if step not in set(Step) or at is None else Begun(Step(str(step)), at)


def without_step(line: str, longest: int) -> str:
    """Return a line of somebody else's so that it tells no step.

    Args:
        longest: so many characters a line of the log has at most; JSON that is longer is written anew there.
    """
    is_written_anew = len(line) > longest and line.lstrip().startswith("{")
    return f"> {line}" if is_written_anew or line.startswith(_BEGIN) else line


def is_later(step: str, than: str) -> bool:
    """Return whether a step comes after another one; empty is before all."""
    order = ["", *Step]
    return order.index(step) > order.index(than)
