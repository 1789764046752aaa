"""Events that take the ground from under running sessions: they go to the queue, and the sessions end."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pullwright.webhook.payload import field

_GONE = {"deleted": "was deleted", "transferred": "was moved to another repository"}


class Withdrawal(NamedTuple):
    """What the queue is told.

    Attributes:
        message: of the queue, JSON.
        reason: for whoever reads the delivery on GitHub.
    """

    message: str
    reason: str


def withdrawal(event: str, payload: Mapping[str, Any], trigger_label: str) -> Withdrawal | None:
    """Read whether an event ends sessions.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues

    Args:
        event: GitHub's name of it.
        payload: the decoded body.
        trigger_label: the label that starts sessions.

    Returns:
        What the queue is to be told; None for every other event.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    # Whatever JSON may hold there, a text can be looked up.
    action = str(payload.get("action"))
    if event == "issues" and action == "unlabeled":
        if field(payload, "label.name", str).casefold() != trigger_label.casefold():
            return None
        why = f"The label {trigger_label} was removed by {field(payload, 'sender.login', str)}."
        return _about_issue(payload, "LabelRemoved", why)
    if event == "issues" and action in _GONE:
        return _about_issue(payload, "SessionStopped", f"The issue {_GONE[action]}.")
    if event == "installation" and action in {"deleted", "suspend"}:
        return _about_installation(payload, None)
    if event == "installation_repositories" and action == "removed":
        return _about_installation(payload, _removed(payload))
    return None


def _about_issue(payload: Mapping[str, Any], error: str, cause: str) -> Withdrawal:
    return _withdrawal(
        error,
        cause,
        repository=field(payload, "repository.full_name", str),
        issue=field(payload, "issue.number", int),
        at=field(payload, "issue.updated_at", str),
    )


def _about_installation(payload: Mapping[str, Any], repositories: list[str] | None) -> Withdrawal:
    return _withdrawal(
        "SessionStopped",
        "The GitHub App was taken off the repository.",
        installation_id=field(payload, "installation.id", int),
        repositories=repositories,
    )


def _withdrawal(error: str, cause: str, **about: Any) -> Withdrawal:
    message = {"kind": "stop", "error": error, "cause": cause, **about}
    return Withdrawal(json.dumps(message, separators=(",", ":")), cause)


def _removed(payload: Mapping[str, Any]) -> list[str]:
    listed = payload.get("repositories_removed")
    names = (
        [one.get("full_name") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    )
    return [name for name in names if isinstance(name, str)]
