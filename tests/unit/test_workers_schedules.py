"""Workers by schedule: once for each time that they are due, once after a downtime, never for the past."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.models import SessionRequest
from pullwright.workers.bundle import Bundle, bundle
from pullwright.workers.collection import FOLDER, read_workers
from pullwright.workers.head import Head
from pullwright.workers.schedules import Schedule, schedules_of
from pullwright.workers.store import WorkerStore
from tests.unit.reconcile_kit import TABLE, SweptDeployment, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGIN = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
CHORE = b"on: {schedule: 0 3 * * 1-5, timezone: Europe/Berlin}\ninstructions: Look after it."


def chore(cron: str = "0 3 * * 1-5", zone: str = "Europe/Berlin", since: datetime = BEGIN) -> Schedule:
    """Return a schedule."""
    return Schedule(worker="chore", cron=cron, timezone=zone, since=since.isoformat())


def test_it_is_due_at_its_own_clock() -> None:
    """Three in the morning in Berlin, whatever the zone of who asks, and the day of its clock change too."""
    due = chore().due(datetime(2026, 11, 3, 2, 0, tzinfo=UTC))
    assert due == datetime(2026, 11, 3, 3, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert chore().due(datetime(2026, 11, 3, 1, 59, tzinfo=UTC)) is None
    summer = chore("30 2 * * *", since=datetime(2026, 3, 28, 12, tzinfo=UTC))
    # The clock goes from 2:00 to 3:00: what would fall between runs at once after it, as Debian's cron does.
    assert summer.due(datetime(2026, 3, 29, 1, 1, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "cron", "now", "expected"),
    [
        # The clock is put back from 3:00: what names its hour runs the first time, all else both times.
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T02:10+01:00", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T02:40+01:00", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "30 * * * *", "2026-10-25T02:40+01:00", "2026-10-25T02:30+01:00"),
        ("Europe/Berlin", "*/20 2 * * *", "2026-10-25T02:25+01:00", "2026-10-25T02:20+01:00"),
        # It is put forward: what would fall between runs at once.
        ("Europe/Berlin", "30 2 * * *", "2026-03-29T03:00+02:00", "2026-03-29T03:00+02:00"),
        ("Europe/Berlin", "0 1,2 * * *", "2026-03-29T01:59+01:00", "2026-03-29T01:00+01:00"),
        ("America/New_York", "15 2 8 3 *", "2026-03-08T09:00-04:00", "2026-03-08T03:00-04:00"),
        ("America/New_York", "15 1 * * *", "2026-11-01T09:00-05:00", "2026-11-01T01:15-04:00"),
        # Half an hour, which makes an hour of 30 minutes and one of 90.
        ("Australia/Lord_Howe", "*/15 1 * * *", "2026-10-04T05:00+11:00", "2026-10-04T01:45+10:30"),
        ("Australia/Lord_Howe", "35 */6 * * *", "2026-04-05T04:59+10:30", "2026-04-05T00:35+11:00"),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-04T02:30+11:00", "2026-10-04T02:30+11:00"),
    ],
)
def test_a_change_of_the_clock_neither_loses_nor_repeats(
    zone: str, cron: str, now: str, expected: str
) -> None:
    """Debian's manual cron(8), under NOTES, says what becomes of jobs when the clock changes."""
    due = chore(cron, zone, since=datetime(2026, 1, 1, tzinfo=UTC)).due(datetime.fromisoformat(now))
    assert due == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("13 * *", 13),
        ("* * 5", 20),
        ("24 * 5", 24),
        ("13 * 5", 20),
        ("*/2 * 5", 13),
        ("24 * */2", 24),
        ("* * 7", 22),
        ("* * 0", 22),
        ("* * SUN", 22),
    ],
)
def test_either_day_fits_where_both_are_named(days: str, expected: int) -> None:
    """Of a day of the month and a weekday either fits, and both have to where one begins with a star.

    The first is POSIX's rule for crontab, which GitHub's workflows go by; the second is Debian's crontab(5).
    """
    schedule = chore(f"0 0 {days}", "UTC", since=datetime(2026, 11, 10, tzinfo=UTC))
    days_looked_at = (datetime(2026, 11, day, 1, tzinfo=UTC) for day in range(24, 10, -1))
    found = next(due for day in days_looked_at if (due := schedule.due(day)) is not None)
    assert found == datetime(2026, 11, expected, tzinfo=UTC)


CHANGES = (
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
)


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("minute", ["0", "15,44", "*/15", "50-59", "*"])
def test_what_was_due_never_lies_further_back_later(zone: str, change: datetime, minute: str) -> None:
    """Around a change of the clock too: what a later sweep finds due is not what was missed before."""
    for hour in ("*", "*/6", "1", "2", "0-2", "1,3"):
        schedule = chore(f"{minute} {hour} * * *", zone, since=change - timedelta(days=2))
        found = [schedule.due(change + timedelta(minutes=moment)) for moment in range(-150, 240, 5)]
        moments = [due.timestamp() for due in found if due is not None]
        assert len(moments) == len(found)
        assert moments == sorted(moments)


