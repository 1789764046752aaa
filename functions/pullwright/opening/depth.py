"""Ends what Apps could go on doing for ever: a session's push that makes an App ask for the next session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.apps import is_app
from pullwright.errors import TooManyInARow

if TYPE_CHECKING:
    from pullwright.models import SessionRequest
    from pullwright.store import BranchRecord

MOST_IN_A_ROW = 3


def count_in_a_row(record: BranchRecord | None, request: SessionRequest, session_id: str) -> int:
    """Return how many sessions on a branch Apps have asked for since a person last did, with this one.

    Args:
        record: the branch's.

    Raises:
        TooManyInARow: there were as many as there may be.
    """
    if request.delivery_id is None or not is_app(request.requested_by or ""):
        return 0
    if record is not None and record.session_id == session_id:
        # A repeated attempt.
        return record.asked_by_apps
    before = record.asked_by_apps if record is not None else 0
    if before >= MOST_IN_A_ROW:
        raise TooManyInARow(
            f"Apps have asked for the last {before} sessions on this branch, one after the other, and "
            f"{request.requested_by} asks for one more."
        )
    return before + 1
