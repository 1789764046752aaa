"""The item that all sessions take their slots from, under as many waiting sessions as one likes.

Says whether admission and CloseSession hold: an update of an item costs its whole size, twice in a
transaction and also when its condition fails; one partition takes 1,000 units a second; and of two
transactions on one item the second is cancelled. Where these numbers are published stands in docs/scaling.md.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import simpy

from tests.benchmarks.simulation.limits import Bucket, retry_delay, slot_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Steps = Generator[simpy.Event, None, None]

WRITE_UNITS, READ_UNITS = 1_000, 3_000
"""A second and partition; an item is never on two."""
UNIT_BYTES, READ_UNIT_BYTES = 1_024, 2 * 4_096
"""Of an eventually consistent read."""
NAME_BYTES = 60
"""`implement-<issue>-<GUID>` with its overhead."""
TRANSACTION_SECONDS, STEP_SECONDS = 0.02, 0.1
"""Assumed: how long a transaction holds its items, and how long a transition of the state machine takes."""
CANCELLED = "States.ALL"


@dataclass(frozen=True)
class Hot:
    """One deployment at its limit: all slots taken, many sessions waiting, and one more for each that ends.

    Attributes:
        look_first: whether sessions that wait read before they write; else each attempt is a transaction.
    """

    slots: int = 500
    waiting: int = 500
    work_seconds: float = 720
    look_first: bool = True
    hours: float = 0.5


@dataclass
class Heat:
    """What became of it.

    Attributes:
        leaked: sessions whose CloseSession gave up; the sweep gives their slots back.
        most: holders at once.
        idle: slots times seconds that nobody held.
        closing: seconds from the first attempt to give a slot back to the one that did.
    """

    seconds: float
    admitted: int = 0
    closed: int = 0
    leaked: int = 0
    most: int = 0
    cancelled: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    read_units: float = 0
    idle: float = 0
    closing: list[float] = field(default_factory=list)

    @property
    def closing_p99(self) -> float:
        """Seconds within which 99 of 100 sessions gave their slot back."""
        return sorted(self.closing)[math.ceil(len(self.closing) * 0.99) - 1]


class Simulation:
    """One item, its sessions and their states, in simulated time. The same seed gives the same history."""

    def __init__(self, hot: Hot, seed: int = 1) -> None:
        self.hot, self.heat, self.env = hot, Heat(hot.hours * 3_600), simpy.Environment()
        self._rng = random.Random(seed)  # noqa: S311 - a repeatable history, not a secret
        self._writes = Bucket(self.env, WRITE_UNITS, WRITE_UNITS)
        self._reads = Bucket(self.env, READ_UNITS, READ_UNITS)
        self._holders, self._locked = 0, False

    def run(self) -> Heat:
        """Run until the time is up."""
        for number in range(self.hot.slots + self.hot.waiting):
            self.env.process(self._live(began=number < self.hot.slots))
        self.env.process(self._watch())
        self.env.run(until=self.heat.seconds)
        return self.heat

    def _watch(self) -> Steps:
        while True:
            self.heat.idle += self.hot.slots - self._holders
            yield self.env.timeout(1)

    def _live(self, *, began: bool) -> Steps:
        if began:
            self._holders += 1
        else:
            yield self.env.timeout(self._rng.uniform(0, 20))
            yield from self._admit()
        yield self.env.timeout(self._rng.expovariate(1 / self.hot.work_seconds))
        self.env.process(self._live(began=False))
        yield from self._close()

    def _admit(self) -> Steps:
        while not (yield from self._transact(self._take)):
            while True:
                wait = slot_wait(self._rng) if self.hot.look_first else self._rng.uniform(0, 20)
                yield self.env.timeout(wait)
                if not self.hot.look_first or (yield from self._look()):
                    break
        self.heat.admitted += 1

    def _look(self) -> Generator[simpy.Event, None, bool]:
        units = math.ceil(self._holders * NAME_BYTES / READ_UNIT_BYTES)
        self.heat.read_units += units
        yield self.env.timeout(self._reads.reserve(units))
        has_room = self._holders < self.hot.slots
        yield self.env.timeout(STEP_SECONDS)
        return has_room

    def _close(self) -> Steps:
        began, tries = self.env.now, 1
        while not (yield from self._transact(self._give_back)):
            delay = retry_delay("CloseSession", CANCELLED, tries, self._rng)
            if delay is None:
                self.heat.leaked += 1
                return
            yield self.env.timeout(delay)
            tries += 1
        self.heat.closed += 1
        self.heat.closing.append(self.env.now - began)

    def _transact(self, change: Callable[[], bool]) -> Generator[simpy.Event, None, bool]:
        units = 2 * math.ceil(max(self._holders, 1) * NAME_BYTES / UNIT_BYTES)
        if not self._writes.take(units):
            return self._cancel("throttled")
        self.heat.write_units += units
        if self._locked:
            return self._cancel("conflict")
        self._locked = True
        yield self.env.timeout(TRANSACTION_SECONDS)
        self._locked = False
        return change() or self._cancel("full")

    def _cancel(self, why: str) -> bool:
        self.heat.cancelled[why] += 1
        return False

    def _take(self) -> bool:
        if self._holders >= self.hot.slots:
            return False
        self._holders += 1
        self.heat.most = max(self.heat.most, self._holders)
        return True

    def _give_back(self) -> bool:
        self._holders -= 1
        return True
