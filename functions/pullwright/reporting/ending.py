"""The ending of one session: its verdict, its record and its report on GitHub."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pullwright.check_texts import failing
from pullwright.claims import task_id
from pullwright.comments import TRACKING_MARKER, render_outcome
from pullwright.errors import AlreadyRunning, AwsUnavailable, ChecksOutdated, NotAddressed, PullwrightError
from pullwright.log import logger
from pullwright.metrics import SessionFigures
from pullwright.models import AgentRequest, Failure, Outcome, WorkerMode
from pullwright.months import Spent
from pullwright.record import DUE, DUE_FOR, GIVEN_UP, MADE, SessionRecord
from pullwright.reporting.checks import check_run, checks_line
from pullwright.reporting.event import ReportOutcomeEvent, TaskEnd
from pullwright.reporting.github_report import GitHubReport
from pullwright.reporting.place import Place, opened_before
from pullwright.results import AgentResult, EgressResult, Verdict
from pullwright.reviewing.marks import session_marker
from pullwright.reviewing.models import Findings
from pullwright.services import Services
from pullwright.settings import ReportOutcomeSettings
from pullwright.store import BranchRecord

# The template's awslogs-stream-prefix and the container's name.
_LOG_PREFIX = "agent/runner"
_LONGEST_LINE = 1_000
_TOLD_TO_NOBODY = (NotAddressed.__name__, ChecksOutdated.__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """A session whose outcome is decided."""

    event: ReportOutcomeEvent
    services: Services[ReportOutcomeSettings]
    record: SessionRecord
    task: TaskEnd | None
    result: AgentResult | None
    outcome: Outcome
    failure: Failure | None
    now: datetime
    findings: Findings | None = None

    def close(self) -> Verdict:
        """Record and report the outcome; the verdict says whether GitHub took it, and which lock to free."""
        store, session_id = self.services.store, self.event.session_id
        store.update_session(session_id, self.details())
        self._keep_conversation()
        if self.record.reserved_usd is not None:
            store.spending.settle(self.record, self._cost())
        self._count()
        is_told = self.record.report in {MADE, GIVEN_UP} or self.tell()
        self._leave_preview()
        verdict = self.verdict()
        if self._tell_jira(verdict) == DUE:
            # The record stays for as long as Jira is told again.
            verdict = verdict.model_copy(update={"ttl": max(verdict.ttl, self._unix(2 * DUE_FOR))})
        return verdict.model_copy(update={"report_due": not is_told, "lock_key": self.lock()})

    def _keep_conversation(self) -> None:
        """Remember where the conversation is that the next session on the branch goes on with."""
        opened, result = self.event.opened, self.result
        if opened is None or result is None or result.conversation_id is None:
            return
        if self.record.mode == WorkerMode.COMMENT or self.record.is_evaluation:
            return
        record = BranchRecord(
            repository=opened.repository,
            branch=opened.branch,
            session_id=self.event.session_id,
            conversation_id=result.conversation_id,
            conversation_session=self.event.session_id,
        )
        self.services.store.write_branch(record)

    def _leave_preview(self) -> None:
        """Ask for the preview that the repository may want now; a report that is made again asks for none."""
        opened, leave = self.event.opened, self.services.leave_preview
        is_changed = self.outcome is Outcome.CHANGED and not self.record.is_evaluation
        if leave is not None and is_changed and opened is not None and self.record.report is None:
            leave(self.event.session_id, opened)

    def figures(self) -> SessionFigures:
        """Return the session's figures for the dashboard."""
        verdict, result = self.verdict(), self.result
        return SessionFigures(
            outcome=verdict.outcome.value,
            failure_class=verdict.failure_class,
            queue_seconds=_between(self.record.created_at, self.record.admitted_at),
            agent_seconds=None if result is None else result.phases.get("agent"),
            cost_usd=None if result is None else result.cost_usd,
            is_uncaged=result is not None and result.egress is not None and result.egress.is_missing,
            in_a_row=self._in_a_row(verdict.failure_class),
        )

    def _cost(self) -> float | None:
        """Return the cost in US dollars; None if a task had begun and its cost is not known."""
        if self.result is not None:
            return self.result.cost_usd
        return None if self.record.is_claimed else 0.0

    def _count(self) -> None:
        """Add the session to the totals of its month."""
        result = self.result
        spent = Spent(
            has_failed=self.failure is not None,
            usd=self._cost(),
            turns=0 if result is None else result.turns,
        )
        self.services.store.months.count(self.record, spent, now=self.now)

    def _in_a_row(self, failure_class: str) -> dict[str, int]:
        if self.outcome is Outcome.TAKEN_ALONG:
            # It says nothing about the deployment.
            return {}
        try:
            return self.services.store.count_in_a_row(failure_class)
        except AwsUnavailable as error:
            # A figure for an alarm; the session has ended well enough without it.
            logger.warning("the session was not counted for its alarm", error=error.sentence)
            return {}

    def verdict(self) -> Verdict:
        """Return the verdict, before report and lock are known."""
        ttl = self._unix(timedelta(days=self.services.settings.retention_days))
        failure = self.failure
        if failure is not None:
            return Verdict(
                status="FAILED",
                outcome=self.outcome,
                error=failure.error,
                failure_class=failure.failure_class,
                sentence=failure.sentence,
                remedy=failure.remedy,
                ttl=ttl,
            )
        sentence = "The agent found nothing to change."
        if self.outcome is Outcome.PLANNED:
            sentence = "Nothing is changed yet. `/go` has the plan carried out, `/plan` asks for another one."
        if self.outcome is Outcome.TAKEN_ALONG:
            sentence = f"The session {self.record.taken_by} took this request along with its own."
        if self.outcome is Outcome.CHANGED and self.event.opened is not None:
            but = "" if self.result is None or self.result.checks_passed else f", but {failing(self.result)}"
            sentence = f"The pull request is ready for review{but}: {self.event.opened.pull_request_url}"
        if self.record.is_evaluation:
            sentence = "The agent's work was not judged."
            if self.result is not None and (judged := self.result.judgement) is not None:
                verdict = judged.verdict.replace("_", " ")
                sentence = f"The agent's work was judged: {verdict}. {judged.reason}".strip()
        if self.findings is not None:
            sentence = f"The agent has read the pull request; findings: {len(self.findings.findings)}."
        return Verdict(status="SUCCEEDED", outcome=self.outcome, sentence=sentence, ttl=ttl)

    def details(self) -> dict[str, Any]:
        """Return the fields of the record that CloseSession does not write."""
        verdict, task, result = self.verdict(), self.task, self.result
        details: dict[str, Any] = {
            "outcome": verdict.outcome.value,
            "error": verdict.error,
            "failure_class": verdict.failure_class,
            "sentence": verdict.sentence,
            "remedy": verdict.remedy,
            "artifacts": self.services.artifacts.url(self.event.session_id),
            "log_group": self.services.settings.log_group_name,
            "log_stream": self._log_stream(),
        }
        if task is not None:
            details |= {
                "stop_code": task.StopCode,
                "stopped_reason": task.StoppedReason,
                "exit_code": task.ExitCode,
            }
        if result is not None:
            details |= {
                "commit": result.commit,
                "cost_usd": result.cost_usd,
                "input_tokens": result.tokens.input,
                "output_tokens": result.tokens.output,
                "cache_read_tokens": result.tokens.cache_read,
                "cache_write_tokens": result.tokens.cache_write,
                "turns": result.turns,
                "agent_seconds": result.phases.get("agent", 0.0),
                "conversation_id": result.conversation_id,
                "checks": checks_line(result),
                **_egress(result.egress),
            }
            if result.judgement is not None:
                details |= {
                    "judgement": result.judgement.verdict,
                    "judgement_reason": result.judgement.reason[:_LONGEST_LINE],
                }
        return details

    def tell(self) -> bool:
        """Report on GitHub; return False if that has to be done again later."""
        event = self.event
        if self.outcome is Outcome.TAKEN_ALONG or self.record.is_evaluation:
            # The other session reports, in the same comment; of an evaluation, GitHub is told nothing.
            return True
        opened = event.opened or opened_before(self.services.artifacts, event.session_id, event.execution_arn)
        place = Place.of(opened, self.record)
        if place is None:
            return True
        report = GitHubReport(self.services.app, place, self.services.settings.allowed_owners)
        if place.pull_request is None:
            return self.failure is None or self._is_told_elsewhere() or report.refuse(self.failure)
        stream = self._log_stream()
        request = self._request()
        worker = self.record.worker if self.record.mode == WorkerMode.COMMENT else None
        marker = TRACKING_MARKER if worker is None else session_marker(worker)
        posted = None
        if self.findings is not None:
            posted = None if request is None else report.review(request, self.findings)
            if posted is None:
                return False
        text = render_outcome(
            request,
            self.result,
            self.verdict(),
            session_id=self.event.session_id,
            seconds=self._seconds(),
            artifacts=self.services.artifacts.url(self.event.session_id),
            log=f"{self.services.settings.log_group_name} {stream}" if stream else "",
            marker=marker,
            findings=posted.text() if posted is not None else "",
        )
        if worker is not None:
            return report.comment(text, marker)
        if self.result is not None and (check := check_run(self.result, self.event.session_id)):
            report.check(check)
        is_answered = request is None or self.result is None or report.answer(request, self.result)
        return report.finish(text, is_ready=self.outcome is Outcome.CHANGED) and is_answered

    def _tell_jira(self, verdict: Verdict) -> str | None:
        """Report in Jira, and return whether it is told; None if the session was not asked for there.

        Within the state machine it is tried once: a function that ran out of time on it would never end.
        """
        record, store = self.record, self.services.store
        if "jira" not in record.request or record.jira_report in {MADE, GIVEN_UP}:
            return record.jira_report
        if record.jira_report == DUE and record.is_open:
            return DUE
        session_id = self.event.session_id
        if record.jira_report is None:
            store.update_session(session_id, {"jira_report": DUE})
        # Sessions without Jira load nothing of it.
        from pullwright.reporting.jira_report import report_to_jira  # noqa: PLC0415

        opened = self.event.opened or opened_before(
            self.services.artifacts, session_id, self.event.execution_arn
        )
        is_told = report_to_jira(
            self.services, record, opened, verdict, result=self.result, failure=self.failure
        )
        is_too_late = record.closed_at is not None and self.now - record.closed_at > DUE_FOR
        report = MADE if is_told else GIVEN_UP if is_too_late else DUE
        if report != DUE:
            store.update_session(session_id, {"jira_report": report})
        return report

    def _unix(self, later: timedelta) -> int:
        return int((self.now + later).timestamp())

    def _is_told_elsewhere(self) -> bool:
        """Return whether nobody waits for this session's word, or another session's comment says it."""
        if self.failure is not None and self.failure.error in _TOLD_TO_NOBODY:
            return True
        is_running = self.failure is not None and self.failure.error == AlreadyRunning.__name__
        return is_running and self.record.mode == WorkerMode.COMMENT and "delivery_id" in self.record.request

    def lock(self) -> str:
        """Return the key of the lock to free; empty if this execution holds none."""
        opened = self.event.opened
        key = opened.lock_key if opened is not None else self.record.lock_key
        if not key:
            return ""
        return key if self.services.store.lock_owner(key) == self.event.execution_arn else ""

    def _request(self) -> AgentRequest | None:
        try:
            return self.services.artifacts.read_request(self.event.session_id)
        except PullwrightError as error:
            # The comment says a little less without it.
            logger.warning("the request cannot be read", error=error.sentence)
            return None

    def _log_stream(self) -> str | None:
        """Return the stream of the task's log, as the awslogs driver names it: prefix, container, task id."""
        arn = (self.task.TaskArn if self.task is not None else None) or self.record.task_arn
        return f"{_LOG_PREFIX}/{task_id(arn)}" if arn else None

    def _seconds(self) -> float | None:
        """Return the seconds from the task's start to the session's end, for a task without a result."""
        started = self.record.task_started_at
        ended = self.record.closed_at or self.now
        if started is None or not self.event.started_at <= started <= ended:
            return None
        return (ended - started).total_seconds()


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else max((end - begin).total_seconds(), 0.0)


def _egress(egress: EgressResult | None) -> dict[str, str | None]:
    """Return what the record says of the way out: whether there was a cage, and what was refused."""
    if egress is None:
        return {}
    refused = ", ".join(f"{part.step}: {part.count} x {part.target}" for part in egress.refused)
    state = f"{egress.state}: {egress.reason}" if egress.reason else egress.state
    return {"egress": state[:_LONGEST_LINE], "egress_refused": refused[:_LONGEST_LINE] or None}
