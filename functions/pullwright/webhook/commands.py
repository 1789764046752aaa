"""Commands that people give in comments, such as `/stop`.

They go to the queue, because GitHub has to be asked who may.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from pullwright.json_object import as_object
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field

STOP, RETRY, STATUS, COST, RELEASE = "stop", "retry", "status", "cost", "ci"
PLAN, GO = "plan", "go"
COMMANDS = {
    STOP: "ends the session that runs here, and those that wait",
    RETRY: "starts the last request again",
    PLAN: "makes a plan and changes nothing",
    GO: "has the plan carried out",
    STATUS: "says what runs here and how the last session ended",
    COST: "says what the sessions here have cost",
    RELEASE: "lets GitHub Actions run on held work, alone in its comment",
}
"""What people can ask for, and what it does."""
# At the very beginning, after blank lines at most, and not so far to the right that it is code:
# https://spec.commonmark.org/0.31.2/#indented-code-blocks
_COMMAND = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))* {0,3}/([a-z][a-z-]{0,31})(?=\s|\Z)", re.IGNORECASE)


class Words(NamedTuple):
    """A command as it stands in a comment.

    Attributes:
        name: without the slash, in lower case; it may be nobody's.
        is_alone: whether nothing else stands in the comment.
    """

    name: str
    is_alone: bool


def read_command(body: str) -> Words | None:
    """Return the command that a comment's first line begins with; None if it begins with none."""
    found = _COMMAND.match(body)
    if found is None:
        return None
    return Words(found[1].lower(), is_alone=not body[found.end() :].strip())


def command(event: str, payload: Mapping[str, Any], delivery_id: str) -> Message | None:
    """Return the message if an event is a command in a new comment of a person.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment

    Returns:
        The message for the queue; None for every other event, for comments of Apps, and for words that other
        tools may listen to: an unknown one is ours on a pull request that an App has opened, perhaps ours.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    issue, body = as_object(payload.get("issue")), as_object(payload.get("comment")).get("body")
    if event != "issue_comment" or payload.get("action") != "created" or not isinstance(body, str):
        return None
    words = read_command(body)
    is_pull_request = issue.get("pull_request") is not None
    if words is None or as_object(payload.get("sender")).get("type") != "User":
        return None
    if words.name not in COMMANDS and not (is_pull_request and _is_by_app(issue)):
        return None
    repository = field(payload, "repository.full_name", str)
    number = field(payload, "issue.number", int)
    message = {
        "kind": "command",
        "name": words.name,
        "is_alone": words.is_alone,
        "repository": repository,
        "number": number,
        "is_pull_request": is_pull_request,
        "login": field(payload, "sender.login", str),
        "installation_id": field(payload, "installation.id", int),
        "comment_id": field(payload, "comment.id", int),
        "asked_at": field(payload, "comment.created_at", str),
        "text_sha256": _sha256(body),
        "delivery_id": delivery_id,
        "title_sha256": _sha256(issue.get("title")),
        "body_sha256": _sha256(issue.get("body")),
    }
    reason = f"The command /{words.name} is carried out if the person may write."
    return Message(json.dumps(message, separators=(",", ":")), reason, repository, number)


def _is_by_app(issue: Mapping[str, Any]) -> bool:
    return as_object(issue.get("user")).get("type") == "Bot"


def _sha256(text: Any) -> str:
    """Hash a text as GitHub's REST API gives it; a description that is missing counts as empty."""
    return sha256((text if isinstance(text, str) else "").encode(errors="replace")).hexdigest()
