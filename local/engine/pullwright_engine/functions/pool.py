"""How many environments there are: a fixed number, a queue in front of it, and a refusal at the end.

AWS makes an environment for every concurrent invocation up to the account's quota and refuses the rest at
once. A laptop has room for few, so an invocation first waits for one to come free.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar


class Reservable(Protocol):
    """An environment that one invocation at a time can have."""

    def reserve(self) -> None:
        """Take it, or raise the pool's `busy` error."""


E = TypeVar("E", bound=Reservable)

PATIENCE_SECONDS = 2.0
"""How long an invocation waits for one of its own kind before a warm one of another function has to go."""
POLL_SECONDS = 0.25
"""Idle environments also end by their own timers, which do not tell the pool."""


class NoEnvironmentError(Exception):
    """Every environment stayed busy for as long as an invocation may wait."""


class Pool(Generic[E]):
    """Gives out environments.

    Args:
        environments: those that exist: version → id → environment. Owned by LocalStack.
        limit: how many may exist at once.
        seconds: how long `acquire` waits.
        busy: what `reserve` raises when an environment is not idle.
    """

    def __init__(
        self,
        environments: Mapping[str, Mapping[str, E]],
        *,
        limit: int,
        seconds: float,
        busy: type[Exception],
    ) -> None:
        self._environments = environments
        self._limit = limit
        self._seconds = seconds
        self._busy = busy
        self._starting = 0
        self._changed = threading.Condition()

    def acquire(self, version: str, start: Callable[[], E], retire: Callable[[E], None]) -> E:
        """An environment of a version, reserved: an idle one, else a new one, else the next that comes free.

        Args:
            version: which code it must run.
            start: makes a new environment, registers and reserves it.
            retire: ends an idle environment of another version to make room.

        Raises:
            NoEnvironmentError: none came free in time.
        """
        began = time.monotonic()
        deadline = began + self._seconds
        retired: E | None = None
        with self._changed:
            while True:
                idle = self._reserve(self._environments.get(version, {}))
                if idle is not None:
                    return idle
                if self._live() + self._starting < self._limit:
                    break
                own = bool(self._environments.get(version))
                if not own or time.monotonic() - began >= min(PATIENCE_SECONDS, self._seconds):
                    retired = self._reserve_other(version)
                if retired is not None:
                    break
                if not self._wait_until(deadline):
                    raise NoEnvironmentError
            self._starting += 1
        try:
            if retired is not None:
                retire(retired)
            return start()
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()

    def changed(self) -> None:
        """An environment came free or ended."""
        with self._changed:
            self._changed.notify_all()

    def _wait_until(self, deadline: float) -> bool:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        self._changed.wait(min(remaining, POLL_SECONDS))
        return True

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
        for other, group in list(self._environments.items()):
            if other != version:
                found = self._reserve(group)
                if found is not None:
                    return found
        return None
