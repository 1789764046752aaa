"""All that is known of one session, as `pullwright show --json` prints it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pullwright import errors
from pullwright_cli.session import Session, visits_of

if TYPE_CHECKING:
    from pullwright.record import SessionRecord
    from pullwright_cli.session import Deployed

# Long, or of use to the stack alone.
_LEFT_OUT = frozenset({"input", "spend_keys", "reconciling_until", "ttl", "is_over", "lock_key"})


def details(stack: Deployed, session_id: str) -> dict[str, Any]:
    """Return what record, execution and bucket say of a session.

    Raises:
        SessionMissing: neither the table nor Step Functions knows it.
        RecordTooNew: a later release wrote the record.
    """
    session = Session.named(stack, session_id)
    record = session.record()
    execution, states = None, []
    try:
        described = session.description()
        states = visits_of(session.events())
        execution = {
            "arn": session.arn,
            "status": described["status"],
            "error": described.get("error"),
            "cause": described.get("cause"),
        }
    except errors.ExecutionForgotten:
        if record.is_missing:
            raise missing(session.id) from None
    return {
        "session": session.id,
        "record": None if record.is_missing else as_json(record),
        "request": record.request or (session.input if execution else {}),
        "execution": execution,
        "states": [
            {"name": visit.name, "entered_at": visit.entered.isoformat(), "seconds": visit.seconds}
            for visit in states
        ],
        "artifacts": [artifact.name for artifact in session.artifact_list()],
    }


def missing(session_id: str) -> errors.SessionMissing:
    """Return the error that says that nobody knows a session."""
    return errors.SessionMissing(f"There is no session {session_id} in this stack.")


def as_json(record: SessionRecord) -> dict[str, Any]:
    """Return a record as JSON can hold it."""
    values = record.model_dump(exclude=set(_LEFT_OUT), exclude_none=True)
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
