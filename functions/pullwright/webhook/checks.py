"""Checks of a pull request that ended: they go to the queue, because GitHub has to be asked what to do.

Those that failed may start workers. Those that passed start none, but tell of a failure that a second run on
the same commit has not repeated.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field, wrong
from pullwright.workers.events import CHECK_SUITE, FAILED_CONCLUSIONS, PASSED_CONCLUSION
from pullwright.workers.routing import Delivery, Worker, route

_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MOST_PULL_REQUESTS = 5


def checks_of(
    payload: Mapping[str, Any], delivery_id: str, delivery: Delivery, workers: Sequence[Worker]
) -> Message | None:
    """Return the message if a worker would mend such checks had they failed, and they failed or passed.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_suite, and `status` there: it names
    no pull request.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    has_passed = delivery.conclusion == PASSED_CONCLUSION
    routing = route(delivery._replace(conclusion=FAILED_CONCLUSIONS[0]) if has_passed else delivery, workers)
    if not routing.matches:
        return None
    suite = as_object(payload.get(CHECK_SUITE))
    name = "check_suite.head_sha" if CHECK_SUITE in payload else "sha"
    commit = field(payload, name, str)
    if not _COMMIT.fullmatch(commit):
        raise wrong(name, "must be a commit")
    repository = field(payload, "repository.full_name", str)
    matched = tuple(match.worker.id for match in routing.matches)
    message = {
        "kind": "checks",
        "repository": repository,
        "pull_requests": _numbers(suite.get("pull_requests")),
        "branch": delivery.head,
        "commit": commit,
        "app_id": _app_id(suite),
        "has_passed": has_passed,
        "workers": matched,
        "installation_id": field(payload, "installation.id", int),
        "delivery_id": delivery_id,
    }
    text = json.dumps(message, separators=(",", ":"))
    if has_passed:
        return Message(text, "Checks passed; if they had failed before, people are told.", repository)
    reason = "A session starts if the failure is this commit's, and another run repeats it."
    return Message(text, reason, repository, unmatched=routing.reasons, matched=matched)


def _numbers(pull_requests: Any) -> list[int]:
    """Return the pull requests' numbers.

    Raises:
        Refused: one has none.
    """
    found = pull_requests if isinstance(pull_requests, list) else []
    return [
        field({"pull_request": pull_request}, "pull_request.number", int)
        for pull_request in found[:_MOST_PULL_REQUESTS]
    ]


def _app_id(suite: Mapping[str, Any]) -> int | None:
    """Return the App whose checks they are; None if it is gone."""
    app_id = as_object(suite.get("app")).get("id")
    return app_id if type(app_id) is int else None
