"""When a session has to end before its work is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.agent.process import Stop

if TYPE_CHECKING:
    from runner.clock import Phases
    from runner.context import Signals
    from runner.disk import DiskWatch


@dataclass(frozen=True, slots=True)
class StopConditions:
    """What ends the agent, a command or a check of a session."""

    signals: Signals
    phases: Phases
    disk: DiskWatch
    minutes: float

    def from_outside(self) -> Stop | None:
        """Return why the session ends whatever it does: it is another task's, or this task is stopped."""
        if self.signals.lost.is_set():
            return Stop.LOST
        return Stop.TERMINATED if self.signals.terminated.is_set() else None

    def of_work(self) -> Stop | None:
        """Return why the agent and what prepares its work are ended, if they are."""
        if stop := self.from_outside():
            return stop
        return Stop.OVERTIME if self.phases.elapsed > self.minutes * 60 else self._of_disk()

    def of_checks(self) -> Stop | None:
        """Return why checks are ended, if they are; they have time of their own."""
        return self.from_outside() or self._of_disk()

    def _of_disk(self) -> Stop | None:
        return Stop.DISK_FULL if self.disk.full() else None
