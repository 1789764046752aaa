"""The comment that tells on a pull request how its preview is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.figures import duration
from pullwright.markdown import code, details, sentence, verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_LONGEST_LOG = 8_000
_WHEN = "%Y-%m-%d %H:%M UTC"


def marker(*, is_of_session: bool) -> str:
    """Return how the comment begins: a preview that a session left has one of its own."""
    return f"<!-- pullwright:preview{':session' if is_of_session else ''} -->"


def render_building(begin: str, *, commit: str, since: datetime, task_seconds: float | None = None) -> str:
    """Return the comment while the branch is built and started.

    Args:
        begin: from `marker`.
        task_seconds: from the request until its task ran; None before it does.
    """
    step = "Its task is being started."
    if task_seconds is not None:
        step = (
            f"Its task was there after {duration(task_seconds)}; the branch is being built and started in it."
        )
    return _join(
        begin,
        "### 🔧 Preview: building",
        f"{code(commit[:7])} was asked for at {since:{_WHEN}}. {step} "
        "The address will stand here once it answers.",
    )


def render_serving(begin: str, *, url: str, commit: str, until: datetime, seconds: float, label: str) -> str:
    """Return the comment while the branch is served.

    Args:
        seconds: from the request until it was healthy.
        label: that it is there for; empty for one that a session left or an operator started.
    """
    ends = "A push does not renew it; it goes when the pull request is closed."
    if label:
        ends = (
            f"A push renews it, and it goes when the label {code(label)} is removed or the pull request is "
            "closed."
        )
    return _join(
        begin,
        f"### 🌐 Preview: <{url}>",
        f"Serves {code(commit[:7])} until {until:{_WHEN}}; it took {duration(seconds)} to be there. {ends}",
    )


def render_gone(begin: str, *, why: str) -> str:
    """Return the comment when the preview is not needed any more."""
    return _join(begin, "### 💤 Preview: gone", sentence(why))


def render_failed(
    begin: str, *, why: str, remedy: str, preview_id: str, log: str, lines: Sequence[str] | None
) -> str:
    """Return the comment when the preview could not be served.

    Args:
        log: group and stream, empty if there is none.
        lines: the last ones of the log; None if it cannot be read.
    """
    facts = [f"- Preview: {code(preview_id)}", *([f"- Log: {code(log)}"] if log else [])]
    return _join(
        begin,
        "### 💥 Preview: failed",
        f"**What happened:** {sentence(why)}",
        f"**What you can do:** {sentence(remedy)}" if remedy else "",
        _last_lines(lines) if log else "",
        details("Details", "\n".join(facts)),
    )


def _last_lines(lines: Sequence[str] | None) -> str:
    if lines is None:
        return "Its log cannot be read now."
    if not lines:
        return "Its log has no lines."
    return details("The last lines of its log", verbatim("\n".join(lines), _LONGEST_LOG), is_open=True)


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
