"""The scaling simulation agrees with queueing theory, with arithmetic and with what it claims to simulate."""

from __future__ import annotations

import json
import math
import random
import re
from bisect import bisect_right
from dataclasses import fields, replace
from pathlib import Path

import pytest
import simpy

from tests.benchmarks import simulate
from tests.benchmarks.simulation.limits import Bucket, Window, most_looks, retry_delay, slot_wait
from tests.benchmarks.simulation.parameters import Limit, Parameters
from tests.benchmarks.simulation.session import Simulation
from tests.benchmarks.simulation.study import PATIENCE_SECONDS, burst, ladder, measure, remedy, summarize

ROOT = Path(__file__).parents[2]
BARE = Parameters(
    max_sessions=3,
    fargate_vcpu=1_000,
    lambda_concurrency=1_000,
    github_per_minute=math.inf,
    github_per_hour=math.inf,
    boot_seconds=0,
    webhook_seconds=0.001,
    open_seconds=0,
    broker_seconds=0,
    report_seconds=0,
)
"""A deployment in which only slots limit, and only work takes time."""


def test_waiting_agrees_with_erlang_c() -> None:
    """With exponential work and three slots, the mean wait is that of the M/M/3 queue."""
    servers, mean, load = 3, 720.0, 0.7
    rng = random.Random(7)  # noqa: S311 - a repeatable sample, not a secret
    times = [0.0]
    while len(times) < 10_000:
        times.append(times[-1] + rng.expovariate(servers * load / mean))
    work = [rng.expovariate(1 / mean) for _ in times]
    sessions = Simulation(replace(BARE, installations=10_001)).arrivals(times, work)
    measured = sum(session.lost.get(Limit.SLOTS, 0) for session in sessions) / len(sessions)
    offered = servers * load
    waits = offered**servers / math.factorial(servers) / (1 - load)
    busy = waits / (waits + sum(offered**k / math.factorial(k) for k in range(servers)))
    assert measured == pytest.approx(busy * mean / (servers * (1 - load)), rel=0.1)


def test_littles_law_holds() -> None:
    """The number of sessions under way, sampled, is arrival rate times time in the system."""
    sessions = Simulation(replace(BARE, max_sessions=6)).poisson(20, 200)
    samples = range(10 * 3_600, 190 * 3_600, 300)
    arrivals, ends = (
        sorted(times) for times in zip(*((it.arrived, it.ended) for it in sessions), strict=True)
    )
    under_way = sum(bisect_right(arrivals, now) - bisect_right(ends, now) for now in samples) / len(samples)
    mean_time = sum(one.ended - one.arrived for one in sessions) / len(sessions)
    assert under_way == pytest.approx(20 / 3_600 * mean_time, rel=0.05)


def test_two_sessions_and_one_slot_by_hand() -> None:
    """The first of two sessions loses nothing and ends to the second; the other waits out its run."""
    parameters = Parameters(max_sessions=1)
    first, second = Simulation(parameters).arrivals([0.0, 1.0], [100.0, 100.0])
    assert first.ended == pytest.approx(0.3 + 5 + 45 + 1 + 100 + 4)
    assert (first.lost, first.transitions, first.requests) == ({}, 8, 4)
    waited = second.lost[Limit.SLOTS]
    assert first.ended <= 6.3 + waited <= first.ended + 30
    assert second.ended == pytest.approx(6.3 + waited + 45 + 1 + 100 + 4)
    looks, rest = divmod(second.transitions - 8 - 1, 3)
    assert (second.admissions, rest) == (2, 0)
    assert 10 * looks <= waited <= 30 * looks
    cost = first.usd(parameters)
    assert cost["Fargate"] == pytest.approx((2 * 0.03238 + 8 * 0.00356 + 0.005) * 146 / 3_600)
    assert cost["Step Functions"] == pytest.approx(0.0002)


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    """Five tokens are there at once, the next ones come at two a second."""
    bucket = Bucket(simpy.Environment(), 5, 2)
    assert [bucket.reserve() for _ in range(8)] == [0, 0, 0, 0, 0, 0.5, 1, 1.5]


