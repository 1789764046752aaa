"""Finishes one session whose execution has ended: task, report, record, lock and slot."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pullwright.errors import LabelRemoved, SessionStopped
from pullwright.log import logger
from pullwright.metrics import SessionFigures, session_ended
from pullwright.models import Failure, OpenedPullRequest, Outcome
from pullwright.reconciling.executions import ExecutionEnd, Executions
from pullwright.reconciling.ledger import Ledger
from pullwright.record import DUE, DUE_FOR, GIVEN_UP, MADE, SessionRecord
from pullwright.reporting.classify import EXECUTION_TIMED_OUT, UNRECORDED
from pullwright.reporting.ending import Ending
from pullwright.reporting.event import ReportOutcomeEvent, StateError, TaskEnd
from pullwright.reporting.place import opened_before
from pullwright.reporting.report_outcome import RESERVED_SECONDS, report_outcome
from pullwright.reporting.result import read_findings, read_result
from pullwright.reporting.tasks import Tasks
from pullwright.results import Verdict
from pullwright.services import Services
from pullwright.settings import ReportOutcomeSettings

# A function that a stopped execution had called runs on: its timeout, and some more.
OUTLIVES = timedelta(seconds=150)
# What Step Functions describes lags behind what it has begun.
_LAG = timedelta(seconds=20)
_UNEXPLAINED = "InternalError"
_STOPS = frozenset({LabelRemoved.__name__, SessionStopped.__name__})
# Errors of the machine itself; all others are what the session ended with, which is found out anew.
_MACHINE = "States."
_ENDED_BADLY = frozenset({"FAILED", "ABORTED", "TIMED_OUT"})
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Settler:
    """Finishes sessions.

    Attributes:
        ledger: the table as the sweep sees it.
        now: the time, in UTC.
        until: when the leases end that are taken: when this function is cut off.
    """

    services: Services[ReportOutcomeSettings]
    tasks: Tasks
    ledger: Ledger
    executions: Executions
    now: datetime
    until: datetime
    measure: Callable[[SessionFigures], None] = session_ended

    def settle(self, session_id: str, end: ExecutionEnd) -> str | None:
        """Finish for a session what its execution did not.

        Safe to repeat, and beside another sweep.

        Returns:
            What became of its report, see `pullwright.reconciling.ledger`; None if there was nothing to do,
            or it is too early, or somebody else is at it.

        Raises:
            AwsUnavailable: AWS did not answer, or the task is still ending; to be tried again.
        """
        until = self.until.isoformat()
        record = self.services.store.read_session(session_id)
        if record.is_missing:
            record = self._begin(record, end)
        if not _is_unfinished(record) or self._is_early(record, end):
            return None
        # A record that a task has filled takes no lease either.
        self.services.store.forget(session_id, record.unusable)
        if not self.ledger.lease(session_id, now=self.now.isoformat(), until=until):
            return None
        try:
            # As AWS keeps it, while it does: what the record says may be cut.
            record = record.model_copy(update={"input": end.input}) if end.input else record
            opened = opened_before(self.services.artifacts, session_id, self.executions.arn_of(session_id))
            verdict = self._verdict(record, end, opened)
            report = self._report(record, verdict)
            self.ledger.free_slot(session_id, opened.repository if opened else record.repository)
            if verdict.lock_key:
                self.services.store.release_lock(verdict.lock_key, owner=self.executions.arn_of(session_id))
            closed = self.ledger.close(
                session_id, verdict, report=report, now=self.now.isoformat(), until=until
            )
        except BaseException:
            self.ledger.give_back(session_id, until=until)
            raise
        logger.info(
            "session settled",
            session=session_id,
            execution=end.status or "gone",
            error=verdict.error,
            report=report,
        )
        return self._of_both(record, report) if closed else None

    def _begin(self, record: SessionRecord, end: ExecutionEnd) -> SessionRecord:
        """Write the record of a session that ended badly before it had one, so that its end is reported."""
        if end.status not in _ENDED_BADLY:
            return record
        arn = self.executions.arn_of(record.session_id)
        self.ledger.begin(record.session_id, arn, end, now=self.now.isoformat())
        return self.services.store.read_session(record.session_id)

    def _is_early(self, record: SessionRecord, end: ExecutionEnd) -> bool:
        """Return whether the execution, or a function that it called, may still open the pull request."""
        began = record.created_at
        is_new = not end.status and began is not None and self.now - began < _LAG
        is_opening = record.is_open and record.comment_id is None
        is_opening = is_opening and not end.error.startswith(UNRECORDED)
        return is_new or (is_opening and is_fresh(end, self.now))

    def _verdict(
        self, record: SessionRecord, end: ExecutionEnd, opened: OpenedPullRequest | None = None
    ) -> Verdict:
        event = ReportOutcomeEvent(
            session_id=record.session_id,
            execution_arn=self.executions.arn_of(record.session_id),
            started_at=record.created_at or self.now,
            opened=opened,
            error=_error(end),
        )
        if not _is_decided(record):
            # Without waiting: a task that needs long to end is asked for again.
            return report_outcome(
                event,
                self.services,
                self.tasks,
                now=self.now,
                seconds_left=RESERVED_SECONDS,
                measure=self.measure,
            )
        result, _ = read_result(self.services.artifacts, event)
        task = TaskEnd(TaskArn=record.task_arn)
        outcome = Outcome(record.outcome or "")
        findings = read_findings(self.services.artifacts, record.session_id, outcome)
        failure = _failure(record)
        ending = Ending(event, self.services, record, task, result, outcome, failure, self.now, findings)
        return ending.close()

    def _of_both(self, record: SessionRecord, report: str) -> str:
        """Return `due` as well where only Jira has not taken the report."""
        if "jira" not in record.request:
            return report
        in_jira = self.services.store.read_session(record.session_id).jira_report
        return DUE if in_jira == DUE else report

    def _report(self, record: SessionRecord, verdict: Verdict) -> str:
        if not verdict.report_due:
            return GIVEN_UP if record.report == GIVEN_UP else MADE
        closed_at = record.closed_at or self.now
        return GIVEN_UP if self.now - closed_at > DUE_FOR else DUE


def is_fresh(end: ExecutionEnd, now: datetime) -> bool:
    """Return whether a function that the execution had called may still run."""
    return end.stopped_at is not None and now - end.stopped_at < OUTLIVES


def _is_unfinished(record: SessionRecord) -> bool:
    return record.is_open or DUE in {record.report, record.jira_report}


def _is_decided(record: SessionRecord) -> bool:
    """Return whether the outcome is already in the record."""
    is_said = record.artifacts is not None or not record.is_open
    return is_said and bool(record.outcome) and record.error != _UNEXPLAINED


def _failure(record: SessionRecord) -> Failure | None:
    if not record.error:
        return None
    names = ("error", "failure_class", "sentence", "remedy")
    return Failure.model_validate({name: getattr(record, name) or "" for name in names})


def _error(end: ExecutionEnd) -> StateError:
    """Return the end of an execution, as if a state had failed with it."""
    match end.status:
        case "ABORTED":
            if end.error in _STOPS:
                return StateError(Error=end.error, Cause=end.cause)
            why = f": {end.cause[:_WORDS]}" if end.cause else "."
            return StateError(Error=SessionStopped.__name__, Cause=f"Somebody stopped the session{why}")
        case "TIMED_OUT":
            return StateError(Error=EXECUTION_TIMED_OUT)
        case "FAILED" if end.error.startswith((_MACHINE, UNRECORDED)):
            return StateError(Error=end.error)
        case _:
            return StateError()
