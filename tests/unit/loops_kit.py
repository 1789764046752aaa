"""Everything that somebody can do around one pull request, and what the webhook makes of it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from pullwright.webhook.commands import GO, PLAN, RETRY
from pullwright.webhook.decision import Decision, Starts, decide
from pullwright.webhook.message import Message
from pullwright.workers.builtin import builtin_workers
from pullwright.workers.events import CHECK_SUITE, EVENTS
from pullwright.workers.routing import Trigger, Worker
from tests.unit.webhook_kit import LABEL, SECRET, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = (
    *builtin_workers(LABEL),
    *(Worker(event.replace("_", "-"), (Trigger(event, known.actions),)) for event, known in EVENTS.items()),
)
"""Beside the built-in ones one for everything that happens, whoever does it."""
OF_CHECKS = {worker.id for worker in WORKERS if any(it.event == CHECK_SUITE for it in worker.triggers)}
PERSON = {"login": "maintainer", "type": "User"}
US = {"login": "pullwright[bot]", "type": "Bot"}
REPOSITORY = "octo-org/widgets"
BRANCH = "claude/7"
WHEN = "2026-11-21T08:30:00Z"
PULL = {
    "number": 8,
    "title": "Sum",
    "body": "Closes #7",
    "state": "open",
    "user": US,
    "updated_at": WHEN,
    "labels": [],
    "draft": False,
    "head": {"ref": BRANCH, "repo": {"id": 1, "full_name": REPOSITORY}},
    "base": {"ref": "main"},
}
ISSUE = {"number": 7, "title": "Sum", "body": "Wrong.", "state": "open", "updated_at": WHEN, "labels": []}
TEXTS = ("@pullwright do it again", "/retry", "/plan", "/go", "Done.", f"{LABEL}")
ACTIONS = {"id": 15368, "slug": "github-actions"}
Act = tuple[str, dict[str, Any]]


def _acts(text: str) -> tuple[Act, ...]:
    """Return everything that somebody can do, with a text where there is one: event and payload."""
    comment = {"id": 99, "body": text, "created_at": WHEN}
    review = {"id": 5, "body": text, "commit_id": "a" * 40, "submitted_at": WHEN}
    on_pull = {**PULL, "pull_request": {"url": "x"}}
    label = {"name": LABEL}
    submitted = {"action": "submitted", "pull_request": PULL}
    return (
        ("issues", {"action": "labeled", "issue": ISSUE, "label": label}),
        ("pull_request", {"action": "labeled", "pull_request": PULL, "label": label}),
        ("issue_comment", {"action": "created", "issue": ISSUE, "comment": comment}),
        ("issue_comment", {"action": "created", "issue": on_pull, "comment": comment}),
        ("issue_comment", {"action": "edited", "issue": on_pull, "comment": comment}),
        ("pull_request", {"action": "opened", "pull_request": PULL}),
        ("pull_request", {"action": "synchronize", "pull_request": PULL}),
        ("pull_request", {"action": "ready_for_review", "pull_request": PULL}),
        ("push", {"ref": f"refs/heads/{BRANCH}", "commits": [], "deleted": False}),
        ("pull_request_review", {**submitted, "review": {**review, "state": "commented"}}),
        ("pull_request_review", {**submitted, "review": {**review, "state": "changes_requested"}}),
        ("pull_request_review_comment", {"action": "created", "pull_request": PULL, "comment": comment}),
    )


ACTS = [act for text in TEXTS for act in _acts(text)]


class Delivery:
    """One webhook; delivered again, it is the same."""

    def __init__(self, act: Act, sender: dict[str, str]) -> None:
        self.event, content = act
        self.guid = str(uuid.uuid4())
        self.is_ours = sender is US
        common = {"repository": {"id": 1, "full_name": REPOSITORY}, "installation": {"id": 5}}
        self.body = json.dumps({**content, **common, "sender": sender}).encode()
        self.headers = headers(self.body, self.event, x_github_delivery=self.guid)

    def decide(self) -> Decision:
        """Return what the webhook makes of it."""
        return decide(
            *(self.headers, self.body, SECRET),
            trigger_label=LABEL,
            mention_name="pullwright",
            workers_of=lambda _: WORKERS,
        )


def starts_of(decision: Decision) -> Iterator[tuple[str, str]]:
    """Yield name and input of each execution that a delivery starts, at once or by way of the queue.

    Whether a review or a command is obeyed, GitHub is asked first; here it always is.
    """
    if isinstance(decision, Starts):
        yield from ((start.name, start.input) for start in decision.starts)
    message = json.loads(queued.message) if (queued := queued_of(decision)) is not None else {}
    if message.get("kind") == "review":
        yield message["name"], json.dumps(message["request"])
    elif message.get("kind") == "command" and message["name"] in {RETRY, PLAN, GO}:
        # As `pullwright.events.command` names them.
        yield f"implement-{message['number']}-{message['delivery_id']}", json.dumps({"worker": "implement"})


def queued_of(decision: Decision) -> Message | None:
    """Return the message that a delivery puts into the queue."""
    return decision if isinstance(decision, Message) else getattr(decision, "besides", None)
