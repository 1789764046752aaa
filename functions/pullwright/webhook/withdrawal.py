"""Events after which sessions must end, such as a label removed: they go to the queue."""

import json
from collections.abc import Mapping
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field

_TAKEN_AWAY = {
    "deleted": "The GitHub App was taken off the repository.",
    "suspend": "The GitHub App's installation was suspended.",
}
_GONE = {"deleted": "was deleted", "transferred": "was moved to another repository"}


def withdrawal(event: str, payload: Mapping[str, Any]) -> Message | None:
    """Return the message if an event ends sessions, whatever the workers are.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues

    Returns:
        The message for the queue; None for every other event.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    # Whatever JSON may hold there, a text can be looked up.
    action = str(payload.get("action"))
    if event == "issues" and action in _GONE:
        return _about_issue(payload, "SessionStopped", f"The issue {_GONE[action]}.")
    if event == "pull_request" and action == "closed":
        return _about_pull_request(payload)
    if event == "installation" and action in _TAKEN_AWAY:
        return _about_installation(payload, None, _TAKEN_AWAY[action])
    if event == "installation_repositories" and action == "removed":
        return _about_installation(payload, _removed(payload), _TAKEN_AWAY["deleted"])
    return None


def label_removed(event: str, payload: Mapping[str, Any], labels: frozenset[str]) -> Message | None:
    """Return the message that ends the sessions which a label started, now that somebody took it off.

    Args:
        labels: those that start workers, in small letters.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    label = field(payload, "label.name", str)
    if label.casefold() not in labels:
        return None
    cause = f"The label {label} was removed by {field(payload, 'sender.login', str)}."
    if event == "issues":
        return _about_issue(payload, "LabelRemoved", cause, label=label)
    return _withdrawal(
        "LabelRemoved",
        cause,
        repository=field(payload, "repository.full_name", str),
        pull_request=field(payload, "pull_request.number", int),
        at=field(payload, "pull_request.updated_at", str),
        label=label,
    )


def _about_issue(payload: Mapping[str, Any], error: str, cause: str, **more: str) -> Message:
    return _withdrawal(
        error,
        cause,
        repository=field(payload, "repository.full_name", str),
        issue=field(payload, "issue.number", int),
        at=field(payload, "issue.updated_at", str),
        **more,
    )


def _about_pull_request(payload: Mapping[str, Any]) -> Message | None:
    """End the sessions of a pull request that was closed or merged; one from a fork has none.

    Whoever did it: Apps merge too, and ours closes none.
    """
    name = field(payload, "repository.full_name", str)
    pull_request = as_object(payload.get("pull_request"))
    # GitHub gives no repository when the fork is gone.
    source = as_object(as_object(pull_request.get("head")).get("repo"))
    if source.get("full_name") != name:
        return None
    how = "merged" if pull_request.get("merged") is True else "closed"
    return _withdrawal(
        "SessionStopped",
        f"The pull request was {how} by {field(payload, 'sender.login', str)}.",
        repository=name,
        pull_request=field(payload, "pull_request.number", int),
        at=field(payload, "pull_request.closed_at", str),
    )


def _about_installation(payload: Mapping[str, Any], repositories: list[str] | None, cause: str) -> Message:
    return _withdrawal(
        "SessionStopped",
        cause,
        installation_id=field(payload, "installation.id", int),
        repositories=repositories,
    )


def _withdrawal(error: str, cause: str, **about: Any) -> Message:
    message = {"kind": "stop", "error": error, "cause": cause, **about}
    return Message(json.dumps(message, separators=(",", ":")), f"{cause} Its sessions end.")


def _removed(payload: Mapping[str, Any]) -> list[str]:
    removed = payload.get("repositories_removed")
    repositories = removed if isinstance(removed, list) else []
    names = [as_object(repository).get("full_name") for repository in repositories]
    return [name for name in names if isinstance(name, str)]
