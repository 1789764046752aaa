"""Keeps the tracking comment and the log current while a session is under way.

The comment is edited on change only, and ever more rarely: GitHub allows an installation 500 edits an hour,
all its sessions together, and their beginnings and endings come first. Whatever GitHub says, the session
goes on.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Self

from pullwright.comments import render_progress
from pullwright.errors import GitHubRateLimited, PullwrightError
from pullwright.results import Progress
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest
    from pullwright.results import Todo

# Seconds between two edits, while the session is younger than so many seconds.
_INTERVALS = ((60.0, 5.0), (600.0, 15.0), (3600.0, 30.0))
_LONGEST_INTERVAL = 60.0
# Where GitHub refuses although the installation's usage has room, its refusals slow a session down.
_MOST_PATIENT = 8
# Sessions that wait for the same room must not come for it in step.
_SPREAD = 0.25
_JOIN_SECONDS = 5.0
# The plan is waited for, but not for ever: GitHub may refuse the edit.
_PUBLISH_SECONDS = 30.0
# A session of a thousand turns has a few thousand steps; an agent that pretends more is not to fill the log.
MOST_LOGGED_STEPS = 10_000


def interval(age: float) -> float:
    """Seconds between two edits of the comment.

    Args:
        age: of the session, in seconds.
    """
    return next((seconds for limit, seconds in _INTERVALS if age < limit), _LONGEST_INTERVAL)


def stretched(pause: float, stretch: float, rng: random.Random) -> float:
    """Return the pause between two edits, as other sessions leave room for it.

    Args:
        pause: of a session alone, in seconds.
    """
    return pause if stretch <= 1 else pause * stretch * rng.uniform(1 - _SPREAD, 1 + _SPREAD)


class Tracker:
    """Takes what is new from any thread and shows it from one of its own.

    Args:
        update: rewrites the comment; False if somebody has deleted it.
        elapsed: seconds since the task started.
        stretch: by how much edits are to be rarer than those of a session alone.
    """

    def __init__(
        self,
        request: AgentRequest,
        update: Callable[[str], bool],
        *,
        elapsed: Callable[[], float],
        cost: Callable[[], float] = lambda: 0.0,
        stretch: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._request = request
        self._update = update
        self._elapsed = elapsed
        self.cost = cost
        self._stretch = stretch
        self._condition = threading.Condition()
        self._now = Progress(activity="Starting")
        self._shown: Progress | None = None
        self._published = ""
        self._ended = False
        self._logged = 0
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        self._thread.join(_JOIN_SECONDS)

    def show(
        self,
        activity: str,
        *,
        todos: tuple[Todo, ...] | None = None,
        turns: int | None = None,
        tool: str | None = None,
        plan: str | None = None,
    ) -> None:
        """Say what is happening now.

        Args:
            todos: the agent's list; as it was if not given.
            turns: how often the model has answered; as it was if not given.
            tool: the tool that the agent uses, for the log.
            plan: Markdown; as it was if not given.
        """
        cost = round(self.cost(), 4)
        with self._condition:
            before = self._now
            self._now = Progress(
                activity=activity,
                todos=before.todos if todos is None else todos,
                turns=before.turns if turns is None else turns,
                plan=before.plan if plan is None else plan,
                cost_usd=cost,
            )
            turns = self._now.turns
            self._logged += 1
            logged = self._logged
            self._condition.notify_all()
        if logged <= MOST_LOGGED_STEPS:
            logger.info("agent", activity=activity, tool=tool, turns=turns, cost_usd=cost)
        if logged == MOST_LOGGED_STEPS:
            logger.warning("further steps of the agent are in its transcript only")

    def publish(self, activity: str, plan: str) -> None:
        """Show a plan, and wait until people can see it: what is done about it comes afterwards."""
        self.show(activity, plan=plan)
        with self._condition:
            self._condition.wait_for(lambda: self._ended or self._published == plan, _PUBLISH_SECONDS)

    def _run(self) -> None:
        earliest = 0.0
        load = 1
        rng = random.Random()  # noqa: S311 - spreads sessions, keeps no secret
        while (progress := self._next(earliest)) is not None:
            pause = interval(self._elapsed()) * load
            try:
                shown = progress.model_copy(update={"elapsed_seconds": self._elapsed()})
                if not self._update(render_progress(self._request, shown)):
                    logger.warning("the tracking comment was deleted")
                    return
                with self._condition:
                    self._published = progress.plan
                    self._condition.notify_all()
            except GitHubRateLimited as error:
                pause = max(pause, error.retry_after)
                load = min(load * 2, _MOST_PATIENT) if error.was_asked else load
            except PullwrightError as error:
                logger.warning("the tracking comment could not be edited", error=type(error).__name__)
            earliest = time.monotonic() + stretched(pause, self._stretch(), rng)

    def _next(self, earliest: float) -> Progress | None:
        """Wait until there is something new and it may be shown; None when the session has ended."""
        with self._condition:
            while not self._ended:
                wait = earliest - time.monotonic()
                if wait > 0:
                    self._condition.wait(wait)
                elif self._now != self._shown:
                    self._shown = self._now
                    return self._now
                else:
                    self._condition.wait()
        return None
