"""Turns a signed event into the input of one execution for each worker that it starts."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from pullwright.json_object import as_object
from pullwright.webhook.payload import field, wrong
from pullwright.workers.routing import Match

# worker (32) + number + GUID (36) + two hyphens must fit the 80 characters of an execution's name.
_LARGEST_NUMBER = 9_999_999_999
_LONGEST_REPOSITORY = 140
_LONGEST_LOGIN = 64
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_NO_SUBJECT = "push"


class Start(NamedTuple):
    """An execution to start.

    Attributes:
        name: the execution's, and so the session's id.
        input: `SessionRequest` as JSON, the same bytes for every redelivery: with the same name and input
            Step Functions answers with the same execution.
        repository: full name.
        kind: `issue`, `pull request`, or empty if it is about neither.
        number: of the issue or pull request, or 0.
        match: the worker, and the conditions that GitHub is asked about before it starts.
        is_preview: whether the machine of previews runs it.
    """

    name: str
    input: str
    repository: str
    kind: str
    number: int
    match: Match
    is_preview: bool = False

    @property
    def subject(self) -> str:
        """What the session works on, to follow "works on"."""
        if not self.number:
            return f"a push to {self.repository}"
        return f"{self.kind} {self.number}"


def start_for(match: Match, event: str, payload: Mapping[str, Any], delivery_id: str) -> Start:
    """Read what a session needs from an event that starts a worker.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    kind, number = _subject(event, payload)
    repository = field(payload, "repository.full_name", str)
    if len(repository) > _LONGEST_REPOSITORY or not _REPOSITORY.fullmatch(repository):
        raise wrong("repository.full_name", "must be owner/name")
    login = field(payload, "sender.login", str)
    if not 0 < len(login) <= _LONGEST_LOGIN:
        raise wrong("sender.login", f"must have 1 to {_LONGEST_LOGIN} characters")
    worker = match.worker.id
    request = {
        "repository": repository,
        **({kind: number} if number else {"base": field(payload, "ref", str).removeprefix("refs/heads/")}),
        "worker": worker,
        "requested_by": login,
        "delivery_id": delivery_id,
        "installation_id": _positive(payload, "installation.id", 2**63 - 1),
        **_text_of(event, payload),
    }
    return Start(
        name=f"{worker}-{number}-{delivery_id}",
        input=json.dumps(request, separators=(",", ":")),
        repository=repository,
        kind=kind.replace("_", " "),
        number=number,
        match=match,
    )


def _subject(event: str, payload: Mapping[str, Any]) -> tuple[str, int]:
    """Return the request's field for the issue or pull request, and its number."""
    if event == _NO_SUBJECT:
        return "", 0
    if event in {"issues", "issue_comment"}:
        is_pull_request = as_object(payload.get("issue")).get("pull_request") is not None
        kind = "pull_request" if is_pull_request else "issue"
        return kind, _positive(payload, "issue.number", _LARGEST_NUMBER)
    return "pull_request", _positive(payload, "pull_request.number", _LARGEST_NUMBER)


def _text_of(event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what freezes the texts that the session works from."""
    if event == _NO_SUBJECT:
        return {}
    subject = "issue" if event in {"issues", "issue_comment"} else "pull_request"
    if event in {"issue_comment", "pull_request_review_comment"}:
        asked_at = _moment(payload, "comment.created_at")
    elif event == "pull_request_review":
        asked_at = _moment(payload, "review.submitted_at")
    else:
        asked_at = _moment(payload, f"{subject}.updated_at")
    label = {"label": field(payload, "label.name", str)} if payload.get("action") == "labeled" else {}
    return {
        **label,
        "asked_at": asked_at,
        "title_sha256": _sha256(payload, f"{subject}.title"),
        "body_sha256": _sha256(payload, f"{subject}.body"),
    }


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
    """Hash a text as GitHub's REST API gives it; a description that was left out is null: empty."""
    subject, _, name = path.partition(".")
    absent = name == "body" and as_object(payload.get(subject)).get("body", "") is None
    text = "" if absent else field(payload, path, str)
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        raise wrong(path, "must be valid Unicode") from None