def test_a_window_forgets_after_its_minute_and_its_hour() -> None:
    """Two a minute and three an hour: the third fits after a minute, the fourth after an hour."""
    env = simpy.Environment()
    window = Window(env, 2, 3)
    taken = []
    for now in (0, 1, 59, 60, 3_599, 3_600):
        env.run(until=now) if now else None
        taken.append(window.take())
    assert taken == [0, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("limit", "parameters"),
    [
        (Limit.SLOTS, replace(BARE, max_sessions=20, work_deviation=60)),
        (Limit.MODEL, replace(BARE, max_sessions=1_000, model_tokens_per_minute=500_000)),
        (Limit.GITHUB, replace(BARE, max_sessions=1_000, github_per_minute=80, github_per_hour=500)),
    ],
)
def test_a_flooded_deployment_finishes_what_arithmetic_allows(limit: Limit, parameters: Parameters) -> None:
    """With half as much load again as a limit allows, that limit is used up and takes the blame."""
    ceiling = parameters.ceilings()[limit]
    sessions = Simulation(parameters).poisson(1.5 * ceiling, 6)
    done = sum(one.failed_by is None and 2 <= one.ended / 3_600 < 6 for one in sessions)
    assert done / 4 == pytest.approx(ceiling, rel=0.15)
    assert summarize(parameters, 1.5 * ceiling, sessions).binding is limit


def test_more_slots_than_the_quota_runs_make_sessions_wait_for_the_quota() -> None:
    """Slots without vCPU behind them fail nobody: the wait moves from the slot to the vCPU quota."""
    few, _ = burst(Parameters(max_sessions=3), 12)
    many, _ = burst(Parameters(max_sessions=12), 12)
    assert (few.failed, many.failed) == (0, 0)
    assert few.binding is Limit.SLOTS
    assert many.binding is Limit.VCPU


def test_the_first_rung_raises_slots_and_quota_together() -> None:
    """The ladder's first remedy is more slots with as many vCPU behind them."""
    step = next(ladder(Parameters(), 1))
    assert step.carries.p99 <= PATIENCE_SECONDS < step.beyond.p99
    assert step.beyond.binding is Limit.SLOTS
    raised = remedy(step.beyond.binding, step.parameters)[1]
    assert raised.max_sessions * raised.task_vcpu == raised.fargate_vcpu


def test_the_same_seed_gives_the_same_history() -> None:
    """Numbers in the documentation can be had again."""
    first = measure(Parameters(), 10, seed=3)
    assert measure(Parameters(), 10, seed=3) == first
    assert measure(Parameters(), 10, seed=4) != first


def test_retries_are_those_of_the_state_machine() -> None:
    """The simulated waits for branches and slots have the state machine's intervals, jitter and ends."""
    machine = json.loads((ROOT / "statemachine" / "agent_session.asl.json").read_text())
    state, error = "OpenPullRequest", "BranchBusy"
    retrier = next(one for one in machine["States"][state]["Retry"] if error in one["ErrorEquals"])
    rng = random.Random(1)  # noqa: S311 - a repeatable sample, not a secret
    delays = [retry_delay(state, error, tries, rng) or 0 for tries in range(1, 1_001)]
    assert sum(delays) / len(delays) == pytest.approx(retrier["IntervalSeconds"] / 2, rel=0.05)
    assert retry_delay(state, error, retrier["MaxAttempts"] + 1, rng) is None
    with pytest.raises(LookupError):
        retry_delay(state, "NoSuchError", 1, rng)
    waits = {slot_wait(rng) for _ in range(1_000)}
    assert (min(waits), max(waits), most_looks()) == (10, 30, 1_050)


def test_the_deployment_simulated_is_the_template() -> None:
    """Slots and size of the task are the template's defaults."""
    template = (ROOT / "template.yaml").read_text()

    def default(parameter: str) -> float:
        found = re.search(rf"^  {parameter}:\n(?:    .*\n)*?    Default: (\d+)$", template, re.MULTILINE)
        assert found
        return float(found[1])

    simulated = Parameters.max_sessions, Parameters.task_vcpu, Parameters.task_gb
    megabytes = default("TaskCpu") / 1_024, default("TaskMemory") / 1_024
    assert simulated == (default("MaxConcurrentSessions"), *megabytes)


def test_the_page_names_every_number() -> None:
    """docs/scaling.md gives each number of the simulation with its value."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d.,]+|none) \|", simulate.PAGE.read_text(), re.MULTILINE)
    written = {name: math.inf if text == "none" else float(text.replace(",", "")) for name, text in rows}
    assert written == {field.name: field.default for field in fields(Parameters)}


def test_the_command_measures_a_load_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--sessions-per-hour … --json` prints loads, with null for endless."""
    assert simulate.main(["--sessions-per-hour", "1", "4", "--set", "max_sessions=1", "--json"]) == 0
    calm, flooded = json.loads(capsys.readouterr().out)
    assert calm["p50"] == 0
    assert flooded["p99"] is None
    assert flooded["binding"] in (Limit.VCPU, Limit.SLOTS)


def test_the_command_refuses_an_unknown_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name is an error, not a silent default."""
    with pytest.raises(SystemExit):
        simulate.main(["--set", "max_session=12"])
    assert "max_session" in capsys.readouterr().err