def test_the_past_is_not_made_up_for() -> None:
    """What was due before the schedule was stored, or a week ago, is not started."""
    assert chore(since=datetime(2026, 11, 3, 2, 0, 1, tzinfo=UTC)).due(BEGIN + timedelta(days=1)) is None
    yearly = chore("0 0 1 1 *", since=datetime(2025, 1, 1, tzinfo=UTC))
    assert yearly.due(datetime(2026, 1, 9, tzinfo=UTC)) is None
    assert yearly.due(datetime(2026, 1, 7, tzinfo=UTC)) is not None


@given(
    minute=st.integers(0, 59),
    hours=st.sampled_from(["*", "*/3", "5", "1-4"]),
    gaps=st.lists(st.integers(1, 5), min_size=30, max_size=60),
    downtime=st.integers(0, 600),
    second=st.integers(0, 59),
)
def test_sweeps_meet_each_time_once(
    *, minute: int, hours: str, gaps: list[int], downtime: int, second: int
) -> None:
    """With sweeps at most five minutes apart every time is met; after a downtime the last one is."""
    schedule = chore(f"{minute} {hours} * * *", "UTC")
    now, met = BEGIN, []
    for index, gap in enumerate(gaps):
        now += timedelta(minutes=gap + (downtime if index == len(gaps) // 2 else 0))
        if (due := schedule.due(now + timedelta(seconds=second))) is not None and due not in met:
            met.append(due)
    at, expected = BEGIN, []
    moments = [BEGIN]
    for index, gap in enumerate(gaps):
        at += timedelta(minutes=gap + (downtime if index == len(gaps) // 2 else 0))
        moments.append(at)
    allowed = {"*": range(24), "*/3": range(0, 24, 3), "5": [5], "1-4": range(1, 5)}[hours]
    for before, after in pairwise(moments):
        minutes = [before + timedelta(minutes=step) for step in range(int((after - before).seconds / 60) + 1)]
        due_here = [one for one in minutes if one.minute == minute and one.hour in allowed]
        expected += [one for one in due_here[-1:] if one not in expected]
    assert met == expected


def test_a_schedule_keeps_its_beginning() -> None:
    """Storing the set again changes nothing; a changed schedule begins anew; one that is off has none."""
    files = {f"{FOLDER}/chore.yaml": CHORE}
    workers = read_workers(files, lambda _: None).workers
    [first] = schedules_of(workers, (), BEGIN)
    assert schedules_of(workers, (first,), BEGIN + timedelta(days=1)) == (first,)
    moved = (first.model_copy(update={"cron": "1 3 * * *"}),)
    assert schedules_of(workers, moved, BEGIN + timedelta(days=1))[0].since > first.since
    off = tuple(worker.model_copy(update={"enabled": False}) for worker in workers)
    assert schedules_of(off, (first,), BEGIN) == ()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[SweptDeployment]:
    """Provide a deployment whose repository has a chore by schedule, stored a day ago."""
    with table() as client:
        made = SweptDeployment(tmp_path, client)
        put(made, "* * * * *")
        yield made


def put(deployment: SweptDeployment, cron: str) -> None:
    """Store the repository's workers."""
    content = f"on: {{schedule: '{cron}'}}\ninstructions: Look after it.".encode()
    made = bundle(read_workers({f"{FOLDER}/chore.yaml": content}, lambda _: None).workers)
    assert isinstance(made, Bundle)
    store = WorkerStore(deployment.client, TABLE)
    store.replace(store.writable_head("Octo/App"), Head(repository="Octo/App", installation_id=7), made)


def test_the_sweep_starts_what_is_due(deployment: SweptDeployment) -> None:
    """A session of its own, named by worker, time and repository; the next sweeps start it no more."""
    swept = deployment.sweep(minutes=2)
    [name] = deployment.starter.started
    assert swept.scheduled == [name]
    minutes = int((deployment.start + timedelta(minutes=2)).timestamp()) // 60
    assert name.startswith(f"chore-{minutes}-")
    request = SessionRequest.model_validate(json.loads(deployment.starter.started[name]))
    assert (request.repository, request.worker, request.delivery_id) == ("Octo/App", "chore", None)
    assert deployment.sweep(minutes=2).scheduled == []
    deployment.sessions.update_session(name, {"session_id": name, "status": "SUCCEEDED"})
    deployment.starter.started.clear()
    assert deployment.sweep(minutes=2).scheduled == []
    assert len(deployment.sweep(minutes=3).scheduled) == 1


def test_what_step_functions_refuses_is_due_again(deployment: SweptDeployment) -> None:
    """A throttled start is made by the next sweep, and holds up nothing else."""
    deployment.starter.errors = ["ThrottlingException"]
    assert deployment.sweep(minutes=2).scheduled == []
    assert len(deployment.sweep(minutes=2).scheduled) == 1


def test_without_schedules_nothing_is_listed(deployment: SweptDeployment) -> None:
    """A set without schedules takes the repository off the list, and its head stays found by installation."""
    store = WorkerStore(deployment.client, TABLE)
    assert [head.repository for head in store.scheduled()] == ["Octo/App"]
    assert store.repositories_of(7) == ["Octo/App"]
    made = bundle(read_workers({f"{FOLDER}/implement.yaml": b""}, lambda _: None).workers)
    assert isinstance(made, Bundle)
    store.replace(store.writable_head("Octo/App"), Head(repository="Octo/App", installation_id=7), made)
    assert store.scheduled() == []
    assert store.repositories_of(7) == ["Octo/App"]
