"""The questions: how it goes at one load, what a deployment carries, and what to raise next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.benchmarks.simulation.parameters import Limit, Parameters
from tests.benchmarks.simulation.session import Session, Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY_HOURS, WARM_UP_HOURS, ENOUGH_SESSIONS = 8, 1, 2_000
PATIENCE_SECONDS = 900
"""A load is carried when 99 of 100 sessions end well and lose less than this to limits."""


@dataclass(frozen=True)
class Load:
    """How it goes at one load. Times are seconds lost to limits (endless if they fail the session)."""

    per_hour: float
    p50: float
    p99: float
    failed: float
    late: float
    binding: Limit | None
    usd: dict[str, float]


@dataclass(frozen=True)
class Step:
    """One rung: a deployment, what it carries, and how it goes just beyond that."""

    change: str
    parameters: Parameters
    carries: Load
    beyond: Load


def summarize(parameters: Parameters, per_hour: float, sessions: list[Session]) -> Load:
    """Condenses a history; money is US dollars a session."""
    number = len(sessions)
    lost, failures = dict.fromkeys(Limit, 0.0), dict.fromkeys(Limit, 0.0)
    for session in sessions:
        for limit, seconds in session.lost.items():
            lost[limit] += seconds
        if session.failed_by:
            failures[session.failed_by] += 1
    waits = sorted(math.inf if one.failed_by else sum(one.lost.values()) for one in sessions)
    p99 = waits[math.ceil(number * 0.99) - 1]
    causes = failures if math.isinf(p99) else lost
    costs = [session.usd(parameters) for session in sessions]
    return Load(
        per_hour=per_hour,
        p50=waits[math.ceil(number / 2) - 1],
        p99=p99,
        failed=sum(failures.values()) / number,
        late=sum(session.report_late for session in sessions) / number,
        binding=max(causes, key=causes.__getitem__) if any(causes.values()) else None,
        usd={name: sum(cost[name] for cost in costs) / number for name in costs[0]},
    )


def measure(parameters: Parameters, per_hour: float, seed: int = 1) -> Load:
    """Run one load for a working day, or longer if few sessions come, after an hour to warm up."""
    hours = WARM_UP_HOURS + max(DAY_HOURS, ENOUGH_SESSIONS / per_hour)
    history = Simulation(parameters, seed).poisson(per_hour, hours)
    return summarize(parameters, per_hour, [one for one in history if one.arrived >= WARM_UP_HOURS * 3_600])


def burst(parameters: Parameters, number: int, seed: int = 1) -> tuple[Load, float]:
    """Sessions that all arrive at once: how it goes, and the hours until the last has ended."""
    history = Simulation(parameters, seed).arrivals([0.0] * number)
    return summarize(parameters, 0, history), max(session.ended for session in history) / 3_600


def capacity(parameters: Parameters, seed: int = 1) -> tuple[Load, Load]:
    """Return the highest load that is carried and the lowest that is not, by bisection below the ceiling."""
    ceiling = min(parameters.ceilings().values())
    low, high = measure(parameters, ceiling / 50, seed), measure(parameters, ceiling, seed)
    while high.per_hour - low.per_hour > ceiling / 30:
        middle = measure(parameters, (low.per_hour + high.per_hour) / 2, seed)
        low, high = (middle, high) if middle.p99 <= PATIENCE_SECONDS else (low, middle)
    return low, high


def remedy(limit: Limit | None, parameters: Parameters) -> tuple[str, Parameters]:
    """Return what an operator does about a limit: first what is free, then what must be asked for.

    Raises:
        LookupError: the simulation knows nothing that helps.
    """
    if limit is Limit.VCPU:
        tasks = parameters.fargate_vcpu // parameters.task_vcpu
        return f"`MaxConcurrentSessions` {tasks:g}: no more than the quota runs", replace(
            parameters, max_sessions=tasks
        )
    if limit is Limit.SLOTS:
        slots = 4 * parameters.max_sessions
        change = f"Fargate quota {slots * parameters.task_vcpu:g} vCPU, `MaxConcurrentSessions` {slots:g}"
        return change, replace(parameters, max_sessions=slots, fargate_vcpu=slots * parameters.task_vcpu)
    if limit is Limit.GITHUB:
        number = 4 * parameters.installations
        return f"the work is spread over {number:g} installations", replace(parameters, installations=number)
    if limit is Limit.LAMBDA:
        return "Lambda concurrency 1,000", replace(parameters, lambda_concurrency=1_000)
    raise LookupError(limit)


def ladder(parameters: Parameters, target: float, seed: int = 1) -> Iterator[Step]:
    """Raise what binds, again and again, until so many sessions an hour are carried or nothing helps."""
    change = "as deployed into a new account"
    while True:
        step = Step(change, parameters, *capacity(parameters, seed))
        yield step
        if step.carries.per_hour >= target:
            return
        try:
            change, parameters = remedy(step.beyond.binding, parameters)
        except LookupError:
            return
