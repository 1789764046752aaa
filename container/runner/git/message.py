"""The message of the one commit that a session pushes."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from pullwright.effects import paragraph, without_effect
from pullwright.github.urls import noreply_address
from pullwright.text import visible

if TYPE_CHECKING:
    from pullwright.models import AgentRequest

_SUBJECT_WIDTH = 72
_BODY_WIDTH = 72
_MAX_BODY = 1_500
_LOGIN = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})$")
_MARKS = re.compile(r"^[#>*\s-]+|[*`]+")


def commit_message(request: AgentRequest, summary: str) -> str:
    """Writes the message.

    Args:
        request: what was asked for; its title is the subject.
        summary: the agent's last words; their first paragraph is the body.
    """
    subject = textwrap.shorten(_plain(request.title) or "Work of the agent", _SUBJECT_WIDTH, placeholder=" …")
    paragraphs = [_plain(part) for part in re.split(r"\n\s*\n", visible(summary))]
    first = next((part for part in paragraphs if part), "")
    body = paragraph(first, _BODY_WIDTH, _MAX_BODY)
    trailers = [f"Pullwright-Session: {request.session_id}"]
    login = request.requested_by
    if login and _LOGIN.fullmatch(login):
        address = noreply_address(request.git_url, request.requested_by_id, login)
        trailers.append(f"Co-authored-by: {login} <{address}>")
    return "\n\n".join(part for part in (subject, body, "\n".join(trailers)) if part) + "\n"


def checkpoint_message(request: AgentRequest) -> str:
    """Writes the message of a checkpoint, which no branch ever holds."""
    return f"Checkpoint: unfinished work for {request.branch}\n\nPullwright-Session: {request.session_id}\n"


def _plain(text: str) -> str:
    """One line of ordinary text: no Markdown, no control characters, no words that GitHub acts on."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # The pull request says what it closes, and the trailers are ours.
    return without_effect(_MARKS.sub("", line))
