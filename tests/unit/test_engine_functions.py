"""The engine's Lambda: pool, log lines and the Runtime API's bookkeeping."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from pullwright_engine.functions.pool import NoEnvironmentError, Pool
from pullwright_engine.functions.report import Report, structured, text

if TYPE_CHECKING:
    from collections.abc import Callable


class BusyError(Exception):
    """The environment is taken."""


class Environment:
    """Something that can be reserved."""

    def __init__(self) -> None:
        self.busy = False
        self.idle_seconds = 0.0

    def reserve(self) -> None:
        """Take it."""
        if self.busy:
            raise BusyError
        self.busy = True


class Harness:
    """A pool with what LocalStack would own."""

    def __init__(self, limit: int, seconds: float = 0.0) -> None:
        self.environments: dict[str, dict[str, Environment]] = {}
        self.retired: list[Environment] = []
        self.pool = Pool(
            self.environments,
            limit=limit,
            seconds=seconds,
            busy=BusyError,
            idle_seconds=lambda environment: environment.idle_seconds,
        )

    def acquire(self, version: str) -> Environment:
        """Return an environment for an invocation."""
        return self.pool.acquire(version, self._start(version), self._retire)

    def _start(self, version: str) -> Callable[[], Environment]:
        def start() -> Environment:
            made = Environment()
            made.reserve()
            self.environments.setdefault(version, {})[str(id(made))] = made
            return made

        return start

    def _retire(self, environment: Environment) -> None:
        self.retired.append(environment)
        for group in self.environments.values():
            group.pop(str(id(environment)), None)


def test_an_idle_environment_is_used_before_a_new_one_is_made() -> None:
    """Warm beats cold."""
    harness = Harness(limit=2)
    first = harness.acquire("a")
    first.busy = False
    assert harness.acquire("a") is first


def test_there_are_never_more_than_the_limit() -> None:
    """At the limit an invocation is refused once it has waited for as long as it may."""
    harness = Harness(limit=2)
    harness.acquire("a")
    harness.acquire("a")
    with pytest.raises(NoEnvironmentError):
        harness.acquire("a")


def test_an_idle_environment_of_another_function_makes_room() -> None:
    """A function that nobody calls does not keep others from running."""
    harness = Harness(limit=1)
    idle = harness.acquire("a")
    idle.busy = False
    assert harness.acquire("b") is not idle
    assert harness.retired == [idle]


def test_a_busy_environment_is_waited_for() -> None:
    """The one that comes free is given to the invocation that waits."""
    harness = Harness(limit=1, seconds=30)
    first = harness.acquire("a")

    def release() -> None:
        first.busy = False
        harness.pool.changed()

    threading.Timer(0.01, release).start()
    assert harness.acquire("a") is first


def test_another_functions_warm_environment_is_left_alone_while_it_has_work() -> None:
    """With one of its own an invocation waits for that: a cold start costs more."""
    harness = Harness(limit=2, seconds=30)
    first, warm = harness.acquire("a"), harness.acquire("b")
    warm.busy = False

    def release() -> None:
        first.busy = False
        harness.pool.changed()

    threading.Timer(0.01, release).start()
    assert harness.acquire("a") is first
    assert harness.retired == []


def test_the_environment_that_has_been_idle_for_longest_makes_room() -> None:
    """A function with work for two takes the place of one that has had none for a while."""
    harness = Harness(limit=3)
    harness.acquire("a")
    warm, idle = harness.acquire("b"), harness.acquire("b")
    warm.busy = idle.busy = False
    warm.idle_seconds, idle.idle_seconds = 3.0, 60.0
    harness.acquire("a")
    assert harness.retired == [idle]


def test_a_start_that_fails_gives_its_place_back() -> None:
    """An environment that never came to be does not count."""
    harness = Harness(limit=1)

    def fail() -> Environment:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        harness.pool.acquire("a", fail, harness.retired.append)
    assert harness.acquire("a").busy


REPORT = Report(
    request_id="r-1",
    version="$LATEST",
    runtime="python3.13",
    memory_mb=512,
    used_mb=70,
    duration_ms=12.3456,
    init_ms=210.0,
)


def test_the_text_log_has_the_lines_that_people_know() -> None:
    """INIT_START, START, the output, END and REPORT, in this order."""
    lines = text(REPORT, "imported\n", "worked").splitlines()
    assert lines[0].startswith("INIT_START Runtime Version: python:3.13")
    assert lines[1:5] == ["imported", "START RequestId: r-1 Version: $LATEST", "worked", "END RequestId: r-1"]
    assert lines[5] == (
        "REPORT RequestId: r-1\tDuration: 12.35 ms\tBilled Duration: 13 ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 70 MB\tInit Duration: 210.00 ms"
    )


def test_the_json_log_has_platform_events() -> None:
    """Each line of the platform is an event with a type."""
    events = [json.loads(line) for line in structured(REPORT, "", "").splitlines()]
    assert [event["type"] for event in events] == ["platform.initStart", "platform.start", "platform.report"]
    assert events[2]["record"]["metrics"]["billedDurationMs"] == 13
