"""What people are told about checks: one comment for each pull request, rewritten by the next word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.markdown import code_span
from pullwright.mended import MOST_IN_A_ROW
from pullwright.text import plain_line

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKS_MARKER = "<!-- pullwright:checks -->"
_MOST_NAMES = 10
_LONGEST_NAME = 60
_SHORT = 12


def render_on_base(names: Sequence[str], commit: str) -> str:
    """Say that nothing is mended, because it fails without the branch too.

    Args:
        commit: hash of the pull request's base, as GitHub gives it.
    """
    return _render(
        "🚦 Not this branch's failure",
        f"{_failed(names, commit)}, which is the base commit, too: so no session tries to mend it here.",
    )


def render_flaky(names: Sequence[str], commit: str) -> str:
    """Say that a failure was not repeated."""
    again = "and passed when the same commit was run again. No code was changed for it."
    return _render("🎲 Flaky", f"{_failed(names, commit)}, {again}")


def render_given_up(names: Sequence[str], commit: str) -> str:
    """Say that no further session tries."""
    return _render(
        "✋ Given up",
        f"{_failed(names, commit)}, after {MOST_IN_A_ROW} sessions in a row had tried to mend it. It is left "
        "to people now: when somebody pushes, the count begins anew.",
    )


def render_nobody(names: Sequence[str], commit: str) -> str:
    """Say that nobody is known any more for whom a session would work."""
    return _render(
        "🚦 Checks failed",
        f"{_failed(names, commit)}. It is not known any more who asked for this work, so no session "
        "starts by itself. Ask for one in a comment that mentions the App.",
    )


def _failed(names: Sequence[str], commit: str) -> str:
    shown = ", ".join(code_span(plain_line(name, _LONGEST_NAME)) for name in names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{shown}{more} failed on {code_span(commit[:_SHORT])}"


def _render(heading: str, text: str) -> str:
    return f"{CHECKS_MARKER}\n\n### {heading}\n\n{text}"
