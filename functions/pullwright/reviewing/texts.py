"""What we write about a session that only comments."""

from pullwright.markdown import code, inline
from pullwright.models import AgentRequest
from pullwright.reviewing.marks import session_marker

_SHORT = 10


def render_begin(request: AgentRequest, activity: str) -> str:
    """Return the session's comment until the outcome is known: the task itself may not write."""
    model = "stub, no model is asked" if request.stub else code(request.model)
    return join(
        session_marker(request.worker),
        "### 🔎 Reading the changes",
        f"**Now:** {inline(activity)} What comes of it will stand here.",
        f"<sub>Session {code(request.session_id)} · commit {short(request.head_commit)} · {model}</sub>",
    )


def short(commit: str | None) -> str:
    """Return a commit's hash as people write it."""
    return code((commit or "unknown")[:_SHORT])


def join(*parts: str) -> str:
    """Return paragraphs, without those that are empty."""
    return "\n\n".join(part for part in parts if part)
