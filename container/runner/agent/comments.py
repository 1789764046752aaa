"""Whose comments the agent reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.models import AuthorRole

if TYPE_CHECKING:
    from pullwright.models import AgentRequest
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
    kept = tuple(comment for comment in request.comments if comment.author_role in _ROLES_READ[commenters])
    total = len(request.comments) + request.comments_left_out
    missing = total - len(kept)
    if not missing:
        return request, None
    some = "The only comment" if total == 1 else f"Of {total} comments, {missing}"
    sentence = f"{some} did not reach the agent: {_REASONS[commenters]}."
    return request.model_copy(update={"comments": kept}), sentence
