"""A deployment that people give commands to, and Step Functions that starts and stops what they ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pullwright.events.answers import ANSWER_MARKER
from pullwright.events.command import carry_out
from pullwright.events.messages import MESSAGE, QueuedCommand
from pullwright.events.services import EventServices
from pullwright.webhook.decision import decide
from pullwright.webhook.message import Message
from tests.unit.pipeline_kit import PERSON, REPOSITORY, execution
from tests.unit.reconcile_kit import SweptDeployment
from tests.unit.webhook_kit import LABEL, SECRET, headers

if TYPE_CHECKING:
    from pathlib import Path


NO_QUEUE: Any = None


MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:agent-session:live"


class _AlreadyExistsError(Exception):
    """What Step Functions raises for a name that was used before."""


class States:
    """Step Functions: what was started and stopped."""

    class exceptions:  # noqa: N801 - as boto3 calls it
        """See boto3."""

        ExecutionAlreadyExists = _AlreadyExistsError

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.stopped: dict[str, tuple[str, str]] = {}
        self.errors: list[str] = []
        """What the next starts are answered with."""

    def start_execution(self, **call: Any) -> None:
        """See boto3."""
        assert call["stateMachineArn"] == MACHINE
        if self.errors:
            raise ClientError({"Error": {"Code": self.errors.pop(0), "Message": ""}}, "StartExecution")
        if call["name"] in self.started:
            raise _AlreadyExistsError
        self.started[call["name"]] = json.loads(call["input"])

    def stop_execution(self, **call: Any) -> None:
        """See boto3."""
        self.stopped[call["executionArn"]] = (call["error"], call["cause"])


class Commanded(SweptDeployment):
    """A deployment that people give commands to."""

    def __init__(self, folder: Path, client: Any) -> None:
        super().__init__(folder, client)
        self.states = States()
        self.services = EventServices(
            *(self.github.app(), self.sessions, self.ledger, cast("Any", self.states), MACHINE),
            queue=cast("Any", None),
            allowed_owners="",
        )

    def begin_first(self, stage: str = "claimed") -> int:
        """Bring the first session as far as a stage; return the number of its pull request."""
        self.begin("s-1", stage, requested_by=PERSON)
        record = self.sessions.read_session("s-1")
        return int(record.pull_request or record.request["issue"])

    def close(self, session_id: str = "s-1", **fields: Any) -> None:
        """Close a session as ReportOutcome and CloseSession do."""
        end = {"status": "SUCCEEDED", "closed_at": self.start.isoformat(), "sentence": "It is ready."}
        self.sessions.update_session(session_id, {**end, **fields})
        for lock in self.ledger.locks():
            self.sessions.release_lock(lock.key, owner=execution(session_id))

    def asked(self, body: str, number: int, login: str = PERSON, **changes: Any) -> QueuedCommand:
        """Write a comment and return what the webhook queues for it."""
        comment = self.github.person("POST", f"/issues/{number}/comments", {"body": body}, login)
        issue = self.github.person("GET", f"/issues/{number}")
        payload = {
            "action": "created",
            "issue": issue,
            "comment": comment,
            "repository": {"full_name": REPOSITORY},
            "sender": comment["user"],
            "installation": {"id": self.github.app().installation_of(REPOSITORY)[0].id},
        }
        made = decided(payload)
        assert isinstance(made, Message), made
        found = MESSAGE.validate_json(made.message)
        assert isinstance(found, QueuedCommand)
        return found.model_copy(update=changes)

    def command(self, body: str, number: int, login: str = PERSON) -> str:
        """Write a command and carry it out."""
        return carry_out(self.asked(body, number, login), self.services)

    def reactions(self, asked: QueuedCommand) -> list[str]:
        """Return the reactions to the comment that asked."""
        found = self.github.person("GET", f"/issues/comments/{asked.comment_id}/reactions")
        return [one["content"] for one in found]

    def answers(self, number: int) -> list[str]:
        """Return our answers to commands."""
        bodies = [one["body"] for one in self.github.comments(number)]
        return [body for body in bodies if body.startswith(ANSWER_MARKER)]


def decided(content: dict[str, Any]) -> Any:
    """Sign a comment's payload and decide."""
    body = json.dumps(content).encode()
    return decide(headers(body, "issue_comment", secret=SECRET), body, SECRET, trigger_label=LABEL)


PAYLOAD: dict[str, Any] = {
    "action": "created",
    "issue": {
        "number": 8,
        "title": "Sum",
        "body": None,
        "state": "open",
        "user": {"login": "octocat", "type": "User"},
    },
    "comment": {"id": 99, "body": "/stop", "created_at": "2026-11-21T08:30:00Z"},
    "repository": {"full_name": "octo-org/widgets"},
    "sender": {"login": "maintainer", "type": "User"},
    "installation": {"id": 5},
}
