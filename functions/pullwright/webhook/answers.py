"""What the webhook says to GitHub."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pullwright.errors import InvalidRequest

STARTED = "started"
ALREADY = "already"
QUEUED = "queued"
PONG = "pong"
IGNORED = "ignored"
REFUSED = "refused"
FAILED = "failed"

_STATUS_CODES = {STARTED: 202, ALREADY: 202, QUEUED: 202, PONG: 200, IGNORED: 200, FAILED: 503}


class Answer(NamedTuple):
    """One answer.

    Attributes:
        status_code: of HTTP.
        reason: a sentence for whoever reads the delivery on GitHub.
        execution_arn: of the execution that works on it.
        field: of the payload, or the header, that is wrong.
        unmatched: by worker, why it does not start.
    """

    status_code: int
    status: str
    reason: str
    execution_arn: str = ""
    field: str = ""
    unmatched: Mapping[str, str] | None = None


class Refused(InvalidRequest):
    """A request that the webhook refuses.

    Args:
        field: of the payload, or the header, that is wrong.
    """

    def __init__(self, status_code: int, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.answer = Answer(status_code, REFUSED, reason, field=field)


class WrongSignature(Refused):
    """The signature does not fit the secret that we know, which may be out of date."""


def answer(
    status: str, reason: str, *, execution_arn: str = "", unmatched: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer with the status code of its status."""
    return Answer(_STATUS_CODES[status], status, reason, execution_arn, unmatched=unmatched)


def to_function_url(reply: Answer) -> dict[str, Any]:
    """Render an answer as a Function URL's response (payload format 2.0)."""
    body = {"status": reply.status, "reason": reply.reason}
    if reply.execution_arn:
        body["execution_arn"] = reply.execution_arn
    if reply.field:
        body["field"] = reply.field
    return {
        "statusCode": reply.status_code,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }
