"""Sessions on their way through a deployment, state by state, in simulated time."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import simpy

from pullwright.errors import GitHubRateLimited
from pullwright.github.allowance import MemoryAllowance
from pullwright.github.budget import Room
from pullwright.github.pace import Pace
from runner.tracking import interval, stretched
from tests.benchmarks.simulation import parameters as price
from tests.benchmarks.simulation.limits import Bucket, Window, most_looks, retry_delay, slot_wait
from tests.benchmarks.simulation.parameters import Limit, Parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pullwright.github.pace import Purpose

Refusal: TypeAlias = "Generator[simpy.Event, None, Limit | None]"
Steps: TypeAlias = "Generator[simpy.Event, None, None]"

_EPOCH = 1_800_000_000.0
# How long OpenPullRequest runs that refuses by itself, and what it counts.
_REFUSING_SECONDS, _OPENING_WRITES = 0.2, 2
SWEEP_SECONDS = 300
"""How often failed webhook deliveries are looked for."""
_ERRORS = {
    Limit.LAMBDA: "Lambda.TooManyRequestsException",
    Limit.GITHUB: "GitHubRateLimited",
    Limit.VCPU: "AmazonECS.Unknown",
}


@dataclass
class Session:
    """What became of one session; times in seconds, `lost` is what each limit cost it."""

    installation: int
    arrived: float
    work: float
    lost: dict[Limit, float] = field(default_factory=dict)
    failed_by: Limit | None = None
    report_late: bool = False
    ended: float = math.inf
    transitions: int = 0
    admissions: int = 0
    requests: int = 0
    function_seconds: float = 0
    task_seconds: float = 0
    writes_due: float = 0
    edits: int = 0
    working: bool = True

    def usd(self, parameters: Parameters) -> dict[str, float]:
        """Return what the session cost, by what is paid for."""
        hour = (
            parameters.task_vcpu * price.VCPU_HOUR + parameters.task_gb * price.GB_HOUR + price.ADDRESS_HOUR
        )
        # The record with its indexes, then transactions (billed twice, refused ones too), then heartbeats.
        units = 24 + 4 * self.admissions + 3 * self.task_seconds / 60
        gb_seconds = 0.5 * self.function_seconds
        return {
            "model": parameters.model_usd if self.task_seconds else 0.0,
            "Fargate": hour * self.task_seconds / 3_600,
            "Step Functions": self.transitions * price.TRANSITION,
            "Lambda": gb_seconds * price.LAMBDA_GB_SECOND + self.requests * price.LAMBDA_REQUEST,
            "DynamoDB": units * price.WRITE_UNIT,
        }


class Simulation:
    """One deployment under one load. The same seed gives the same history."""

    def __init__(self, parameters: Parameters, seed: int = 1) -> None:
        self.parameters, self.env = parameters, simpy.Environment()
        env = self.env
        self._waits: list[float] = []
        self._rng = random.Random(seed)  # noqa: S311 - a repeatable history, not a secret
        self._start = Bucket(env, parameters.start_burst, parameters.start_rate)
        self._transitions = Bucket(env, parameters.transition_burst, parameters.transition_rate)
        self._run_task = Bucket(env, parameters.run_task_burst, parameters.run_task_rate)
        tokens = parameters.model_tokens_per_minute
        self._tokens = None if math.isinf(tokens) else Bucket(env, tokens, tokens / 60)
        self._free = {
            Limit.LAMBDA: parameters.lambda_concurrency,
            Limit.SLOTS: parameters.max_sessions,
            Limit.VCPU: parameters.fargate_vcpu,
        }
        content = parameters.github_per_minute, parameters.github_per_hour
        self._github = [Window(env, *content) for _ in range(int(parameters.installations))]
        self._allowances = [MemoryAllowance() for _ in self._github]

    def poisson(self, per_hour: float, hours: float) -> list[Session]:
        """Run sessions that arrive independently for some hours, until the last one has ended."""
        times, now = [], 0.0
        while (now := now + self._rng.expovariate(per_hour / 3_600)) < hours * 3_600:
            times.append(now)
        return self.arrivals(times)

    def arrivals(self, times: Sequence[float], work: Sequence[float] = ()) -> list[Session]:
        """Run one session for each arrival until the last has ended; draws the work if none is given."""
        mean, limit = self.parameters.work_seconds, self.parameters.work_limit
        variance = math.log1p((self.parameters.work_deviation / mean) ** 2)
        draw = math.log(mean) - variance / 2, math.sqrt(variance)
        work = work or [min(limit, self._rng.lognormvariate(*draw)) for _ in times]
        installation = itertools.cycle(range(len(self._github)))
        sessions = [Session(next(installation), *pair) for pair in zip(times, work, strict=True)]
        self.env.process(self._deliver(sessions))
        self.env.run()
        return sessions

    def _deliver(self, sessions: list[Session]) -> Steps:
        for session in sessions:
            yield self.env.timeout(session.arrived - self.env.now)
            self.env.process(self._live(session))

    def _live(self, session: Session) -> Steps:
        parameters = self.parameters
        while (yield from self._call(session, parameters.webhook_seconds)):
            # GitHub never delivers again by itself; the sweep asks for one failed delivery after another.
            sweep = SWEEP_SECONDS - self.env.now % SWEEP_SECONDS + self._rng.uniform(0, 60)
            yield from self._lose(session, Limit.LAMBDA, sweep)
        yield from self._lose(session, Limit.START, self._start.reserve())
        yield from self._enter(session)  # RecordSession
        session.writes_due = parameters.open_writes
        opened = yield from self._task(session, "OpenPullRequest", lambda: self._open(session))
        admitted = opened and (yield from self._admit(session))
        if admitted and (yield from self._task(session, "RunAgent", lambda: self._launch(session))):
            yield from self._run(session)
        session.writes_due, failed_by = parameters.report_writes if opened else 1, session.failed_by
        told = yield from self._task(session, "ReportOutcome", lambda: self._report(session))
        session.report_late = session.report_late or not told
        if session.report_late:
            self.env.process(self._sweep(session))
        session.failed_by = failed_by  # a late report is no failed session
        for _ in ("CloseSession", "Outcome", "Succeeded"):
            yield from self._enter(session)
        self._free[Limit.SLOTS] += admitted
        session.ended = self.env.now

    def _task(
        self, session: Session, state: str, attempt: Callable[[], Refusal]
    ) -> Generator[simpy.Event, None, bool]:
        """Enter a state, and again as its retriers say while its call is refused; False when it gives up."""
        for tries in itertools.count(1):
            yield from self._enter(session)
            session.failed_by = yield from attempt()
            if session.failed_by is None:
                return True
            delay = retry_delay(state, _ERRORS[session.failed_by], tries, self._rng)
            if delay is None:
                break
            if delay == 0:
                yield from self._enter(session)  # CheckLaunch
            yield from self._lose(session, session.failed_by, delay)
        return False

    def _enter(self, session: Session) -> Steps:
        session.transitions += 1
        yield from self._lose(session, Limit.TRANSITIONS, self._transitions.reserve())

    def _lose(self, session: Session, limit: Limit, seconds: float) -> Steps:
        if seconds > 0:
            session.lost[limit] = session.lost.get(limit, 0) + seconds
            yield self.env.timeout(seconds)

    def _take(self, limit: Limit, amount: float = 1) -> Limit | None:
        if self._free[limit] < amount:
            return limit
        self._free[limit] -= amount
        return None

    def _pace(self, session: Session, purpose: Purpose = Room.ENDING) -> Pace:
        """Return what a function or a task of a session goes by, as in the product."""
        return Pace(
            self._allowances[session.installation],
            purpose=purpose,
            clock=lambda: self.env.now + _EPOCH,
            sleep=self._waits.append,
        )

    def _open(self, session: Session) -> Refusal:
        """OpenPullRequest: it begins only if there is room for what it writes."""
        pace = self._pace(session)
        try:
            pace.check_opening(_OPENING_WRITES)
            pace.reserve(_OPENING_WRITES)
        except GitHubRateLimited:
            yield self.env.timeout(_REFUSING_SECONDS)
            return Limit.GITHUB
        return (yield from self._call(session, self.parameters.open_seconds, pace))

    def _report(self, session: Session) -> Refusal:
        """ReportOutcome: a report that GitHub refuses stays due, and ends the state all the same."""
        pace = self._pace(session)
        pace.wait()
        pace.spend()
        while self._waits:
            yield self.env.timeout(self._waits.pop())
        refused = yield from self._call(session, self.parameters.report_seconds, pace)
        session.report_late = refused is Limit.GITHUB
        return None if session.report_late else refused

    def _sweep(self, session: Session) -> Steps:
        """Make a report that is due, as soon as GitHub takes it."""
        while session.writes_due > 0:
            yield self.env.timeout(SWEEP_SECONDS - self.env.now % SWEEP_SECONDS + self._rng.uniform(0, 60))
            self._write(session, self._pace(session))

    def _write(self, session: Session, pace: Pace) -> bool:
        """Make those GitHub writes that are still due; False if GitHub refuses one."""
        while session.writes_due > 0:
            if pace.wait():
                return False
            if wait := self._github[session.installation].take():
                pace.limited(GitHubRateLimited("", retry_after=wait))
                return False
            session.writes_due -= 1
        return True

    def _call(self, session: Session, seconds: float, pace: Pace | None = None) -> Refusal:
        """Yield a Lambda function, which makes those GitHub writes that are still due."""
        if refused := self._take(Limit.LAMBDA):
            return refused
        session.requests += 1
        session.function_seconds += seconds
        yield self.env.timeout(seconds)
        self._free[Limit.LAMBDA] += 1
        return None if pace is None or self._write(session, pace) else Limit.GITHUB

    def _admit(self, session: Session) -> Generator[simpy.Event, None, bool]:
        """AdmitSession, and the wait for a slot, in which only a look that finds room is followed."""
        for look in range(most_looks() + 1):
            if look:
                yield from self._lose(session, Limit.SLOTS, slot_wait(self._rng))
                for _ in ("WaitForSlot", "LookForSlot", "CheckSlots"):
                    yield from self._enter(session)
            if look == 0 or self._free[Limit.SLOTS] >= 1:
                yield from self._enter(session)
                session.admissions += 1
                session.failed_by = self._take(Limit.SLOTS)
                if session.failed_by is None:
                    return True
        return False

    def _launch(self, session: Session) -> Refusal:
        yield from self._lose(session, Limit.RUN_TASK, self._run_task.reserve())
        return self._take(Limit.VCPU, self.parameters.task_vcpu)

    def _run(self, session: Session) -> Steps:
        started = self.env.now
        yield self.env.timeout(self.parameters.boot_seconds)
        while (yield from self._call(session, self.parameters.broker_seconds)):
            yield from self._lose(session, Limit.LAMBDA, 1)
        self.env.process(self._show(session))
        yield self.env.timeout(session.work)
        if self._tokens:
            # All at once: spread over the work, a flood would let nobody finish.
            yield from self._lose(session, Limit.MODEL, self._tokens.reserve(self.parameters.session_tokens))
        session.working = False
        self._free[Limit.VCPU] += self.parameters.task_vcpu
        session.task_seconds = self.env.now - started

    def _show(self, session: Session) -> Steps:
        """Yield the runner's tracker: the comment is edited on change, and there is always one."""
        began, pace = self.env.now, self._pace(session, Room.PROGRESS)
        while session.working:
            pause = interval(self.env.now - began)
            try:
                pace.begin(is_content=True)
                wait = self._github[session.installation].take() if self.parameters.edits_count else 0
                if wait:
                    raise pace.limited(GitHubRateLimited("", retry_after=wait))
                session.edits += 1
            except GitHubRateLimited as error:
                pause = max(pause, error.retry_after)
            yield self.env.timeout(stretched(pause, pace.stretch(), self._rng))
