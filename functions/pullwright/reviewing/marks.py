"""The hidden beginnings of our comments, by which we know them again."""

import re

_FINDING = re.compile(r"<!-- pullwright:finding:([0-9a-f]{16}) -->")


def session_marker(worker: str) -> str:
    """Return what the comment begins with that tells how a worker's session goes: one for each worker."""
    return f"<!-- pullwright:comment:{worker} -->"


def finding_marker(finding_id: str) -> str:
    """Return what the comment about a finding begins with."""
    return f"<!-- pullwright:finding:{finding_id} -->"


def finding_of(text: str) -> str | None:
    """Return the finding that a comment is about; anybody can write this, so it has to be ours."""
    match = _FINDING.match(text)
    return match[1] if match else None
