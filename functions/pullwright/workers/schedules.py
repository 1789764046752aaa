"""When workers with a schedule are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim

from pullwright.fields import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pullwright.workers.definition import WorkerDefinition

_UTC = "UTC"
_MINUTE = timedelta(minutes=1)
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
        zone, now = ZoneInfo(self.timezone), now.astimezone(UTC)
        earliest = max(datetime.fromisoformat(self.since), now - _LONGEST_AGO)
        offsets = {_offset(zone, now), _offset(zone, earliest)}
        if not any(field.startswith("*") for field in self.cron.split()[:2]):
            return next(self._at_fixed_times(zone, max(offsets), earliest, now), None)
        found = (next(self._by(zone, offset, earliest, now), None) for offset in offsets)
        return max((moment for moment in found if moment is not None), default=None)

    def _at_fixed_times(
        self, zone: ZoneInfo, offset: timedelta, earliest: datetime, now: datetime
    ) -> Iterator[datetime]:
        """Yield when a job was due that names minutes and hours, the last first.

        Where the clock is put back it runs the first time only; where it is put forward, what falls between
        runs at once: https://manpages.debian.org/bookworm/cron/cron.8.en.html#NOTES
        """
        for shown in self._backwards(now + offset):
            local = shown.replace(tzinfo=zone)
            while local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
                local += _MINUTE
            if (moment := local.astimezone(UTC)) < earliest:
                return
            if moment <= now:
                yield moment

    def _by(self, zone: ZoneInfo, offset: timedelta, earliest: datetime, now: datetime) -> Iterator[datetime]:
        """Yield when any other job was due while the clock had an offset from UTC, the last first."""
        for shown in self._backwards(now + offset):
            moment = (shown - offset).replace(tzinfo=UTC)
            if moment < earliest:
                return
            if _offset(zone, moment) == offset:
                yield moment

    def _backwards(self, clock: datetime) -> Iterator[datetime]:
        """Yield the times that fit, without a zone, from what a clock shows backwards.

        With a zone CronSim misses some of those before a change of the clock.
        """
        # It gives what lies before a moment, and the minute that has begun counts.
        return CronSim(self.cron, clock.replace(second=0, microsecond=0, tzinfo=None) + _MINUTE, reverse=True)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


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
