"""Answers the threads of reviews that a session has worked on, and resolves those that are dealt with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import ConversationLocked, GitHubRefused, PermissionMissing
from pullwright.github.permissions import RESOLVING
from pullwright.github.reviews import Reviews
from pullwright.log import logger
from pullwright.quotation import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.github.app import GitHubApp
    from pullwright.models import AgentRequest
    from pullwright.results import ThreadAnswer

_LONGEST = 3_000
# Each is a comment of its own, of which GitHub takes eighty a minute.
_MOST = 30


def answer_marker(session_id: str) -> str:
    """Return what our answer in a thread begins with, so that a repeated report finds it."""
    return f"<!-- pullwright:answer:{session_id} -->"


def answer_threads(
    app: GitHubApp, request: AgentRequest, answers: Sequence[ThreadAnswer], installation_id: int | None
) -> None:
    """Post each answer once, then resolve the threads where nothing is left to do. Safe to repeat.

    Only threads count that the session was asked about: what the agent names is its word alone.

    Raises:
        PullwrightError: GitHub does not answer; it can be done again later.
    """
    given = {thread.id for thread in request.threads}
    chosen = {answer.thread: answer for answer in answers if answer.thread in given}
    if not chosen:
        return
    client = app.client(request.repository, RESOLVING, installation_id)
    reviews = Reviews(client, request.repository, request.pull_request)
    marker, slug = answer_marker(request.session_id), app.app().slug
    done = []
    for thread in [thread for thread in reviews.threads() if thread.id in chosen][:_MOST]:
        answer = chosen[thread.id]
        is_there = any(
            comment.is_by_app(slug) and comment.body.startswith(marker) for comment in thread.comments
        )
        try:
            if not is_there and thread.comment_id is not None:
                reviews.reply(thread.comment_id, f"{marker}\n\n{quote(answer.text, _LONGEST)}")
        except (ConversationLocked, GitHubRefused) as error:
            logger.warning("a thread could not be answered", error=error.sentence)
            continue
        if answer.is_done and not thread.is_resolved:
            done.append(thread.id)
    try:
        if done:
            reviews.resolve(done)
    except (GitHubRefused, PermissionMissing, ConversationLocked) as error:
        logger.warning("threads could not be resolved", error=error.sentence)
