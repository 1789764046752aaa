"""Carries out what people ask for in comments: stops, starts again, answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pullwright.errors import (
    AlreadyRunning,
    ChecksOutdated,
    FailureClass,
    NotAddressed,
    NotAllowed,
    PullwrightError,
    SessionStopped,
)
from pullwright.events.answers import ANSWER_MARKER, cost_text, help_text, render_answer, status_text
from pullwright.events.messages import QueuedCommand, QueuedRelease
from pullwright.events.release import release
from pullwright.github.fresh import YOUNG_SECONDS
from pullwright.github.permissions import OPENING
from pullwright.log import logger
from pullwright.models import Outcome, Plan
from pullwright.opening.ours import is_ours
from pullwright.opening.people import People
from pullwright.reconciling.executions import Executions
from pullwright.reconciling.ledger import SessionsPlace
from pullwright.webhook.commands import (
    COMMANDS,
    COST,
    GO,
    PLAN,
    RELEASE,
    RETRY,
    STATUS,
    STOP,
    read_command,
)
from pullwright.worker_names import IMPLEMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.events.services import EventServices
    from pullwright.github import GitHubClient
    from pullwright.github.payloads import PullRequest
    from pullwright.record import SessionRecord

DONE, NOT_DONE = "+1", "confused"
_NOT_OURS = "The command was for somebody else."
# Nobody's wish was refused with these: it was none, not theirs to have, or is seen to by another session.
_NOT_BEGUN = frozenset(error.__name__ for error in (AlreadyRunning, ChecksOutdated, NotAddressed, NotAllowed))
_OLD = frozenset(
    {
        *("asked_at", "body_sha256", "checked_commit", "delivery_id", "installation_id", "label"),
        "title_sha256",
    }
)


def carry_out(asked: QueuedCommand, services: EventServices) -> str:
    """Carry out a command, if the person may write and it still stands in the comment. Safe to repeat.

    Returns:
        What came of it, for the log.

    Raises:
        PullwrightError: GitHub or AWS did not answer; to be asked again.
        ClientError: Step Functions did not take an execution; to be asked again.
    """
    try:
        client = services.app.client(asked.repository, OPENING, asked.installation_id)
        return _Command(asked, services, client).run()
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Asking again changes nothing: the App or the issue is gone.
            return f"Nothing was done: {error.sentence}"
        raise


@dataclass(frozen=True)
class _Command:
    asked: QueuedCommand
    services: EventServices
    client: GitHubClient

    def run(self) -> str:
        asked = self.asked
        if not self._still_stands():
            return "The comment was edited or deleted before the command was carried out."
        if not People(self.client, asked.repository, allowed_apps="").may_write(asked.login):
            reason = "only people with write permission may ask for this."
        elif asked.name in COMMANDS:
            return self._actions()[asked.name]()
        else:
            reason = help_text()
        # Where nothing of ours is, the command was perhaps for another tool.
        return self._refuse(reason) if self.sessions or self._is_our_pull_request() else _NOT_OURS

    def _actions(self) -> dict[str, Callable[[], str]]:
        return {
            RELEASE: self._release,
            STOP: self._stop,
            RETRY: self._retry,
            PLAN: lambda: self._begin(plan="only"),
            GO: self._go,
            STATUS: lambda: self._tell(status_text(self.sessions, datetime.now(UTC))),
            COST: lambda: self._tell(cost_text(self.sessions)),
        }

    @cached_property
    def pull_request(self) -> PullRequest | None:
        """The pull request that was commented on; None for an issue."""
        if not self.asked.is_pull_request:
            return None
        return self.client.get_pull_request(self.asked.repository, self.asked.number)

    @cached_property
    def place(self) -> SessionsPlace:
        """Where the sessions are that the command is about."""
        pull = self.pull_request
        is_here = pull is not None and pull.comes_from(self.asked.repository)
        branch = pull.head.ref if pull is not None and is_here else f"claude/{self.asked.number}"
        return SessionsPlace(self.asked.repository, self.asked.number, branch)

    @cached_property
    def sessions(self) -> list[SessionRecord]:
        """The sessions here, newest first."""
        return list(self.services.ledger.sessions_about(self.place))

    @cached_property
    def last(self) -> SessionRecord | None:
        """The newest session that was to do something here.

        What somebody without permission asked for, or another session took along, is not meant.
        """
        begun = (it for it in self.sessions if it.taken_by is None and it.error not in _NOT_BEGUN)
        return next(begun, None)

    def _was_started(self) -> bool:
        """Return whether a session was started for this comment before: the message has come twice."""
        end = f"-{self.asked.number}-{self.asked.delivery_id}"
        return any(record.session_id.endswith(end) for record in self.sessions)

    def _is_our_pull_request(self) -> bool:
        pull = self.pull_request
        return pull is not None and is_ours(
            pull, self.asked.repository, self.services.app, self.services.store, self.client
        )

    def _still_stands(self) -> bool:
        if datetime.now(UTC) - self.asked.asked_at < timedelta(seconds=YOUNG_SECONDS):
            # Where GitHub does not show it yet, it is asked for again.
            self.client.fresh.made(f"comment:{self.asked.comment_id}")
        comment = self.client.get_comment(self.asked.repository, self.asked.comment_id)
        if comment is None:
            return False
        words = read_command(comment.body or "")
        if words is None or words.name != self.asked.name:
            self._react(NOT_DONE)
            return False
        return True

    def _release(self) -> str:
        asked = self.asked
        if not asked.is_alone or not asked.is_pull_request:
            return self._refuse("CI is released by a comment on the pull request with nothing else in it.")
        message = QueuedRelease(
            kind="release",
            repository=asked.repository,
            pull_request=asked.number,
            login=asked.login,
            installation_id=asked.installation_id,
            comment_id=asked.comment_id,
            asked_at=asked.asked_at,
        )
        return release(message, self.services.app, self.services.store)

    def _stop(self) -> str:
        """Stop the executions here that began before; the sweep reports and cleans up."""
        executions = Executions(self.services.states, self.services.state_machine_arn)
        # GitHub's times are cut to whole seconds.
        sessions = [
            record
            for record in self.services.ledger.open_sessions()
            if self.place.holds(record)
            and (record.created_at is None or record.created_at.replace(microsecond=0) <= self.asked.asked_at)
        ]
        if not sessions and self._was_stopped():
            self._react(DONE)
            return "The sessions were stopped before."
        if not sessions:
            return self._refuse("no session runs or waits here.")
        for record in sessions:
            executions.stop(
                executions.arn_of(record.session_id),
                error=SessionStopped.__name__,
                cause=f"The session was stopped by {self.asked.login}.",
            )
        self._react(DONE)
        return f"{len(sessions)} sessions were stopped."

    def _was_stopped(self) -> bool:
        """Return whether somebody has stopped since what was to be stopped."""
        asked_at = self.asked.asked_at
        return any(
            record.error == SessionStopped.__name__
            and record.closed_at is not None
            and record.closed_at >= asked_at
            and (record.created_at is None or record.created_at.replace(microsecond=0) <= asked_at)
            for record in self.sessions
        )

    def _retry(self) -> str:
        """Start the last session's request again."""
        last = self.last
        if self._was_started():
            self._react(DONE)
            return "The session was started again before."
        if last is None:
            return self._refuse("no session has worked here yet.")
        if last.is_open:
            return self._refuse(f"a session is still at work. {status_text([last], datetime.now(UTC))}")
        if not last.request:
            return self._refuse("what was asked for is not kept any more. Ask anew.")
        name = self._execution_name(str(last.request.get("worker") or IMPLEMENT))
        again = {**self._again(last.request), "retry_of": last.session_id}
        self.services.start(name, json.dumps(again, separators=(",", ":")))
        self._react(DONE)
        return f"The session {last.session_id} is started again as {name}."

    def _go(self) -> str:
        """Have the plan carried out that waits here."""
        if self._was_started():
            self._react(DONE)
            return "The plan is carried out already."
        if self.last is None or self.last.outcome != Outcome.PLANNED:
            return self._refuse("no plan waits here. `/plan` asks for one, and a mention for anything else.")
        return self._begin(plan=False)

    def _begin(self, *, plan: Plan) -> str:
        """Start a session that goes on with the conversation, for this comment."""
        asked = self.asked
        texts = {"title_sha256": asked.title_sha256, "body_sha256": asked.body_sha256}
        request = {
            "repository": asked.repository,
            "pull_request" if asked.is_pull_request else "issue": asked.number,
            "worker": IMPLEMENT,
            "plan": plan,
            "comment_id": asked.comment_id,
            **({"text_sha256": asked.text_sha256} if asked.text_sha256 else {}),
            **({} if asked.is_pull_request else texts),
            **self._who(),
        }
        name = self._execution_name(IMPLEMENT)
        self.services.start(name, json.dumps(request, separators=(",", ":")))
        self._react(DONE)
        return f"The session {name} is started."

    def _who(self) -> dict[str, Any]:
        asked = self.asked
        return {
            "requested_by": asked.login,
            "delivery_id": asked.delivery_id,
            "installation_id": asked.installation_id,
            "asked_at": asked.asked_at.isoformat(),
        }

    def _again(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a request as if it had been asked for by this comment: the text is what stands there now."""
        asked = self.asked
        kept = {name: value for name, value in request.items() if name not in _OLD and value is not None}
        if isinstance(jira := kept.get("jira"), dict):
            kept["jira"] = {name: value for name, value in jira.items() if name in {"key", "id"}}
        elif "issue" not in kept and "pull_request" not in kept:
            # A prompt alone would get a new pull request.
            kept["pull_request" if asked.is_pull_request else "issue"] = asked.number
        if kept.get("issue") == asked.number:
            kept |= {"title_sha256": asked.title_sha256, "body_sha256": asked.body_sha256}
        return {**kept, **self._who()}

    def _execution_name(self, worker: str) -> str:
        """Return the name of an execution that this comment starts, as the webhook would have made it."""
        return f"{worker}-{self.asked.number}-{self.asked.delivery_id}"

    def _tell(self, text: str) -> str:
        if not self.sessions:
            return self._refuse("no session has worked here yet.")
        self._answer(text)
        self._react(DONE)
        return "The command was answered."

    def _refuse(self, text: str) -> str:
        """Say why the command is not carried out."""
        self._react(NOT_DONE)
        self._answer(text)
        return f"Nothing was done: {text}"

    def _answer(self, text: str) -> None:
        """Answer in our one comment, wherever it stands."""
        asked, client = self.asked, self.client
        answer = render_answer(asked.name, asked.login, text)
        bot_id = self.services.app.bot_id(client)
        for comment in client.comments(asked.repository, asked.number):
            if comment.is_by(bot_id, ANSWER_MARKER) and client.update_comment(
                asked.repository, comment.id, answer
            ):
                return
        client.create_comment(asked.repository, asked.number, answer)

    def _react(self, content: str) -> None:
        try:
            self.client.react_to_comment(self.asked.repository, self.asked.comment_id, content)
        except PullwrightError as error:
            # A courtesy: whoever asked may have deleted the comment.
            logger.warning("the comment could not be reacted to", error=error.sentence)
