"""Routes a delivery as the webhook does, with the workers of a checkout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pullwright.webhook.answers import Refused
from pullwright.webhook.delivery import read_deliveries
from pullwright.workers.builtin import with_builtin
from pullwright.workers.events import EVENTS, STATUS
from pullwright.workers.routing import route
from pullwright.workers.source import read_source
from pullwright_cli.checkout_files import CheckoutFiles
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.workers.routing import Routing

# What a body has that tells its event, the more telling first.
_TELLING = (
    ("check_suite", ("check_suite",)),
    (STATUS, ("sha", "state", "context", "branches")),
    ("pull_request_review", ("review", "pull_request")),
    ("pull_request_review_comment", ("comment", "pull_request")),
    ("pull_request", ("pull_request",)),
    ("issue_comment", ("comment", "issue")),
    ("issues", ("issue",)),
    ("push", ("ref", "commits")),
)


def read_payload(path: Path) -> dict[str, Any]:
    """Read a webhook's body.

    Raises:
        CliError: it is no JSON object.
    """
    try:
        payload = json.loads(path.read_bytes())
    except ValueError as error:
        raise CliError(f"{path} is not JSON: {error}", 2) from None
    if not isinstance(payload, dict):
        raise CliError(f"{path} is not a JSON object", 2)
    return payload


def routed(payload: dict[str, Any], event: str | None, folder: Path, label: str) -> Routing:
    """Return what the webhook would start.

    Raises:
        CliError: the event starts no worker, the body lacks something, or the workers cannot be used.
    """
    collection = read_source(CheckoutFiles(folder))
    if collection.problems:
        problems = "\n".join(f"  {problem.path}: {problem.text}" for problem in collection.problems)
        raise CliError(f"the workers cannot be used:\n{problems}", 2)
    name = event or event_of(payload)
    known = (*EVENTS, STATUS)
    if name not in known:
        raise CliError(f"--event: no worker starts on {name or 'this'}; known are {', '.join(known)}", 2)
    try:
        deliveries = read_deliveries(name, payload)
    except Refused as refused:
        raise CliError(f"this is no delivery of {name}: {refused.answer.reason}", 2) from None
    if not deliveries:
        raise CliError("the status is of a commit that is no branch's head, which starts nothing", 1)
    workers = with_builtin([worker.worker() for worker in collection.workers], label)
    routings = [route(delivery, workers) for delivery in deliveries]
    return next((routing for routing in routings if routing.matches), routings[0])


def event_of(payload: dict[str, Any]) -> str:
    """Return the event that a body is of; empty if it is none that starts workers."""
    return next((event for event, names in _TELLING if all(name in payload for name in names)), "")
