"""Requests in comments and reviews that mention us: they start sessions that go on with the conversation.

A comment's Markdown is only looked through here; whether it really addresses us is decided by GitHub's
rendering of it: see `pullwright.opening.follow_up`.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from pullwright.apps import is_app
from pullwright.json_object import as_object
from pullwright.webhook.commands import COMMANDS, read_command
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field, wrong
from pullwright.webhook.start import Start
from pullwright.worker_names import IMPLEMENT
from pullwright.workers.routing import Match, Trigger, Worker

_LARGEST_NUMBER = 9_999_999_999
# Fenced code from a line's very beginning, and lines of a quotation: https://spec.commonmark.org/0.31.2/
_SET_APART = re.compile(
    r"""
    ^(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*(?:\n.*?(?:^\ {0,3}(?P=fence)[`~]*[\ \t]*$|\Z)|\Z)
    | ^\ {0,3}>[^\n]*
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
# With HTML, footnotes or code further to the right, these may be something else.
_UNCERTAIN = re.compile(r"<|\[\^|^[ \t]+(?:```|~~~)", re.MULTILINE)


@cache
def mention_of(name: str) -> re.Pattern[str]:
    """Return the pattern of a mention: `@name`, not as a part of an address or of a longer name."""
    return re.compile(rf"(?<![\w@/.-])@{re.escape(name)}(?![\w@-])", re.IGNORECASE)


def follow_up(
    event: str, payload: Mapping[str, Any], delivery_id: str, mention_name: str
) -> Start | Message | None:
    """Return what to do if an event is a request in a person's new comment or review.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment and
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review

    Args:
        mention_name: without the `@`; empty if nobody listens.

    Returns:
        The execution to start; the message for the queue, for a review of an App's pull request which
        perhaps is a request; None for every other event, and for those of Apps.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    place = {("issue_comment", "created"): "comment", ("pull_request_review", "submitted"): "review"}.get(
        (event, str(payload.get("action")))
    )
    sender = as_object(payload.get("sender"))
    if not mention_name or place is None or sender.get("type") != "User" or is_app(str(sender.get("login"))):
        return None
    written = as_object(payload.get(place))
    body = written.get("body")
    text = body if isinstance(body, str) else ""
    command = read_command(text) if place == "comment" else None
    if command is not None and command.name in COMMANDS:
        return None
    if _may_address(text, mention_of(mention_name)):
        return _start(payload, place, text, delivery_id)
    return _review(payload, text, delivery_id) if place == "review" and _may_ask(payload) else None


def _may_address(text: str, mention: re.Pattern[str]) -> bool:
    """Return whether a text may address us; it does not if all mentions are in code or quotations."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _UNCERTAIN.search(text) is None:
        text = _SET_APART.sub("\n", text)
    return mention.search(text) is not None


def _start(payload: Mapping[str, Any], place: str, text: str, delivery_id: str) -> Start:
    request = _request(payload, place, text, delivery_id)
    kind = "issue" if "issue" in request else "pull_request"
    number = request[kind]
    return Start(
        name=f"{IMPLEMENT}-{number}-{delivery_id}",
        input=json.dumps(request, separators=(",", ":")),
        repository=request["repository"],
        kind=kind.replace("_", " "),
        number=number,
        match=Match(Worker(IMPLEMENT, ()), Trigger(), frozenset()),
    )


def _review(payload: Mapping[str, Any], text: str, delivery_id: str) -> Message:
    request = _request(payload, "review", text, delivery_id)
    number = request["pull_request"]
    message = {"kind": "review", "name": f"{IMPLEMENT}-{number}-{delivery_id}", "request": request}
    reason = "A session starts if the review is of our work and asks for one."
    return Message(json.dumps(message, separators=(",", ":")), reason, request["repository"], number)


def _request(payload: Mapping[str, Any], place: str, text: str, delivery_id: str) -> dict[str, Any]:
    """Return the input of the execution: the same for every redelivery."""
    is_review = place == "review"
    issue = as_object(payload.get("issue"))
    is_pull_request = is_review or issue.get("pull_request") is not None
    number = field(payload, "pull_request.number" if is_review else "issue.number", int)
    if not 1 <= number <= _LARGEST_NUMBER:
        raise wrong("number", f"must be from 1 to {_LARGEST_NUMBER}")
    request = {
        "repository": field(payload, "repository.full_name", str),
        "pull_request" if is_pull_request else "issue": number,
        "worker": IMPLEMENT,
        "requested_by": field(payload, "sender.login", str),
        "delivery_id": delivery_id,
        "installation_id": field(payload, "installation.id", int),
        "review_id" if is_review else "comment_id": field(payload, f"{place}.id", int),
        "text_sha256": _sha256(text),
        "asked_at": _moment(payload, "review.submitted_at" if is_review else "comment.created_at"),
    }
    if not is_pull_request:
        # The description of a pull request is ours as a rule, and GitHub keeps it to itself how it was.
        request |= {
            "title_sha256": _sha256(field(payload, "issue.title", str)),
            "body_sha256": _sha256(issue.get("body") or ""),
        }
    return request


def _may_ask(payload: Mapping[str, Any]) -> bool:
    """Return whether a review may be a request although its text mentions nobody.

    It is on a pull request that an App has opened, perhaps ours, and wants changes or has comments in the
    code. GitHub makes a review of each single comment too.
    """
    review, pull = as_object(payload.get("review")), as_object(payload.get("pull_request"))
    is_by_app = as_object(pull.get("user")).get("type") == "Bot"
    return is_by_app and pull.get("state") == "open" and review.get("state") != "approved"


def _moment(payload: Mapping[str, Any], path: str) -> str:
    value = field(payload, path, str)
    try:
        has_zone = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        has_zone = False
    if not has_zone:
        raise wrong(path, "must be a time in ISO 8601 with its time zone")
    return value


def _sha256(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()
