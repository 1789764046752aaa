"""Turns a signed label event into the input of one execution."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from pullwright.json_object import as_object
from pullwright.webhook.payload import field, wrong
from pullwright.worker_names import IMPLEMENT

# worker (32) + number + GUID (36) + two hyphens must fit the 80 characters of an execution's name.
_LARGEST_NUMBER = 9_999_999_999
_LONGEST_REPOSITORY = 140
_LONGEST_LOGIN = 64
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class Start(NamedTuple):
    """An execution to start.

    Attributes:
        name: the execution's, and so the session's id.
        input: `SessionRequest` as JSON, the same bytes for every redelivery: with the same name and input
            Step Functions answers with the same execution.
        repository: full name.
    """

    name: str
    input: str
    repository: str
    issue: int


def start_for_issue(payload: Mapping[str, Any], delivery_id: str) -> Start:
    """Read what a session needs from an `issues` event.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    number = _positive(payload, "issue.number", _LARGEST_NUMBER)
    repository = field(payload, "repository.full_name", str)
    if len(repository) > _LONGEST_REPOSITORY or not _REPOSITORY.fullmatch(repository):
        raise wrong("repository.full_name", "must be owner/name")
    login = field(payload, "sender.login", str)
    if not 0 < len(login) <= _LONGEST_LOGIN:
        raise wrong("sender.login", f"must have 1 to {_LONGEST_LOGIN} characters")
    request = {
        "repository": repository,
        "issue": number,
        "worker": IMPLEMENT,
        "requested_by": login,
        "delivery_id": delivery_id,
        "installation_id": _positive(payload, "installation.id", 2**63 - 1),
        "label": field(payload, "label.name", str),
        "asked_at": _moment(payload, "issue.updated_at"),
        "title_sha256": _sha256(payload, "issue.title"),
        "body_sha256": _sha256(payload, "issue.body"),
    }
    return Start(
        name=f"{IMPLEMENT}-{number}-{delivery_id}",
        input=json.dumps(request, separators=(",", ":")),
        repository=repository,
        issue=number,
    )


def _positive(payload: Mapping[str, Any], path: str, largest: int) -> int:
    value = field(payload, path, int)
    if not 1 <= value <= largest:
        raise wrong(path, f"must be from 1 to {largest}")
    return value


def _moment(payload: Mapping[str, Any], path: str) -> str:
    """Read when the label was added.

    A label changes `updated_at`, and the payload keeps it as it was: unlike the time of arrival it stays the
    same when GitHub delivers again, hours later.
    """
    value = field(payload, path, str)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise wrong(path, "must be a time in ISO 8601") from None
    if moment.tzinfo is None:
        raise wrong(path, "must have a time zone")
    return value


def _sha256(payload: Mapping[str, Any], path: str) -> str:
    """Hash a text as GitHub's REST API gives it; the body of an issue without description is null: empty."""
    absent = path == "issue.body" and as_object(payload.get("issue")).get("body", "") is None
    text = "" if absent else field(payload, path, str)
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        raise wrong(path, "must be valid Unicode") from None
