"""What to do with a delivery: a pure function of headers, bytes and secret."""

import re
from collections.abc import Mapping
from typing import Any

from pullwright.apps import is_app, is_listed
from pullwright.json_object import as_object
from pullwright.owners import is_allowed
from pullwright.webhook.answers import IGNORED, PONG, Answer, Refused, answer
from pullwright.webhook.commands import Command, command
from pullwright.webhook.payload import field, parse
from pullwright.webhook.releasing import Release, release
from pullwright.webhook.signature import check_signature
from pullwright.webhook.start import Start, start_for_issue
from pullwright.webhook.withdrawal import Withdrawal, withdrawal

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEARD = {
    "installation": ("deleted", "suspend"),
    "installation_repositories": ("removed",),
    "issue_comment": ("created",),
    "issues": ("labeled", "unlabeled", "deleted", "transferred"),
    "pull_request": ("labeled", "closed"),
    "pull_request_review": ("submitted",),
}
"""What is acted upon: events with their actions."""
Decision = Start | Withdrawal | Release | Command | Answer
_EVENT = re.compile(r"[a-z0-9_-]{1,64}")


def decide(
    headers: Mapping[str, str],
    body: bytes,
    secret: bytes,
    *,
    trigger_label: str,
    allowed_apps: str = "",
    allowed_owners: str = "",
) -> Decision:
    """Decide what a delivery asks for.

    Args:
        headers: by lower-case name.
        trigger_label: the label that starts a session; GitHub's labels do not differ by case alone.
        allowed_apps: slugs of Apps whose labels count too, separated by commas.
        allowed_owners: whose repositories count; empty leaves that to OpenPullRequest, which knows the App's
            owner.

    Returns:
        The execution to start, the message that ends sessions, releases CI or carries a command, or the
        answer to a delivery that does nothing of this.

    Raises:
        Refused: not signed, or not what GitHub sends.
        ValueError: the secret is empty.
    """
    check_signature(headers, body, secret)
    payload = parse(body)
    event = headers.get("x-github-event", "")
    if not _EVENT.fullmatch(event):
        raise Refused(400, "The header X-GitHub-Event is missing or malformed.", field="x-github-event")
    guid = delivery_id(headers)
    if not guid:
        raise Refused(400, "The header X-GitHub-Delivery is not a GUID.", field="x-github-delivery")
    if event == "ping":
        return answer(PONG, "The webhook reaches Pullwright.")
    if not _may_matter(event, payload):
        return answer(IGNORED, f"The event {event} starts no session with this action.")
    if _is_of_another_owner(payload, allowed_owners):
        return answer(IGNORED, "This Pullwright does not work for the repository's owner.")
    asked = (
        withdrawal(event, payload, trigger_label) or release(event, payload) or command(event, payload, guid)
    )
    if asked is not None:
        return asked
    if reason := _why_not(event, payload, trigger_label):
        return answer(IGNORED, reason)
    return _labeled(event, payload, guid, allowed_apps)


def _may_matter(event: str, payload: Mapping[str, Any]) -> bool:
    """Return whether we act upon an event with this action.

    GitHub tells an App of what it did itself too, and can leave out events only, not actions: each edit of a
    tracking comment comes back as `issue_comment.edited`, and goes no further than here.
    """
    action = payload.get("action")
    return event in HEARD and (not isinstance(action, str) or action in HEARD[event])


def delivery_id(headers: Mapping[str, str]) -> str:
    """Read the delivery's GUID, empty when there is no well-formed one.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
    """
    guid = headers.get("x-github-delivery", "").strip().lower()
    return guid if _GUID.fullmatch(guid) else ""


def _labeled(event: str, payload: Mapping[str, Any], guid: str, allowed_apps: str) -> Start | Answer:
    login = field(payload, "sender.login", str)
    is_bot = field(payload, "sender.type", str) == "Bot"
    if is_bot and not is_listed(login, allowed_apps):
        return answer(IGNORED, "The label was added by an App that may not start sessions.")
    if not is_bot and is_app(login):
        # A server of one's own may have a person of that name.
        return answer(IGNORED, "The label was added by a person with an App's name.")
    if event == "pull_request" or _is_pull_request(payload):
        return answer(IGNORED, "The label starts sessions on issues, not on pull requests.")
    return start_for_issue(payload, guid)


def _why_not(event: str, payload: Mapping[str, Any], trigger_label: str) -> str:
    """Return why an event starts nothing; empty if it may."""
    if event not in {"issues", "pull_request"}:
        return f"The event {event} starts no session."
    if field(payload, "action", str) != "labeled":
        return f"Of the event {event}, only labels start a session."
    if field(payload, "label.name", str).casefold() != trigger_label.casefold():
        return f"Only the label {trigger_label} starts a session."
    return ""


def _is_of_another_owner(payload: Mapping[str, Any], allowed_owners: str) -> bool:
    name = as_object(payload.get("repository")).get("full_name")
    return bool(allowed_owners) and isinstance(name, str) and not is_allowed(name, allowed_owners)


def _is_pull_request(payload: Mapping[str, Any]) -> bool:
    return as_object(payload.get("issue")).get("pull_request") is not None
