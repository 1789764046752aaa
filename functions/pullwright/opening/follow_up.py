"""Requests in comments and reviews: whether they are ones, their text, and who works on them.

One that arrives while a session works on the branch waits. When the branch is free, one of those that wait
takes the others along: one session with all texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn, Self

from pullwright.errors import (
    BranchBusy,
    CommentDeleted,
    CommentEdited,
    FailureClass,
    InvalidRequest,
    NotAddressed,
    PullwrightError,
    TakenAlong,
)
from pullwright.github.fresh import YOUNG_SECONDS
from pullwright.log import logger
from pullwright.models import AuthorRole, FollowUp
from pullwright.opening.ours import is_ours
from pullwright.opening.request import read_request
from pullwright.opening.shown import shown
from pullwright.table import lock_key
from pullwright.webhook.commands import GO, PLAN, read_command
from pullwright.webhook.follow_ups import mention_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.github import GitHubClient
    from pullwright.github.payloads import PullRequest, Review, ReviewComment, User
    from pullwright.models import AgentRequest, SessionRequest
    from pullwright.opening.people import People
    from pullwright.record import SessionRecord
    from pullwright.services import Services
    from pullwright.settings import OpenPullRequestSettings
    from pullwright.store import Store

MOST_TOGETHER = 20
_CHANGES_REQUESTED = "CHANGES_REQUESTED"
# GitHub's own name for deleted accounts.
_GHOST = "ghost"


def check_turn(store: Store, record: SessionRecord, execution_arn: str) -> None:
    """Let a request that has waited wait on, without asking GitHub anything.

    Raises:
        TakenAlong: another session has taken it along.
        BranchBusy: the branch is not free yet.
        AwsUnavailable: the table did not answer.
    """
    if record.taken_by is not None:
        raise TakenAlong(f"The session {record.taken_by} works on this request together with its own.")
    if record.repository is None or record.branch is None:
        return
    owner = store.lock_owner(lock_key(record.repository, record.branch))
    if owner not in {None, execution_arn}:
        raise BranchBusy(f"Another session still works on the branch {record.branch}.")


def wait(store: Store, session_id: str, *, repository: str, branch: str) -> NoReturn:
    """Remember what a request waits for, so that the session that comes first can find it.

    Raises:
        BranchBusy: always.
        AwsUnavailable: the table did not take it.
    """
    store.update_session(session_id, {"repository": repository, "branch": branch})
    raise BranchBusy(f"Another session still works on the branch {branch}.")


def taken_before(
    request: AgentRequest | None, store: Store, *, repository: str, branch: str
) -> list[SessionRecord]:
    """Return the sessions whose requests an earlier session on the branch had taken along.

    Args:
        request: the earlier session's, if it is kept.

    Raises:
        AwsUnavailable: the table did not answer.
    """
    records = [
        store.read_session(it.session_id) for it in (request.follow_ups if request is not None else ())
    ]
    return [record for record in records if (record.repository, record.branch) == (repository, branch)]


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Reads requests on one issue or pull request.

    Attributes:
        mention_name: without the `@`.
        is_ours: whether it is a pull request of ours, where a review needs no mention to ask for changes.
    """

    client: GitHubClient
    people: People
    mention_name: str
    is_ours: bool

    @classmethod
    def on(
        cls,
        request: SessionRequest,
        pull: PullRequest | None,
        services: Services[OpenPullRequestSettings],
        client: GitHubClient,
        people: People,
    ) -> Self:
        """Return the reader for a pull request, or for an issue."""
        ours = (
            request.review_id is not None
            and pull is not None
            and is_ours(pull, people.repository, services.app, services.store, client)
        )
        return cls(client, people, services.settings.mention_name, is_ours=ours)

    def acknowledged(self, session_id: str, request: SessionRequest) -> FollowUp:
        """Read a request, and react to its comment; GitHub lets nobody react to a review.

        Raises:
            PullwrightError: as for `read`.
        """
        asked = self.read(session_id, request)
        try:
            if asked.comment_id is not None:
                self.client.react_to_comment(self.people.repository, asked.comment_id, "eyes")
        except PullwrightError as error:
            # A courtesy: in a locked conversation GitHub refuses it, and the work goes on.
            logger.warning("the comment could not be acknowledged", error=error.sentence)
        return asked

    def read(self, session_id: str, request: SessionRequest) -> FollowUp:
        """Read the comment or review that a request is about.

        Raises:
            CommentDeleted, CommentEdited: its text does not stand there any more.
            NotAddressed: as GitHub renders it, it asks us for nothing.
            PullwrightError: GitHub did not give it.
        """
        if request.comment_id is not None:
            return self._comment(session_id, request, request.comment_id)
        if request.review_id is not None:
            return self._review(session_id, request, request.review_id)
        raise InvalidRequest("comment_id: neither a comment nor a review is named.")

    def take_along(self, mine: FollowUp, waiting: Sequence[SessionRecord]) -> tuple[FollowUp, ...]:
        """Return what is asked for in this session: its own request, and those that wait.

        One that cannot be read is left alone: its own session says why.
        """
        found = [mine]
        for record in waiting[:MOST_TOGETHER]:
            try:
                request = read_request(record.request)
                # A comment is asked for again under another session's name.
                is_mine = (request.comment_id, request.review_id) == (mine.comment_id, mine.review_id)
                if request.is_follow_up and not is_mine:
                    found.append(self.read(record.session_id, request))
            except PullwrightError as error:
                if error.failure_class is not FailureClass.USER:
                    raise
                logger.info("a waiting request is not taken along", id=record.session_id, why=error.sentence)
        # GitHub's times are in whole seconds; its numbers grow.
        return tuple(sorted(found, key=lambda it: (it.created_at, it.comment_id or it.review_id or 0)))

    def _comment(self, session_id: str, request: SessionRequest, comment_id: int) -> FollowUp:
        if _is_young(request.asked_at):
            # Where GitHub does not show it yet, it is asked for again.
            self.client.fresh.made(f"comment:{comment_id}")
        comment = self.client.get_comment(self.people.repository, comment_id)
        if comment is None:
            raise CommentDeleted("The comment that asked for this was deleted before its session began.")
        _check_same(comment.body, request)
        command = read_command(comment.body or "")
        if (command is None or command.name not in {GO, PLAN}) and not self._addresses(comment.body_html):
            raise NotAddressed(f"The comment does not address @{self.mention_name}.")
        body = shown(self.client, self.people.repository, comment.body, comment.body_html)
        return self._follow_up(session_id, comment.user, comment.created_at, body, comment_id=comment_id)

    def _review(self, session_id: str, request: SessionRequest, review_id: int) -> FollowUp:
        repository, number = self.people.repository, request.issue or request.pull_request or 0
        if _is_young(request.asked_at):
            self.client.fresh.made(f"review:{review_id}")
        review = self.client.get_review(repository, number, review_id)
        if review is None:
            raise CommentDeleted("The review that asked for this was deleted before its session began.")
        _check_same(review.body, request)
        comments = self.client.review_comments_of(repository, number, review_id)
        if not self.asks(review, comments):
            raise NotAddressed(f"The review does not address @{self.mention_name}.")
        texts = [shown(self.client, repository, review.body, review.body_html)]
        texts += [
            f"{comment.place}:\n\n{text}"
            for comment in comments
            if (text := shown(self.client, repository, comment.body, comment.body_html))
        ]
        body = "\n\n".join(text for text in texts if text)
        if not body:
            raise NotAddressed("The review says nothing.")
        written_at = review.submitted_at or request.asked_at or datetime.now(UTC)
        return self._follow_up(session_id, review.user, written_at, body, review_id=review_id)

    def asks(self, review: Review, comments: Sequence[ReviewComment]) -> bool:
        """Return whether a review asks us for something: it mentions us, or wants changes of our work."""
        if self.is_ours and review.state.upper() == _CHANGES_REQUESTED:
            return True
        return any(self._addresses(html) for html in (review.body_html, *(one.body_html for one in comments)))

    def _addresses(self, html: str | None) -> bool:
        from pullwright.rendered.addressed import addresses  # noqa: PLC0415 - as in `shown`

        return addresses(html or "", mention_of(self.mention_name))

    def _follow_up(
        self,
        session_id: str,
        user: User | None,
        created_at: datetime,
        body: str,
        *,
        comment_id: int | None = None,
        review_id: int | None = None,
    ) -> FollowUp:
        return FollowUp(
            session_id=session_id,
            author=user.login if user is not None else _GHOST,
            author_role=self.people.role(user.login) if user is not None else AuthorRole.READER,
            created_at=created_at,
            body=body,
            comment_id=comment_id,
            review_id=review_id,
        )


def _is_young(asked_at: datetime | None) -> bool:
    return asked_at is not None and datetime.now(UTC) - asked_at < timedelta(seconds=YOUNG_SECONDS)


def _check_same(text: str | None, request: SessionRequest) -> None:
    expected = request.text_sha256
    # REST need not keep the line ends of the webhook.
    unix = (text or "").replace("\r\n", "\n")
    versions = {text or "", unix, unix.replace("\n", "\r\n")}
    if expected is not None and expected not in {
        sha256(version.encode(errors="replace")).hexdigest() for version in versions
    }:
        raise CommentEdited(
            "The comment that asked for this was edited after it was written and before its session began."
        )
