"""When workers with a schedule are due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from pullwright.models import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pullwright.workers.definition import WorkerDefinition

_UTC = "UTC"
# What was missed for longer is not made up for.
_LONGEST_AGO = timedelta(days=7)


class Schedule(Stored):
    """One schedule of one worker, as a repository's head keeps it.

    Attributes:
        cron: five fields.
        since: when it was first stored, ISO 8601: what was due before was not asked for.
    """

    worker: str
    cron: str
    timezone: str
    since: str

    def due(self, now: datetime) -> datetime | None:
        """Return when it was last due, in whole minutes; None if it was not, or too long ago.

        After a downtime it is due once, whatever was missed: chores do not pile up.
        """
        zone = ZoneInfo(self.timezone)
        # It gives what lies before a moment, and the minute that has begun counts.
        next_minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = next(CronSim(self.cron, next_minute.astimezone(zone), reverse=True), None)
        earliest = max(datetime.fromisoformat(self.since), now - _LONGEST_AGO)
        return last if last is not None and earliest <= last <= now else None


def schedules_of(
    workers: Iterable[WorkerDefinition], known: Iterable[Schedule], now: datetime
) -> tuple[Schedule, ...]:
    """Return the schedules of workers that are switched on; what was known already keeps its beginning."""
    since = {(one.worker, one.cron, one.timezone): one.since for one in known}
    found = {
        (worker.id, on.schedule, on.timezone or _UTC): None
        for worker in workers
        if worker.enabled
        for on in worker.on
        if on.schedule is not None
    }
    return tuple(
        Schedule(
            worker=worker, cron=cron, timezone=zone, since=since.get((worker, cron, zone), now.isoformat())
        )
        for worker, cron, zone in found
    )
