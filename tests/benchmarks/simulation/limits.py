"""The forms that a limit takes: a token bucket, a sliding window, a retrier of the state machine."""

from __future__ import annotations

import json
import re
from collections import deque
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from typing import Any

    import simpy

DEFINITION = Path(__file__).parents[3] / "statemachine" / "agent_session.asl.json"


class Bucket:
    """A token bucket that starts full."""

    def __init__(self, env: simpy.Environment, size: float, per_second: float) -> None:
        self._env, self._size, self._rate = env, size, per_second
        self._tokens, self._filled_at = size, env.now

    def reserve(self, amount: float = 1) -> float:
        """Take tokens that may not be there yet; returns the seconds until they are."""
        gained = (self._env.now - self._filled_at) * self._rate
        self._tokens, self._filled_at = min(self._size, self._tokens + gained) - amount, self._env.now
        return max(0.0, -self._tokens / self._rate)

    def take(self, amount: float) -> bool:
        """Take tokens that are there; False, and none taken, if they are not."""
        gained = (self._env.now - self._filled_at) * self._rate
        self._tokens, self._filled_at = min(self._size, self._tokens + gained), self._env.now
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True


class Window:
    """So many in any minute and so many in any hour."""

    def __init__(self, env: simpy.Environment, per_minute: float, per_hour: float) -> None:
        self._env = env
        self._spans = ((60.0, per_minute, deque[float]()), (3_600.0, per_hour, deque[float]()))

    def take(self) -> float:
        """Count one and return 0, or the seconds until there is room; a refused one is not counted."""
        wait = 0.0
        for seconds, most, times in self._spans:
            while times and times[0] <= self._env.now - seconds:
                times.popleft()
            if len(times) >= most:
                wait = max(wait, times[0] + seconds - self._env.now)
        if not wait:
            for _, _, times in self._spans:
                times.append(self._env.now)
        return wait


@cache
def _states() -> dict[str, Any]:
    states: dict[str, Any] = json.loads(DEFINITION.read_text())["States"]
    return states


def slot_wait(rng: random.Random) -> float:
    """Seconds that a session waits before it looks for a slot, as the state machine says."""
    least, modulus = map(int, re.findall(r"[0-9]+", _states()["WaitForSlot"]["Seconds"]))
    return least + rng.randrange(modulus)


def most_looks() -> int:
    """Return how often a session looks for a slot before it gives up."""
    conditions = (one["Condition"] for one in _states()["CheckSlots"]["Choices"])
    (given_up,) = (one for one in conditions if "$looks" in one)
    return int(re.findall(r"[0-9]+", given_up)[0])


@cache
def _retrier(state: str, error: str) -> dict[str, Any]:
    for retrier in _states()[state]["Retry"]:
        if error in retrier["ErrorEquals"]:
            return dict(retrier)
    raise LookupError(f"{state} has no retrier for {error}")


@cache
def _further_rounds(state: str) -> int:
    """Return how often CheckLaunch leads back to a state that found no room and has used up its retries."""
    if state != "RunAgent":
        return 0
    conditions = [choice["Condition"] for choice in _states()["CheckLaunch"]["Choices"]]
    (no_room,) = (condition for condition in conditions if "RESOURCE:" in condition)
    (most,) = re.findall(r"\$waits < (\d+)", no_room)
    return int(most)


def retry_delay(state: str, error: str, tries: int, rng: random.Random) -> float | None:
    """Seconds that a state waits after so many refused tries, as the state machine says; None: it gives up.

    Where another round of retries begins, by way of CheckLaunch, there is no wait.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html

    Raises:
        LookupError: the state machine has no such retrier (any more): the simulation does not fit it.
    """
    retrier = _retrier(state, error)
    rounds, earlier = divmod(tries - 1, retrier["MaxAttempts"] + 1)
    if earlier == retrier["MaxAttempts"] or rounds > _further_rounds(state):
        return 0.0 if rounds < _further_rounds(state) else None
    delay = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** earlier
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    return rng.uniform(0, delay) if retrier["JitterStrategy"] == "FULL" else delay
