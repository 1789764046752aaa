"""The message of the one commit that a session pushes."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from pullwright.comments import RELEASE_COMMAND
from pullwright.effects import paragraph, without_effect
from pullwright.github.holding import SKIP_CHECKS
from pullwright.github.urls import noreply_address
from pullwright.text import visible

if TYPE_CHECKING:
    from pullwright.models import AgentRequest

_SUBJECT_WIDTH = 72
_BODY_WIDTH = 72
_MAX_BODY = 1_500
_LOGIN = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})$")
_HOLD = (
    "Hold CI until somebody has read the work",
    "",
    f"Whoever may write to the repository comments {RELEASE_COMMAND} on the pull request, or",
    "approves it. This commit changes no file.",
)
_MARKS = re.compile(r"^[#>*\s-]+|[*`]+")


def commit_message(request: AgentRequest, summary: str) -> str:
    """Write the message.

    Args:
        request: what was asked for; its title is the subject.
        summary: the agent's last words; their first paragraph is the body.
    """
    subject = textwrap.shorten(_plain(request.title) or "Work of the agent", _SUBJECT_WIDTH, placeholder=" …")
    paragraphs = [_plain(part) for part in re.split(r"\n\s*\n", visible(summary))]
    first = next((part for part in paragraphs if part), "")
    body = paragraph(first, _BODY_WIDTH, _MAX_BODY)
    trailers = [_session(request), *_requester(request)]
    return "\n\n".join(part for part in (subject, body, "\n".join(trailers)) if part) + "\n"


def merge_message(request: AgentRequest) -> str:
    """Write the message of the commit that brings the branch up to date with its base.

    Its trailer is not that of work: a task that finds it knows that the work is not done yet.
    """
    base, branch = (_plain(name) for name in (request.base, request.branch))
    return f"Merge branch '{base}' into {branch}\n\n{_update(request)}\n"


def hold_message(request: AgentRequest, *, is_update: bool = False) -> str:
    """Write the message of the commit that keeps workflows from running on what stands below it.

    GitHub reads the trailer only at the very end, after two empty lines. A squash merge ends its message with
    those who are credited as co-authors, so there is always one: nothing is kept from running after it.
    https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs

    Args:
        is_update: what stands below it is no work, but the base's.
    """
    co_author = _requester(request) or ["Co-authored-by: Claude <noreply@anthropic.com>"]
    trailers = [_update(request) if is_update else _session(request), *co_author, SKIP_CHECKS]
    return "\n".join([*_HOLD, "", "", *trailers]) + "\n"


def _session(request: AgentRequest) -> str:
    return f"Pullwright-Session: {request.session_id}"


def _update(request: AgentRequest) -> str:
    return f"Pullwright-Update: {request.session_id}"


def _requester(request: AgentRequest) -> list[str]:
    login = request.requested_by
    if not login or not _LOGIN.fullmatch(login):
        return []
    return [f"Co-authored-by: {login} <{noreply_address(request.git_url, request.requested_by_id, login)}>"]


def checkpoint_message(request: AgentRequest) -> str:
    """Write the message of a checkpoint, which no branch ever holds."""
    return f"Checkpoint: unfinished work for {request.branch}\n\nPullwright-Session: {request.session_id}\n"


def _plain(text: str) -> str:
    """One line of ordinary text: no Markdown, no control characters, no words that GitHub acts on."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # The pull request says what it closes, and the trailers are ours.
    return without_effect(_MARKS.sub("", line))
