"""The sweep: every five minutes it looks for whatever an event may have missed."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pullwright.errors import PullwrightError
from pullwright.executions import session_of_execution
from pullwright.log import logger
from pullwright.reconciling.deliveries import LostDeliveries
from pullwright.reconciling.due import Schedules
from pullwright.reconciling.executions import ExecutionEnd
from pullwright.reconciling.settle import OUTLIVES, Settler, is_fresh
from pullwright.record import DUE, SessionRecord
from pullwright.reporting.classify import NO_HEARTBEAT

# Five of the runner's beats.
SILENT_AFTER = timedelta(minutes=5)
# Kept free for what follows the sessions.
_RESERVED_SECONDS = 60.0
# One more call to GitHub, and what is logged and counted at the end.
_LAST_SECONDS = 30.0
_PAUSE_SECONDS = 2.0
# Sessions that ended without a record are looked for so far back: longer than the table is likely to fail.
_UNRECORDED_FOR = timedelta(hours=3)


@dataclass(slots=True)
class Swept:
    """What one sweep found and did.

    Attributes:
        silenced: tasks that were stopped because they gave no sign of life.
        reported: reports that were made, or given up, after GitHub had refused them.
        redelivered: lost webhooks that GitHub was asked to deliver again.
        refused: webhooks that our own function took for forged.
        scheduled: sessions that were started because they were due.
    """

    open_sessions: int = 0
    settled: list[str] = field(default_factory=list)
    silenced: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    redelivered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    scheduled: list[str] = field(default_factory=list)
    read_units: float = 0.0


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Looks at everything that is open, due or held.

    Attributes:
        sleep: waits so many seconds.
    """

    settler: Settler
    deliveries: LostDeliveries
    schedules: Schedules
    is_off: bool
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep

    def sweep(self) -> Swept:
        """Finish what ended executions left; leave alone what runs.

        Raises:
            AwsUnavailable: AWS did not answer; the next sweep tries again.
        """
        done = Swept()
        has_jira = bool(self.settler.services.settings.jira_base_url)
        self.settler.ledger.hold_slots(is_off=self.is_off)
        sessions = self.settler.ledger.open_sessions()
        done.open_sessions = len(sessions)
        running = self.settler.executions.running()
        dead: list[tuple[str, ExecutionEnd]] = []
        for record in sessions:
            session_id = record.session_id
            arn = self.settler.executions.arn_of(session_id)
            end = None if arn in running else self._end_of(arn, session_id, done)
            if end is not None:
                dead.append((session_id, end))
            elif arn in running and self._is_silent(record):
                self._silence(arn, record, done)
        for session_id in self.settler.ledger.due_reports(jira=has_jira):
            end = self._end_of(self.settler.executions.arn_of(session_id), session_id, done)
            if end is not None:
                dead.append((session_id, end))
        open_ids = {record.session_id for record in sessions}
        self._settle(dead, done, open_ids)
        unrecorded = self._unrecorded(open_ids, done)
        self._settle(unrecorded, done, {session_id for session_id, _ in unrecorded})
        self._free_slots(open_ids, done)
        self._free_locks(open_ids, done)
        self._recover(done)
        self._start_due(done)
        done.read_units = self.settler.ledger.consumed
        return done

    def _recover(self, done: Swept) -> None:
        try:
            found = self.deliveries.recover(
                self.settler.now, is_time=lambda: self.seconds_left() > _LAST_SECONDS
            )
        except PullwrightError as error:
            # GitHub keeps them for three days; the next sweep asks again.
            logger.warning("lost webhooks cannot be looked for", error=error.sentence)
            return
        done.redelivered, done.lost = list(found.asked), list(found.given_up)
        done.refused = list(found.refused)
        if done.refused:
            logger.error("the webhook's secret is not the one that GitHub signs with", guids=done.refused[:5])
        for guid in found.given_up:
            logger.error("a webhook is lost for good", guid=guid)

    def _start_due(self, done: Swept) -> None:
        try:
            done.scheduled = self.schedules.start_due(self.settler.now)
        except PullwrightError as error:
            # What is due now is still due at the next sweep.
            logger.warning("schedules cannot be looked at", error=error.sentence)

    def settle_one(self, execution_arn: str) -> Swept:
        """Finish the session of one execution, whose end an event reported."""
        done = Swept()
        end = self.settler.executions.end_of(execution_arn)
        if end is not None:
            session_id = session_of_execution(execution_arn)
            self._settle([(session_id, end)], done, {session_id})
        return done

    def _end_of(self, arn: str, session_id: str, done: Swept) -> ExecutionEnd | None:
        """Return how an execution ended; None if it runs, or AWS does not answer for it now."""
        try:
            return self.settler.executions.end_of(arn)
        except PullwrightError as error:
            logger.warning("an execution cannot be described", session=session_id, error=error.sentence)
            if session_id not in done.left:
                done.left.append(session_id)
            return None

    def _settle(self, dead: list[tuple[str, ExecutionEnd]], done: Swept, open_ids: set[str]) -> None:
        """Settle each in turn; those whose task is still ending are tried again while there is time."""
        waiting = deque(dead)
        failed = 0
        while waiting and self.seconds_left() > _RESERVED_SECONDS:
            session_id, end = waiting.popleft()
            try:
                report = self.settler.settle(session_id, end)
                if report is not None and session_id in open_ids:
                    done.settled.append(session_id)
                elif report == DUE:
                    done.left.append(session_id)
                elif report is not None:
                    done.reported.append(session_id)
                failed = 0
            except PullwrightError as error:
                logger.info("a session has to wait", session=session_id, error=error.sentence)
                waiting.append((session_id, end))
                failed += 1
                if failed >= len(waiting):
                    self.sleep(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - one broken record must not keep the others from their end
                logger.exception("a session cannot be settled", session=session_id)
                done.left.append(session_id)
        done.left.extend(session_id for session_id, _ in waiting)

    def _unrecorded(self, open_ids: set[str], done: Swept) -> list[tuple[str, ExecutionEnd]]:
        """Find executions that ended badly before their first state had written their record."""
        found = []
        try:
            for arn in self.settler.executions.ended_badly_since(self.settler.now - _UNRECORDED_FOR):
                session_id = session_of_execution(arn)
                if (
                    session_id in open_ids
                    or not self.settler.services.store.read_session(session_id).is_missing
                ):
                    continue
                if (end := self._end_of(arn, session_id, done)) is not None:
                    found.append((session_id, end))
        except PullwrightError as error:
            # The next sweep looks again.
            logger.warning("sessions without a record cannot be looked for", error=error.sentence)
        return found

    def _is_silent(self, record: SessionRecord) -> bool:
        """Return whether a task claimed the session and its heartbeat is missing, old or impossible."""
        if not record.is_claimed:
            return False
        beat, now = record.heartbeat_at, self.settler.now
        return beat is None or not now - SILENT_AFTER <= beat <= now + SILENT_AFTER

    def _silence(self, arn: str, record: SessionRecord, done: Swept) -> None:
        try:
            if self.settler.tasks.silence(arn, record.task_arn, NO_HEARTBEAT):
                logger.warning("a task gave no sign of life", session=record.session_id)
                done.silenced.append(record.session_id)
        except PullwrightError as error:
            logger.warning("a silent task cannot be stopped", error=error.sentence)

    def _free_slots(self, open_ids: set[str], done: Swept) -> None:
        """Free slots of sessions that are closed and whose execution has ended."""
        for session_id in sorted(self.settler.ledger.holders() - open_ids):
            end = self._end_of(self.settler.executions.arn_of(session_id), session_id, done)
            if end is None or is_fresh(end, self.settler.now):
                continue
            record = self.settler.services.store.read_session(session_id)
            if record.is_open:
                # Younger than the list of open sessions: the next sweep settles it.
                continue
            repository = record.repository or end.request.get("repository")
            if self.settler.ledger.free_slot(session_id, repository if isinstance(repository, str) else None):
                done.slots.append(session_id)

    def _free_locks(self, open_ids: set[str], done: Swept) -> None:
        for lock in self.settler.ledger.locks():
            if lock.session_id in open_ids or lock.taken_at > _before(self.settler.now):
                continue
            end = self._end_of(lock.owner, lock.session_id, done)
            if end is not None and not is_fresh(end, self.settler.now):
                self.settler.services.store.release_lock(lock.key, owner=lock.owner)
                done.locks.append(lock.key)


def _before(now: datetime) -> str:
    return (now - OUTLIVES).isoformat()
