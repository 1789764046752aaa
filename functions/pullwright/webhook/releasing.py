"""Events by which a person releases held CI: they go to the queue, because GitHub has to be asked who may."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pullwright.json_object import as_object
from pullwright.webhook.payload import field

_COMMAND = "/ci"


class Release(NamedTuple):
    """The message that releases CI.

    Attributes:
        message: of the queue, JSON.
        repository: full name.
    """

    message: str
    repository: str
    pull_request: int


def release(event: str, payload: Mapping[str, Any]) -> Release | None:
    """Return the message if an event releases the CI of a pull request.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment and
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review

    Returns:
        The message for the queue; None for every other event, and for those of Apps.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    if event == "issue_comment" and _is_command(payload):
        about: dict[str, Any] = {
            "pull_request": field(payload, "issue.number", int),
            "comment_id": field(payload, "comment.id", int),
            "asked_at": field(payload, "comment.created_at", str),
        }
    elif event == "pull_request_review" and _is_approval(payload):
        about = {
            "pull_request": field(payload, "pull_request.number", int),
            "commit": field(payload, "review.commit_id", str),
        }
    else:
        return None
    if field(payload, "sender.type", str) != "User":
        return None
    repository = field(payload, "repository.full_name", str)
    message = {
        "kind": "release",
        "repository": repository,
        "login": field(payload, "sender.login", str),
        "installation_id": field(payload, "installation.id", int),
        **about,
    }
    return Release(json.dumps(message, separators=(",", ":")), repository, about["pull_request"])


def _is_command(payload: Mapping[str, Any]) -> bool:
    """Return whether a new comment, not an edited one, on an open pull request is the command alone."""
    issue, body = as_object(payload.get("issue")), as_object(payload.get("comment")).get("body")
    if payload.get("action") != "created" or not isinstance(body, str) or body.strip() != _COMMAND:
        return False
    return issue.get("pull_request") is not None and issue.get("state") == "open"


def _is_approval(payload: Mapping[str, Any]) -> bool:
    review, pull = as_object(payload.get("review")), as_object(payload.get("pull_request"))
    is_open = pull.get("state") == "open"
    return payload.get("action") == "submitted" and review.get("state") == "approved" and is_open
