"""Which webhooks came, and what came of each: the webhook's log has one line for each delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pullwright_cli.logbook import Logbook

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright_cli.logbook import Line
    from pullwright_cli.session import Deployed

_STARTED = frozenset({"started", "queued", "already_started"})


def deliveries(
    stack: Deployed, repository: str, since: datetime | None, *, only_unmatched: bool
) -> list[dict[str, Any]]:
    """Return deliveries, oldest first.

    Args:
        repository: empty for those of all, and for those that name none.
        only_unmatched: those that started nothing.
    """
    lines = Logbook(stack, ("webhook",), None).lines(since)
    found = [_event(line) for line in lines if "status_code" in line.fields]
    return [
        event
        for event in found
        if (not repository or event["repository"] == repository)
        and not (only_unmatched and event["status"] in _STARTED)
    ]


def _event(line: Line) -> dict[str, Any]:
    fields = line.fields
    unmatched = fields.get("unmatched")
    return {
        "at": line.at.isoformat(),
        "delivery": fields.get("delivery_id"),
        "event": fields.get("event"),
        "repository": fields.get("repository"),
        "number": fields.get("issue"),
        "status_code": fields.get("status_code"),
        "status": fields.get("status"),
        "reason": line.message,
        "session": fields.get("correlation_id"),
        "workers": list(fields.get("matched") or []),
        "unmatched": unmatched if isinstance(unmatched, dict) else {},
    }
