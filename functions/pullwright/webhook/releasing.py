"""Reviews by which a person releases held CI: they go to the queue, because GitHub has to be asked who may.

The command `/ci` does the same: see `pullwright.webhook.commands`.
"""

import json
from collections.abc import Mapping
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field


def release(event: str, payload: Mapping[str, Any]) -> Message | None:
    """Return the message if an event is a review that releases the CI of a pull request.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review

    Returns:
        The message for the queue; None for every other event, and for those of Apps.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    if event != "pull_request_review" or not _is_approval(payload):
        return None
    if field(payload, "sender.type", str) != "User":
        return None
    repository = field(payload, "repository.full_name", str)
    number = field(payload, "pull_request.number", int)
    message = {
        "kind": "release",
        "repository": repository,
        "login": field(payload, "sender.login", str),
        "installation_id": field(payload, "installation.id", int),
        "pull_request": number,
        "commit": field(payload, "review.commit_id", str),
    }
    reason = "CI is released if the person may write and has seen the work."
    return Message(json.dumps(message, separators=(",", ":")), reason, repository, number)


def _is_approval(payload: Mapping[str, Any]) -> bool:
    review, pull = as_object(payload.get("review")), as_object(payload.get("pull_request"))
    is_open = pull.get("state") == "open"
    return payload.get("action") == "submitted" and review.get("state") == "approved" and is_open
