"""What we write about a session that only comments."""

import re
from collections import Counter
from collections.abc import Sequence

from pullwright.markdown import code, details, fenced, inline
from pullwright.models import AgentRequest
from pullwright.quotation import quote
from pullwright.reviewing.marks import finding_marker, session_marker
from pullwright.reviewing.models import SEVERITIES, Finding
from pullwright.text import printable

_SHORT = 10
_LONGEST_TEXT = 12_000
_LONGEST_ELSEWHERE = 20_000
_SIGNS = {"high": "🔴 **High**", "medium": "🟠 **Medium**", "low": "🟡 **Low**"}
# Tools read commands from the source of comments, where a suggestion stands as it is.
_COMMAND = re.compile(r"^[^\S\n]*/[a-z]", re.IGNORECASE | re.MULTILINE)


def render_begin(request: AgentRequest, activity: str) -> str:
    """Return the session's comment until the outcome is known: the task itself may not write."""
    model = "stub, no model is asked" if request.stub else code(request.model)
    return join(
        session_marker(request.worker),
        "### 🔎 Reading",
        f"**Now:** {inline(activity)} What comes of it will stand here.",
        f"<sub>Session {code(request.session_id)} · commit {short(request.head_commit)} · {model}</sub>",
    )


def render_finding(finding: Finding) -> str:
    """Return the comment about a finding: the agent's words quoted, its suggestion to be accepted."""
    return join(
        finding_marker(finding.id),
        _SIGNS[finding.severity],
        quote(finding.text, _LONGEST_TEXT),
        _suggestion(finding),
    )


def render_review(request: AgentRequest, findings: Sequence[Finding]) -> str:
    """Return what stands above the comments of a review."""
    comment = f"{request.pull_request_url}#issuecomment-{request.comment_id}"
    return f"{_counted(findings)} about {short(request.head_commit)}. What else there is to say: {comment}"


def render_places(
    *, made: int, url: str, known: int, resolved: int, elsewhere: Sequence[Finding], left_out: int
) -> str:
    """Return the comment's part about a session's findings: how many there are, and where they stand.

    Args:
        made: number of comments in the new review.
        url: the new review's address.
        known: number of findings that an earlier review's comments say already.
        resolved: number of earlier comments that were resolved now.
        elsewhere: findings about lines that GitHub takes no comments on; they are quoted.
        left_out: number of findings beyond what one review may have.
    """
    parts = [
        f"[{_number(made, 'new comment')}]({url})" if made else "",
        f"{_number(known, 'comment')} from before still {'hold' if known > 1 else 'holds'}" if known else "",
        f"{_number(resolved, 'earlier one')} resolved" if resolved else "",
        f"{_number(len(elsewhere), 'finding')} below, about lines that the difference does not show"
        if elsewhere
        else "",
        f"{left_out} of less weight left out" if left_out else "",
    ]
    said = ", ".join(part for part in parts if part)
    line = f"**What was found:** {said}." if said else "**What was found:** nothing to comment on."
    if not elsewhere:
        return line
    longest = _LONGEST_ELSEWHERE // len(elsewhere)
    listed = [
        join(f"{_SIGNS[finding.severity]} {code(_place(finding))}", quote(finding.text, longest))
        for finding in elsewhere
    ]
    return join(line, details("Findings about other lines", join(*listed), is_open=True))


def short(commit: str | None) -> str:
    """Return a commit's hash as people write it."""
    return code((commit or "unknown")[:_SHORT])


def join(*parts: str) -> str:
    """Return paragraphs, without those that are empty."""
    return "\n\n".join(part for part in parts if part)


def _suggestion(finding: Finding) -> str:
    """Return the block that people can accept with a click; empty if it would not be what they see."""
    text = finding.suggestion
    if text is None or printable(text) != text.replace("\r\n", "\n") or _COMMAND.search(text):
        return ""
    begin, *lines, end = fenced(printable(text).removesuffix("\n"), "suggestion")
    # One empty line would be one; none at all takes the lines away.
    return "\n".join([begin, *(lines if text else []), end])


def _place(finding: Finding) -> str:
    lines = (
        str(finding.line) if finding.first_line == finding.line else f"{finding.first_line}-{finding.line}"
    )
    return f"{finding.path}:{lines}"


def _counted(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    weights = ", ".join(f"{counts[name]} of {name} severity" for name in SEVERITIES if counts[name])
    return f"{_number(len(findings), 'finding')} ({weights})"


def _number(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
