"""Records of reviews, their threads, and comments on commits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from github_standin.records import Reaction
from standin.store import Record


class Review(Record):
    """A review of a pull request.

    Attributes:
        commit_id: the head that was looked at.
        submitted_at: None while it is pending, when only its author sees it.
    """

    repository_id: int
    number: int
    user_id: int
    by_app: bool = False
    body: str
    state: Literal["PENDING", "COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED"]
    commit_id: str
    submitted_at: float | None
    updated_at: float


class Thread(Record):
    """A conversation about lines of a pull request's difference; numbers are those when it began.

    Attributes:
        side: `LEFT` is the base's version, `RIGHT` the head's.
        line: the last one.
        start_line: the first of several lines, or None for one.
        base: the merge base when it began.
        resolved_by_id: None while it is not resolved.
    """

    repository_id: int
    number: int
    path: str
    side: Literal["LEFT", "RIGHT"]
    line: int
    start_side: Literal["LEFT", "RIGHT"] | None = None
    start_line: int | None = None
    position: int
    hunk: str
    base: str
    commit_id: str
    resolved_by_id: int | None = None


class ReviewComment(Record):
    """A comment in a thread.

    Attributes:
        in_reply_to_id: the thread's first comment, of every later one.
    """

    repository_id: int
    number: int
    thread_id: int
    review_id: int
    user_id: int
    by_app: bool = False
    body: str
    in_reply_to_id: int | None = None
    reactions: list[Reaction] = Field(default_factory=list)
    created_at: float
    updated_at: float
    last_edited_at: float | None = None


class CommitComment(Record):
    """A comment on a commit, or on a line of a file in it."""

    repository_id: int
    commit_id: str
    user_id: int
    body: str
    path: str | None = None
    position: int | None = None
    line: int | None = None
    created_at: float
    updated_at: float
