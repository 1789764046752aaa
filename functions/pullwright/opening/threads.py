"""The threads about a pull request's changes, as they stood when somebody asked for a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import GitHubRefused
from pullwright.github.reviews import Reviews
from pullwright.log import logger
from pullwright.models import AuthorRole, IssueComment, ReviewThread
from pullwright.opening.shown import shown
from pullwright.reviewing.marks import finding_of
from pullwright.text import visible

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.github.client import GitHubClient
    from pullwright.github.reviews import ReviewThread as Found
    from pullwright.github.reviews import ThreadComment
    from pullwright.opening.people import People

_MOST_THREADS = 100
# GitHub renders each in a call of its own.
_MOST_RENDERED = 60
_GHOST = "ghost"


def read_threads(
    client: GitHubClient, people: People, number: int, slug: str, asked_at: datetime
) -> tuple[ReviewThread, ...]:
    """Read the threads with what people said in them before a moment.

    Those that are open come first, and of many the newest.

    Args:
        number: of the pull request.
        slug: of our App: what it said stands as it wrote it, and what others said as GitHub shows it.
    """
    newest_first = Reviews(client, people.repository, number).threads()[::-1]
    chosen = sorted(newest_first, key=lambda thread: thread.is_resolved)[:_MOST_THREADS]
    reader = _Reader(client, people, slug, asked_at)
    return tuple(read for thread in chosen if (read := reader.read(thread)) is not None)


class _Reader:
    def __init__(self, client: GitHubClient, people: People, slug: str, asked_at: datetime) -> None:
        self._client = client
        self._people = people
        self._slug = slug
        self._asked_at = asked_at
        self._rendered = 0

    def read(self, thread: Found) -> ReviewThread | None:
        """Return a thread; None if nothing of it is left to read."""
        comments = tuple(read for it in thread.comments if (read := self._comment(it)) is not None)
        if not comments:
            return None
        first = thread.comments[0]
        return ReviewThread(
            id=thread.id,
            path=thread.path,
            line=thread.line,
            is_resolved=thread.is_resolved,
            finding=finding_of(first.body) if first.is_by_app(self._slug) else None,
            comments=comments,
        )

    def _comment(self, comment: ThreadComment) -> IssueComment | None:
        """Return a comment; None if it was written or edited since, or cannot be read.

        Ours always counts: a session that waited for another one has to know what that has found.
        """
        login = comment.author.login if comment.author is not None else _GHOST
        if comment.is_by_app(self._slug):
            role, body = AuthorRole.APP, visible(comment.body)
        elif max(comment.created_at, comment.edited_at or comment.created_at) > self._asked_at:
            return None
        else:
            is_app = comment.author is not None and comment.author.kind == "Bot"
            login = f"{login}[bot]" if is_app else login
            role, body = self._people.role(login), self._rendering(comment.body)
        if not body:
            return None
        return IssueComment(author=login, author_role=role, created_at=comment.created_at, body=body)

    def _rendering(self, text: str) -> str:
        if self._rendered == _MOST_RENDERED:
            return ""
        self._rendered += 1
        try:
            return shown(self._client, self._people.repository, text, None)
        except GitHubRefused as error:
            logger.warning("a comment in a thread cannot be read", error=error.sentence)
            return ""
