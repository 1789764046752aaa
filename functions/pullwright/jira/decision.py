"""What to do with a delivery of Jira: a pure function of headers, bytes and secret.

https://developer.atlassian.com/cloud/jira/platform/webhooks/. Only the fields that are needed are read.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.answers import IGNORED, Refused, answer
from pullwright.webhook.decision import Decision, Starts
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field, parse, wrong
from pullwright.webhook.signature import check_signature
from pullwright.webhook.start import Start
from pullwright.worker_names import IMPLEMENT
from pullwright.workers.routing import Match, Trigger, Worker

HEADER = "x-hub-signature"
IDENTIFIER = "x-atlassian-webhook-identifier"
CREATED, UPDATED, DELETED = "jira:issue_created", "jira:issue_updated", "jira:issue_deleted"
# The longest keys of projects that leave room in an execution's name.
KEY = re.compile(r"([A-Z][A-Z0-9_]{0,19})-[1-9][0-9]{0,9}")
_ID = re.compile(r"[0-9]{1,19}")
_ACCOUNT = re.compile(r"[0-9A-Za-z:_-]{1,128}")
_LONGEST_IDENTIFIER = 256
_HASH = 32
_MATCH = Match(Worker(IMPLEMENT, ()), Trigger(), frozenset())


class JiraStart(Start):
    """An execution to start for an issue of Jira; `kind` is its key."""

    @property
    def subject(self) -> str:
        """What the session works on, to follow "works on"."""
        return self.kind


def delivery_id(headers: Mapping[str, str]) -> str:
    """Return what tells a delivery from others, the same whenever Jira repeats it; empty if there is none.

    Args:
        headers: by lower-case name.
    """
    identifier = headers.get(IDENTIFIER, "").strip()
    if not 0 < len(identifier) <= _LONGEST_IDENTIFIER:
        return ""
    return sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]


def decide(
    headers: Mapping[str, str],
    body: bytes,
    secret: bytes,
    *,
    trigger_label: str,
    projects: Mapping[str, str],
) -> Decision:
    """Decide what a delivery asks for.

    Args:
        headers: by lower-case name.
        trigger_label: a space in it is a hyphen in Jira, whose labels have none.
        projects: repositories by the key of their project.

    Returns:
        The execution to start, the message that ends sessions, or the answer to a delivery that does neither.

    Raises:
        Refused: not signed, or not what Jira sends.
        ValueError: the secret is empty.
    """
    check_signature(headers, body, secret, header=HEADER)
    payload = parse(body)
    if not (delivery := delivery_id(headers)):
        raise Refused(
            400, "The header X-Atlassian-Webhook-Identifier is missing or too long.", field=IDENTIFIER
        )
    event = field(payload, "webhookEvent", str)
    if event not in {CREATED, UPDATED, DELETED}:
        return answer(IGNORED, "The event starts and stops nothing.")
    label = trigger_label.replace(" ", "-").casefold()
    added, removed = _changed(event, payload, label)
    if removed:
        return _withdrawal(event, payload, label)
    if not added:
        return answer(IGNORED, "The label was neither added nor taken off.")
    key = _text(payload, "issue.key", KEY)
    project = key.rpartition("-")[0]
    repository = projects.get(project)
    if repository is None:
        return answer(IGNORED, f"The project {project} is mapped to no repository.")
    account = as_object(payload.get("user")).get("accountId")
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        return answer(IGNORED, "The event names no account that could be asked about.")
    request = {
        "repository": repository,
        "jira": {
            "key": key,
            "id": _text(payload, "issue.id", _ID),
            "account": account,
            **_change(event, payload),
        },
        "worker": IMPLEMENT,
        "delivery_id": delivery,
        "label": label,
        "asked_at": _moment(payload),
    }
    start = JiraStart(
        name=f"{IMPLEMENT}-{key}-{delivery}",
        input=json.dumps(request, separators=(",", ":")),
        repository=repository,
        kind=key,
        number=0,
        match=_MATCH,
    )
    return Starts((start,), {})


def read_projects(text: str) -> dict[str, str]:
    """Read the parameter `JiraProjects`, such as `PROJ=owner/name,OPS=owner/other`."""
    pairs = (pair.strip().partition("=") for pair in text.split(",") if pair.strip())
    return {project.strip(): repository.strip() for project, _, repository in pairs}


def _changed(event: str, payload: Mapping[str, Any], label: str) -> tuple[bool, bool]:
    """Return whether the label was added, and whether it was taken off or went with its issue."""
    if event != UPDATED:
        labels = as_object(as_object(payload.get("issue")).get("fields")).get("labels")
        is_there = label in map(str.casefold, filter(_is_text, labels if isinstance(labels, list) else ()))
        return (is_there, False) if event == CREATED else (False, is_there)
    items = as_object(payload.get("changelog")).get("items")
    changes = [
        it for it in map(as_object, items if isinstance(items, list) else ()) if it.get("field") == "labels"
    ]
    before = any(label in _labels(change.get("fromString")) for change in changes)
    after = any(label in _labels(change.get("toString")) for change in changes)
    return after and not before, before and not after


def _labels(value: Any) -> set[str]:
    """Read labels as a changelog gives them, separated by spaces."""
    return set(value.casefold().split()) if isinstance(value, str) else set()


def _withdrawal(event: str, payload: Mapping[str, Any], label: str) -> Message:
    """Return the message that ends what the label started, whichever project the issue is in by now."""
    key = _text(payload, "issue.key", KEY)
    is_gone = event == DELETED
    cause = (
        f"The Jira issue {key} was deleted." if is_gone else f"The label {label} was taken off {key} in Jira."
    )
    message = {
        "kind": "stop",
        "error": "SessionStopped" if is_gone else "LabelRemoved",
        "cause": cause,
        "jira": _text(payload, "issue.id", _ID),
        "at": _moment(payload),
    }
    return Message(json.dumps(message, separators=(",", ":")), f"{cause} Its sessions end.")


def _change(event: str, payload: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of the change that added the label; later ones are not what was asked for."""
    if event == CREATED:
        return {"change": 0}
    value = as_object(payload.get("changelog")).get("id")
    if isinstance(value, str) and _ID.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 0 < value < 2**63:
        raise wrong("changelog.id", "must be a whole number")
    return {"change": value}


def _moment(payload: Mapping[str, Any]) -> str:
    """Read when it happened, from milliseconds; the same each time that Jira repeats it."""
    milliseconds = field(payload, "timestamp", int)
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        raise wrong("timestamp", "must be a time in milliseconds") from None


def _text(payload: Mapping[str, Any], path: str, pattern: re.Pattern[str]) -> str:
    value = field(payload, path, str)
    if not pattern.fullmatch(value):
        raise wrong(path, "is not of the form that Jira documents")
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
