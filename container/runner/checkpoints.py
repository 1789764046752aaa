"""Keeps the agent's work while it goes on, so that a task that is killed loses minutes and not hours."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError
from runner.agent.process import Stop
from runner.clock import CLOCK, Clock
from runner.git.command import GitError
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

# How long a checkpoint under way may take once the agent has ended. After a SIGTERM seconds count.
_PATIENCE = 60.0
_LITTLE_PATIENCE = 5.0


class Checkpoints:
    """Calls something at intervals from a thread of its own, whatever comes of it.

    Args:
        interval: seconds.
    """

    def __init__(self, make: Callable[[], None], *, interval: float, clock: Clock = CLOCK) -> None:
        self._make = make
        self._interval = interval
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Start; the first call comes after one interval."""
        self._thread.start()

    def stop(self, why: Stop | None = None) -> None:
        """End it, after waiting for a call under way.

        Args:
            why: why the agent was stopped, if it was.
        """
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(_LITTLE_PATIENCE if why is Stop.TERMINATED else _PATIENCE)

    def _run(self) -> None:
        while not self._clock.wait(self._ended, self._interval):
            try:
                self._make()
            except (PullwrightError, GitError) as error:
                logger.warning(
                    "a checkpoint could not be made", error=type(error).__name__, reason=str(error)
                )
            except Exception:  # noqa: BLE001 - the agent's work goes on, and ends like any other
                logger.exception("a defect at a checkpoint")
