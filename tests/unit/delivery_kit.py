"""From GitHub's deliveries to the sessions' ends: webhook, queue, the machine's functions and the sweep.

Everything but the state machine and the task is the product's own. What the machine does by itself is done
here as its definition says; `tests/statemachine` and `tests/integration` run the definition.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from pullwright.errors import AwsUnavailable, BranchBusy, GitHubUnavailable, PullwrightError
from pullwright.events.process import process
from pullwright.events.services import EventServices
from pullwright.models import Outcome, WorkerMode
from pullwright.reconciling.executions import ExecutionEnd
from pullwright.reviewing.identity import identified
from pullwright.reviewing.models import Findings, Remark
from pullwright.webhook.answers import Refused
from pullwright.webhook.decision import Starts, decide
from pullwright.webhook.message import Message
from pullwright.workers.builtin import builtin_workers, with_builtin
from pullwright.workers.unpacking import unpack_routes
from standin.sending import encode
from tests.unit.commands_kit import MACHINE, States
from tests.unit.pipeline_kit import PERSON, REPOSITORY, execution
from tests.unit.reconcile_kit import SweptDeployment
from tests.unit.test_reporting import TASK, Reporting
from tests.unit.test_reviewing_posting import NEW, OLD
from tests.unit.webhook_kit import LABEL, SECRET, headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from github_standin.records import Delivery
    from pullwright.models import OpenedPullRequest
    from pullwright.record import SessionRecord
    from pullwright.workers.routing import Worker

NAME = "pullwright"
TRIES = 7
"""As often as the machine calls OpenPullRequest when GitHub or AWS does not answer."""
REVIEW = "enabled: true\n"
FILES = {
    "README.md": "# Widgets\n",
    "a.txt": "\n".join(OLD) + "\n",
    ".pullwright/workers/review.yaml": REVIEW,
}
MISTAKE = {"path": "a.txt", "line": 20, "text": "This is wrong."}


class Delivered(SweptDeployment, Reporting):
    """A repository whose pull requests are reviewed, and a deployment that hears what happens in it.

    Attributes:
        queued: the queue's messages, oldest first; those that failed stay.
        at_work: what was opened for the sessions whose task runs.
        fails: whether tasks are lost.
    """

    def __init__(self, folder: Path, client: Any) -> None:
        SweptDeployment.__init__(self, folder, client)
        self.states = States()
        self.queued: list[str] = []
        self.at_work: dict[str, OpenedPullRequest] = {}
        self.fails = False
        self.services = EventServices(
            *(self.github.app(), self.sessions, self.ledger, cast("Any", self.states), MACHINE),
            queue=cast("Any", self),
            allowed_owners="",
            mention_name=NAME,
        )
        self.github.write("main", FILES)
        self.github.listen()
        self.sync()

    # --- GitHub and the webhook ----------------------------------------------------------------------------

    def undelivered(self, *events: str) -> list[Delivery]:
        """Return what GitHub has to deliver, oldest first; without events, all of it."""
        return [it for it in self.github.pending() if not events or it.event in events]

    def forget(self) -> None:
        """Let what GitHub has to deliver arrive without an effect."""
        for delivery in self.undelivered():
            self.github.delivered(delivery, 202)

    def deliver(self, *deliveries: Delivery) -> None:
        """Answer deliveries in this order, as the webhook does."""
        for delivery in deliveries:
            body = encode(delivery.payload)
            sent = headers(body, delivery.event, secret=SECRET, x_github_delivery=delivery.guid)
            try:
                decision = decide(
                    *(sent, body, SECRET),
                    trigger_label=LABEL,
                    mention_name=NAME,
                    workers_of=self._workers,
                )
            except Refused as refused:
                raise AssertionError(refused.answer) from refused
            self._take(decision)
            self._record_new()
            self.github.delivered(delivery, 202)

    def lose(self, *deliveries: Delivery) -> None:
        """Let deliveries fail, as when the webhook does not answer."""
        for delivery in deliveries:
            self.github.delivered(delivery, 503)

    def recover(self) -> None:
        """Sweep, and deliver what GitHub is asked to deliver again."""
        asked = self.sweep(minutes=6).redelivered
        again = self.undelivered()
        assert sorted(asked) == sorted({it.guid for it in again}) != []
        self.deliver(*again)

    def _workers(self, repository: str) -> Sequence[Worker]:
        head = self.sessions.workers.head(repository)
        if head is None or head.routes is None:
            return builtin_workers(LABEL)
        return with_builtin(unpack_routes(head.routes, head.routes_sha256), LABEL)

    def _take(self, decision: object) -> None:
        if isinstance(decision, Starts):
            for start in decision.starts:
                self.services.start(start.name, start.input)
            decision = decision.besides
        if isinstance(decision, Message):
            self.queued.append(decision.message)

    # --- the queue -----------------------------------------------------------------------------------------

    def send(self, messages: list[tuple[BaseModel, int]]) -> None:
        """See `Queue`."""
        self.queued += [message.model_dump_json() for message, _ in messages]

    def work_off(self) -> int:
        """Process the queue's messages once, and what they put into it; return how many failed and stay."""
        failed: list[str] = []
        while self.queued:
            bodies, self.queued = self.queued, []
            records = [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]
            failed += [bodies[int(at)] for at in process(records, self.services)]
        self.queued = failed
        self._record_new()
        return len(failed)

    def sync(self) -> None:
        """Read the repository's workers."""
        message = {"kind": "sync", "installation_id": self.installation_id, "repositories": [REPOSITORY]}
        self.queued.append(json.dumps(message))
        assert self.work_off() == 0
        self.forget()

    @property
    def installation_id(self) -> int:
        """The App's on the repository."""
        return int(self.github.app().installation_of(REPOSITORY)[0].id)

    def arrive(self) -> None:
        """Deliver all that GitHub has to deliver, process the queue, and run the sessions."""
        self.deliver(*self.undelivered())
        self.work_off()
        self.run()

    # --- the state machine ---------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The sessions that were started, in order."""
        return list(self.states.started)

    def record_of(self, name: str) -> SessionRecord:
        """Return a session's record."""
        return self.sessions.read_session(name)

    def run(self) -> None:
        """Run the sessions that were started and have not ended, in turn, until none can go on."""
        before = None
        self._record_new()
        while (ended := self._ended()) != before:
            before = ended
            for name in self.names:
                if name not in ended and (name in self.at_work or self.open_session(name)):
                    self.finish(name)
        # What the sessions did on GitHub is told too, and must start nothing.
        count = len(self.names)
        self.deliver(*(it for it in self.undelivered() if _is_by_app(it)))
        assert len(self.names) == count, "a session's own act has started another"

    def _ended(self) -> set[str]:
        return {name for name in self.names if self.record_of(name).closed_at is not None}

    def _record_new(self) -> None:
        """Record what was started, as the machine's first state does at once."""
        for name, request in self.states.started.items():
            if execution(name) not in self.machine.ends:
                now = datetime.now(UTC).isoformat()
                fields = {"session_id": name, "execution_arn": execution(name), "status": "QUEUED"}
                fields |= {"repository": REPOSITORY, "created_at": now, "heartbeat_at": now}
                self.sessions.update_session(name, {**fields, "input": json.dumps(request)})
                self.machine.ends[execution(name)] = None

    def open_session(self, name: str) -> bool:
        """Take a session to its task; return whether it came there."""
        error: PullwrightError | None = None
        for _ in range(TRIES):
            try:
                opened = self.open(
                    name, started_at=self.record_of(name).created_at, **self.states.started[name]
                )
            except BranchBusy:
                return False
            except (GitHubUnavailable, AwsUnavailable) as failure:
                error = failure
                continue
            except PullwrightError as failure:
                error = failure
                break
            self.take_slots(name)
            now = datetime.now(UTC).isoformat()
            fields = {"status": "RUNNING", "admitted_at": now, "task_arn": TASK, "task_started_at": now}
            self.sessions.update_session(name, fields)
            self.at_work[name] = opened
            return True
        assert error is not None
        cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
        self._report(name, error={"Error": type(error).__name__, "Cause": cause})
        return False

    def finish(self, name: str) -> None:
        """Take a session from its task to its end."""
        request = self.artifacts.read_request(name)
        assert request is not None
        if not self.fails and request.mode is WorkerMode.COMMENT:
            remarks = [Remark.model_validate(MISTAKE)]
            found = Findings(
                session_id=name,
                head_commit=request.head_commit or "",
                findings=tuple(identified(remarks, lambda *_: NEW)),
            )
            self.artifacts.findings[name] = found.model_dump_json()
            self.result(Outcome.COMMENTED, name, commit=None)
        elif not self.fails:
            self.result(Outcome.PLANNED if request.plan == "only" else Outcome.CHANGED, name)
        task = {"TaskArn": TASK, "ExitCode": 137 if self.fails else 0}
        self._report(name, opened=self.at_work.pop(name), task=task)

    def _report(self, name: str, **payload: Any) -> None:
        """Report and close, as ReportOutcome and CloseSession do."""
        verdict = self.report(name, **payload)
        words = ("status", "error", "failure_class", "sentence", "remedy", "report_due")
        fields = {word: getattr(verdict, word) for word in words}
        fields |= {"outcome": verdict.outcome.value, "closed_at": datetime.now(UTC).isoformat()}
        self.sessions.update_session(name, {**fields, "report": "due" if verdict.report_due else "made"})
        self.ledger.free_slot(name, REPOSITORY)
        if verdict.lock_key:
            self.sessions.release_lock(verdict.lock_key, owner=execution(name))
        self.stop(name, ended(verdict.status))

    # --- what goes wrong -----------------------------------------------------------------------------------

    @contextmanager
    def broken_table(self, operation: str) -> Iterator[None]:
        """Let DynamoDB throttle one of its operations for good."""
        event = f"before-call.dynamodb.{operation}"

        def throttle(**_: Any) -> Any:
            error = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "Slow down."}}
            return _Response(), {**error, "ResponseMetadata": {"HTTPStatusCode": 400}}

        self.client.meta.events.register(event, throttle)
        try:
            yield
        finally:
            self.client.meta.events.unregister(event, throttle)

    # --- people --------------------------------------------------------------------------------------------

    def label_issue(self) -> int:
        """Put the label on a new issue; return its number."""
        number = self.github.issue()
        self.github.person("POST", f"/issues/{number}/labels", {"labels": [LABEL]})
        return number

    def worked_on(self) -> int:
        """Let a session work on an issue, to its end; return the number of its pull request."""
        self.label_issue()
        self.arrive()
        [name] = self.names
        self.forget()
        return int(self.record_of(name).pull_request or 0)

    def say(self, number: int, text: str, login: str = PERSON) -> list[Delivery]:
        """Write a comment; return what GitHub has to deliver about it."""
        known = {it.id for it in self.undelivered()}
        self.github.person("POST", f"/issues/{number}/comments", {"body": text}, login)
        return [it for it in self.undelivered("issue_comment") if it.id not in known]

    def open_pull(self) -> int:
        """Open a person's pull request with a mistake in it; return its number."""
        self.push_mistake()
        fields = {"title": "Topic", "head": "topic", "base": "main"}
        return int(self.github.person("POST", "/pulls", fields)["number"])

    def push_mistake(self, more: str = "") -> None:
        """Push it to the person's branch, with some more lines at the end."""
        self.github.write("topic", {"a.txt": "\n".join(NEW) + "\n" + more})

    def inline(self, number: int) -> list[dict[str, Any]]:
        """Return the comments in a pull request's threads."""
        return list(self.github.person("GET", f"/pulls/{number}/comments"))

    def asked_in(self, name: str) -> list[str]:
        """Return what a session was asked to do in comments and reviews."""
        request = self.artifacts.read_request(name)
        return [] if request is None else [it.body for it in request.follow_ups]


def _is_by_app(delivery: Delivery) -> bool:
    return bool(delivery.payload.get("sender", {}).get("type") == "Bot")


class _Response:
    """What botocore looks at of an answer."""

    status_code = 400
    headers: dict[str, str] = {}  # noqa: RUF012 - of botocore's form


def ended(status: str) -> ExecutionEnd:
    """Return how an execution ended long enough ago that no function of its runs any more."""
    return ExecutionEnd(status=status, stopped_at=datetime.now(UTC) - timedelta(minutes=5))
