"""Whose comments the agent reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.models import AuthorRole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pullwright.models import AgentRequest, ReviewThread
    from pullwright.repository.configuration import Commenters

# Apps that the deployment does not list are nobody's words: they repeat what strangers make them say.
_ROLES_READ: dict[Commenters, frozenset[AuthorRole]] = {
    "writers": frozenset({AuthorRole.WRITER}),
    "everyone": frozenset({AuthorRole.WRITER, AuthorRole.READER, AuthorRole.UNKNOWN}),
}
_REASONS: dict[Commenters, str] = {
    "writers": (
        "it reads those of people with write permission and of allowed Apps (`comments: everyone` in "
        "`.pullwright/config.yaml` lets everybody's in)"
    ),
    "everyone": "it reads none of Apps that are not allowed, and of very many only the newest",
}


def select_comments(request: AgentRequest, commenters: Commenters) -> tuple[AgentRequest, str | None]:
    """Leave the comments out that the repository does not want its agent to read.

    Returns:
        The request for the agent, and a sentence about what it does not see, if there is something.
    """
    roles = _ROLES_READ[commenters]
    kept = tuple(comment for comment in request.comments if comment.author_role in roles)
    threads = tuple(thread for it in request.threads if (thread := _heard(it, roles)).comments)
    total = len(request.comments) + request.comments_left_out + _count(request.threads)
    missing = total - len(kept) - _count(threads)
    if not missing:
        return request, None
    some = "The only comment" if total == 1 else f"Of {total} comments, {missing}"
    sentence = f"{some} did not reach the agent: {_REASONS[commenters]}."
    return request.model_copy(update={"comments": kept, "threads": threads}), sentence


def _heard(thread: ReviewThread, roles: frozenset[AuthorRole]) -> ReviewThread:
    """Return a thread without those who are not heard; what it is about, if that is ours, stays."""
    ours = thread.comments[:1] if thread.finding is not None else ()
    rest = thread.comments[len(ours) :]
    kept = (*ours, *(comment for comment in rest if comment.author_role in roles))
    return thread.model_copy(update={"comments": kept})


def _count(threads: Iterable[ReviewThread]) -> int:
    return sum(len(thread.comments) for thread in threads)
