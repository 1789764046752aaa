"""Notices an agent that gets nowhere, before it has used up its limits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullwright.figures import duration
from pullwright.json_object import as_object
from pullwright.text import one_line
from runner.agent.stream import content_blocks
from runner.clock import CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

SAME_FAILURES = 5
# A command of the agent's may run for ten minutes, and an answer of the model may take nearly as long.
SILENCE_SECONDS = 20 * 60.0
_SHOWN = 120
# More tools than these are never under way at once; without a bound, calls that get no result would add up.
_MOST_OPEN = 200
_LONGEST_WORD = 500


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a tool; two are the same if their inputs are."""

    name: str
    digest: bytes
    shown: str

    @classmethod
    def of(cls, block: dict[str, Any]) -> _Call:
        """Read it, and keep no more than a few words of its input, which may be as large as a file."""
        arguments = json.dumps(block.get("input"), sort_keys=True)
        return cls(
            one_line(_start(block.get("name")), 60),
            hashlib.sha256(arguments.encode(errors="replace")).digest(),
            _shown(block.get("input"), arguments),
        )


class StuckGuard:
    """Watches what the CLI says, and when files last changed.

    Args:
        changed_at: when the work was last seen to change, on the clock.
        same_failures: how often in a row the same call of a tool may fail.
        silence: seconds without a change and without a word.
    """

    def __init__(
        self,
        changed_at: Callable[[], float] = lambda: 0.0,
        *,
        same_failures: int = SAME_FAILURES,
        silence: float = SILENCE_SECONDS,
        clock: Clock = CLOCK,
    ) -> None:
        self._changed_at = changed_at
        self._same_failures = same_failures
        self._silence = silence
        self._clock = clock
        self._heard_at = clock.monotonic()
        self._calls: dict[str, _Call] = {}
        self._failing: _Call | None = None
        self._failures = 0
        self._in_a_loop: str | None = None

    @property
    def reason(self) -> str | None:
        """Why the agent counts as stuck, a sentence; None as long as it does not."""
        if self._in_a_loop is not None:
            return self._in_a_loop
        if self._clock.monotonic() - max(self._heard_at, self._changed_at()) > self._silence:
            return f"The agent has said nothing and changed nothing for {duration(self._silence)}."
        return None

    def take(self, event: dict[str, Any]) -> None:
        """Take one line of the CLI's, decoded."""
        self._heard_at = self._clock.monotonic()
        for block in content_blocks(event):
            if block.get("type") == "tool_use":
                while len(self._calls) >= _MOST_OPEN:
                    del self._calls[next(iter(self._calls))]
                self._calls[_start(block.get("id"))] = _Call.of(block)
            elif block.get("type") == "tool_result":
                call_of_result = self._calls.pop(_start(block.get("tool_use_id")), None)
                self._count(call_of_result, failed=block.get("is_error") is True)

    def _count(self, call: _Call | None, *, failed: bool) -> None:
        if call is None:
            return
        if not failed:
            self._failing, self._failures = None, 0
        elif call == self._failing:
            self._failures += 1
        else:
            self._failing, self._failures = call, 1
        if self._failures == self._same_failures:
            self._in_a_loop = (
                f"The agent's same call of {call.name} failed {self._failures} times in a row: {call.shown}"
            )


def _start(value: object) -> str:
    return str(value)[:_LONGEST_WORD]


def _shown(values: object, encoded: str) -> str:
    what = as_object(values).get("command", encoded)
    return f"`{one_line(str(what)[:_LONGEST_WORD], _SHOWN).replace('`', ' ')}`."
