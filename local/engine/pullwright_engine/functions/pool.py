"""A pool of environments: a fixed number, a queue in front of it, and a refusal after some seconds.

AWS makes an environment for every concurrent invocation up to the account's quota and refuses the rest at
once. A laptop has room for few, so an invocation first waits for one to come free.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar


class Reservable(Protocol):
    """An environment that one invocation at a time can have."""

    def reserve(self) -> None:
        """Reserve it, or raise the pool's `busy` error."""


E = TypeVar("E", bound=Reservable)

IDLE_SECONDS = 2.0
"""How long a warm environment has had no work when it may be ended for a function that has some already.

Under load none is idle for long: ending each that is free for a moment would mean a cold start, a second of a
processor, for nearly every invocation.
"""
POLL_SECONDS = 0.25
"""Idle environments also end by their own timers, which do not tell the pool."""


class NoEnvironmentError(Exception):
    """Every environment stayed busy for as long as an invocation may wait."""


class Pool(Generic[E]):
    """Gives out environments.

    Args:
        environments: those that exist: version → id → environment. Owned by LocalStack.
        busy: what `reserve` raises when an environment is not idle.
        idle_seconds: for how long an environment has had no work.
    """

    def __init__(
        self,
        environments: Mapping[str, Mapping[str, E]],
        *,
        limit: int,
        seconds: float,
        busy: type[Exception],
        idle_seconds: Callable[[E], float],
    ) -> None:
        self._environments = environments
        self._limit = limit
        self._seconds = seconds
        self._busy = busy
        self._idle_seconds = idle_seconds
        self._starting = 0
        self._guard = threading.Lock()
        # One queue a version, first come first served. Only the heads are woken: hundreds of invocations that
        # wake for each environment that comes free keep the engine from its work.
        self._waiting: defaultdict[str, deque[threading.Condition]] = defaultdict(deque)

    def acquire(self, version: str, start: Callable[[], E], retire: Callable[[E], None]) -> E:
        """Reserve an environment of a version: an idle one, else a new one, else the next that is free.

        Args:
            start: makes a new environment, registers and reserves it.
            retire: ends an idle environment of another version to make room.

        Raises:
            NoEnvironmentError: none came free in time.
        """
        with self._guard:
            idle, retired = self._queue(version, time.monotonic() + self._seconds)
            if idle is not None:
                return idle
            self._starting += 1
        try:
            if retired is not None:
                retire(retired)
            return start()
        finally:
            with self._guard:
                self._starting -= 1
                self._wake()

    def changed(self) -> None:
        """Wake the invocations that wait: an environment became idle or ended."""
        with self._guard:
            self._wake()

    def _wake(self) -> None:
        for queue in self._waiting.values():
            if queue:
                queue[0].notify()

    def _queue(self, version: str, deadline: float) -> tuple[E | None, E | None]:
        """Wait for an idle environment, or for permission to start one and the environment to end for it."""
        queue, turn = self._waiting[version], threading.Condition(self._guard)
        queue.append(turn)
        try:
            while True:
                if queue[0] is turn:
                    idle = self._reserve(self._environments.get(version, {}))
                    if idle is not None:
                        return idle, None
                    if self._live() + self._starting < self._limit:
                        return None, None
                    retired = self._reserve_other(version)
                    if retired is not None:
                        return None, retired
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise NoEnvironmentError
                turn.wait(min(remaining, POLL_SECONDS) if queue[0] is turn else remaining)
        finally:
            queue.remove(turn)
            # There may be more than one free: the next in line looks, too.
            if queue:
                queue[0].notify()
            else:
                self._waiting.pop(version, None)

    def _live(self) -> int:
        return sum(len(group) for group in list(self._environments.values()))

    def _reserve(self, group: Mapping[str, E]) -> E | None:
        for environment in list(group.values()):
            try:
                environment.reserve()
            except self._busy:
                continue
            return environment
        return None

    def _reserve_other(self, version: str) -> E | None:
        """Reserve the environment idle for longest; a function that has none may take any idle one."""
        least = IDLE_SECONDS if self._environments.get(version) else 0.0
        others = [
            (self._idle_seconds(environment), key, environment)
            for other, group in list(self._environments.items())
            if other != version
            for key, environment in list(group.items())
        ]
        longest_first = sorted(others, key=lambda entry: entry[:2], reverse=True)
        return self._reserve({key: found for seconds, key, found in longest_first if seconds >= least})
