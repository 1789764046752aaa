"""ReportOutcome: whatever happened, one verdict, in the record and on GitHub."""

from collections.abc import Callable
from datetime import datetime

from pullwright.errors import TaskLost
from pullwright.metrics import SessionFigures, session_ended
from pullwright.models import Failure, Outcome, WorkerMode
from pullwright.reporting.classify import Evidence, classify
from pullwright.reporting.ending import Ending
from pullwright.reporting.event import ReportOutcomeEvent
from pullwright.reporting.result import read_findings, read_result
from pullwright.reporting.tasks import Tasks
from pullwright.results import Verdict
from pullwright.services import Services
from pullwright.settings import ReportOutcomeSettings

# Kept free of waiting for the task, for the reading and writing that follows.
RESERVED_SECONDS = 45.0
_NO_FINDINGS = "The task ended, but what it left is not what a session of its kind leaves."


def report_outcome(
    event: ReportOutcomeEvent,
    services: Services[ReportOutcomeSettings],
    tasks: Tasks,
    *,
    now: datetime,
    seconds_left: float,
    measure: Callable[[SessionFigures], None] = session_ended,
) -> Verdict:
    """End a session: stop its task, and report the outcome in the record and on GitHub.

    That GitHub takes no report is no reason to fail: the verdict then says that it is still due.

    Args:
        now: the time, in UTC.

    Raises:
        AwsUnavailable: AWS does not tell what came of the session; the state machine asks again.
    """
    record = services.store.read_session(event.session_id)
    # Otherwise a task could fill its record so far that nothing else can be written there.
    services.store.forget(event.session_id, record.unusable)
    task = event.task
    if event.error is not None and event.opened is not None:
        wait = max(seconds_left - RESERVED_SECONDS, 0.0)
        task = tasks.stop(event.execution_arn, record.task_arn, seconds=wait) or task
    result, is_corrupt = read_result(services.artifacts, event)
    outcome, failure = classify(
        Evidence(
            result=result,
            is_corrupt=is_corrupt,
            is_open=event.opened is not None,
            is_admitted=record.admitted_at is not None,
            task=task,
            error=event.error,
        )
    )
    findings = read_findings(services.artifacts, event.session_id, outcome)
    if failure is None and (record.mode == WorkerMode.COMMENT) != (findings is not None):
        # A task can claim anything; what it was started for is in the record.
        outcome, failure, findings = Outcome.FAILED, Failure.of(TaskLost(_NO_FINDINGS)), None
    ending = Ending(event, services, record, task, result, outcome, failure, now, findings)
    verdict = ending.close()
    measure(ending.figures())
    return verdict
