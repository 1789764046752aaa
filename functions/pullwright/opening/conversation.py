"""The comments as they stood when somebody asked for a session, with what their authors may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pullwright.errors import GitHubRefused
from pullwright.github import GitHubClient
from pullwright.github.payloads import Comment
from pullwright.log import logger
from pullwright.models import AuthorRole, IssueComment
from pullwright.opening.people import People
from pullwright.opening.shown import shown

MOST_COMMENTS = 100
# GitHub's own name for deleted accounts.
_GHOST = "ghost"


@dataclass(frozen=True, slots=True)
class Conversation:
    """What people said.

    Attributes:
        left_out: how many more stood there than are taken.
    """

    comments: tuple[IssueComment, ...] = ()
    left_out: int = 0


def read_conversation(
    client: GitHubClient, people: People, comments: Iterable[Comment], asked_at: datetime, bot_id: int
) -> Conversation:
    """Read the comments that existed at a moment, without ours.

    One that was edited since then is left out, and so is one that somebody has hidden on the page.
    Of many, those of people who may write are taken first, and the newest of them.

    Args:
        client: reads each comment as GitHub renders it.
        comments: all there are, without their rendering.
    """
    standing = [comment for comment in comments if _stood(comment, asked_at) and (comment.body or "").strip()]
    others = [comment for comment in standing if comment.user is None or comment.user.id != bot_id]
    newest = sorted(others, key=lambda comment: (comment.created_at, comment.id), reverse=True)
    roles = {
        comment.id: people.role(comment.user.login) if comment.user else AuthorRole.READER
        for comment in newest
    }
    # The sort is stable: the newest stay first.
    chosen = sorted(newest, key=lambda comment: roles[comment.id] is not AuthorRole.WRITER)[:MOST_COMMENTS]
    read, left_out = [], len(newest) - len(chosen)
    for comment in sorted(chosen, key=lambda comment: (comment.created_at, comment.id)):
        rendered = client.get_comment(people.repository, comment.id)
        if rendered is None or not _stood(rendered, asked_at):
            continue
        try:
            body = shown(client, people.repository, rendered.body, rendered.body_html)
        except GitHubRefused as error:
            # Nobody can keep others from being heard by a comment that cannot be read.
            logger.warning("a comment cannot be read", id=comment.id, error=error.sentence)
            left_out += 1
            continue
        if body:
            author, role = _author(rendered), roles[comment.id]
            read.append(
                IssueComment(author=author, author_role=role, created_at=comment.created_at, body=body)
            )
    return Conversation(tuple(read), left_out)


def _stood(comment: Comment, moment: datetime) -> bool:
    is_shown = comment.minimized is None
    return is_shown and comment.created_at <= moment and comment.updated_at <= moment


def _author(comment: Comment) -> str:
    return comment.user.login if comment.user is not None else _GHOST
