"""Nothing that a session does starts another one, in whatever order GitHub tells of it, and however often."""

from __future__ import annotations

import json
import random
import uuid
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.errors import NotAddressed, TooManyInARow
from pullwright.webhook.commands import RETRY
from pullwright.webhook.decision import Starts, decide
from pullwright.webhook.message import Message
from pullwright.workers.builtin import builtin_workers
from pullwright.workers.events import CHECK_SUITE, EVENTS
from pullwright.workers.routing import Trigger, Worker
from tests.unit.pipeline_kit import BOT, SLUG, Deployment, refused
from tests.unit.pipeline_kit import PERSON as PERSON_LOGIN
from tests.unit.webhook_kit import LABEL, SECRET, headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKERS = (
    *builtin_workers(LABEL),
    *(Worker(event.replace("_", "-"), (Trigger(event, known.actions),)) for event, known in EVENTS.items()),
)
"""Beside the built-in ones one for everything that happens, whoever does it."""
PERSON = {"login": "maintainer", "type": "User"}
US = {"login": "pullwright[bot]", "type": "Bot"}
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
    "head": {"ref": "claude/7", "repo": {"id": 1, "full_name": "octo-org/widgets"}},
    "base": {"ref": "main"},
}
ISSUE = {"number": 7, "title": "Sum", "body": "Wrong.", "state": "open", "updated_at": WHEN, "labels": []}
TEXTS = ("@pullwright do it again", "/retry", "Done.", f"{LABEL}")


def _acts(text: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return everything that somebody can do, with a text where there is one: event and payload by name."""
    comment = {"id": 99, "body": text, "created_at": WHEN}
    review = {"id": 5, "body": text, "commit_id": "a" * 40, "submitted_at": WHEN}
    on_pull = {**PULL, "pull_request": {"url": "x"}}
    label = {"name": LABEL}
    return {
        "label": ("issues", {"action": "labeled", "issue": ISSUE, "label": label}),
        "label a pull request": (
            "pull_request",
            {"action": "labeled", "pull_request": PULL, "label": label},
        ),
        "comment": ("issue_comment", {"action": "created", "issue": ISSUE, "comment": comment}),
        "comment there": ("issue_comment", {"action": "created", "issue": on_pull, "comment": comment}),
        "edit": ("issue_comment", {"action": "edited", "issue": on_pull, "comment": comment}),
        "open": ("pull_request", {"action": "opened", "pull_request": PULL}),
        "push to it": ("pull_request", {"action": "synchronize", "pull_request": PULL}),
        "mark ready": ("pull_request", {"action": "ready_for_review", "pull_request": PULL}),
        "push": ("push", {"ref": "refs/heads/claude/7", "commits": [], "deleted": False}),
        "review": (
            "pull_request_review",
            {"action": "submitted", "pull_request": PULL, "review": {**review, "state": "commented"}},
        ),
        "want changes": (
            "pull_request_review",
            {"action": "submitted", "pull_request": PULL, "review": {**review, "state": "changes_requested"}},
        ),
        "answer in a thread": (
            "pull_request_review_comment",
            {"action": "created", "pull_request": PULL, "comment": comment},
        ),
        "check": (
            "check_suite",
            {
                "action": "completed",
                "check_suite": {"head_branch": "claude/7", "pull_requests": [{"number": 8}]},
            },
        ),
    }


ACTS = [act for text in TEXTS for act in _acts(text).values()]


class Delivery:
    """One webhook; delivered again, it is the same."""

    def __init__(self, act: tuple[str, dict[str, Any]], sender: dict[str, str]) -> None:
        self.event, content = act
        self.guid = str(uuid.uuid4())
        self.is_ours = sender is US
        common = {"repository": {"id": 1, "full_name": "octo-org/widgets"}, "installation": {"id": 5}}
        self.body = json.dumps({**content, **common, "sender": sender}).encode()
        self.headers = headers(self.body, self.event, x_github_delivery=self.guid)

    def starts(self) -> Iterator[tuple[str, str]]:
        """Yield name and input of each execution that it starts, at once or by way of the queue."""
        decision = decide(
            *(self.headers, self.body, SECRET),
            trigger_label=LABEL,
            mention_name="pullwright",
            workers_of=lambda _: WORKERS,
        )
        if isinstance(decision, Starts):
            yield from ((start.name, start.input) for start in decision.starts)
        queued = decision if isinstance(decision, Message) else getattr(decision, "besides", None)
        message = json.loads(queued.message) if queued is not None else {}
        if message.get("kind") == "review":
            yield message["name"], json.dumps(message["request"])
        elif message.get("kind") == "command" and message["name"] == RETRY:
            yield f"implement-{message['number']}-{message['delivery_id']}", ""


def play(chance: random.Random) -> None:
    """Let people act, sessions do all that they can do, and GitHub tell it in any order, some of it again."""
    people = [Delivery(chance.choice(ACTS), PERSON) for _ in range(chance.randint(1, 3))]
    waiting = [delivery for delivery in people for _ in range(chance.randint(1, 2))]
    executions: dict[str, str] = {}
    steps = 0
    while waiting:
        steps += 1
        assert steps < 2_000, "it does not end"
        delivery = waiting.pop(chance.randrange(len(waiting)))
        for name, request in delivery.starts():
            assert not delivery.is_ours, f"our own {delivery.event} starts {name}"
            assert name.endswith(delivery.guid)
            if name in executions:
                # Step Functions takes the same name and input for the same execution.
                assert executions[name] == request
                continue
            executions[name] = request
            waiting += [Delivery(act, US) for act in chance.sample(ACTS, 3)]
    # Each worker at most once for each thing that a person did, and never two sessions for one wish.
    workers = [(name[-36:], name.split("-")[0]) for name in executions]
    assert len(set(executions)) == len(executions)
    assert {guid for guid, _ in workers} <= {delivery.guid for delivery in people}


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0))
def test_no_order_of_events_makes_a_loop_or_two_sessions_of_one_cause(seed: int) -> None:
    """A hundred orders for each of a hundred seeds, with a worker for everything that can happen."""
    chance = random.Random(seed)  # noqa: S311 - makes orders, keeps no secret
    for _ in range(100):
        play(chance)


def test_a_person_can_start_each_of_these_workers() -> None:
    """What the property forbids us is not forbidden to everybody."""
    started = {name.rsplit("-", 6)[0] for act in ACTS for name, _ in Delivery(act, PERSON).starts()}
    # Checks run on whoever's push, ours too; how often that may start a session, the queue's reader counts.
    of_checks = {worker.id for worker in WORKERS if any(it.event == CHECK_SUITE for it in worker.triggers)}
    assert started >= {worker.id for worker in WORKERS if worker.enabled} - of_checks
    assert not [name for act in ACTS for name, _ in Delivery(act, US).starts()]


ASKED_BY_APP: dict[str, Any] = {"delivery_id": "d", "requested_by": "renovate[bot]"}


def test_apps_that_trigger_each_other_end_at_three(tmp_path: Path) -> None:
    """An App that the deployment lists asks three times; a person has to ask for the next, who then may."""
    deployment = Deployment(tmp_path)
    deployment.github.repository()
    issue = deployment.github.issue()
    for number in range(3):
        for _ in range(2):
            deployment.open(f"s-{number}", issue=issue, **ASKED_BY_APP)
        deployment.end(f"s-{number}")
    error = refused(deployment, TooManyInARow, session_id="s-3", issue=issue, **ASKED_BY_APP)
    assert "the last 3 sessions" in error.sentence
    deployment.open("s-4", issue=issue, requested_by=PERSON_LOGIN, delivery_id="d")
    deployment.end("s-4")
    deployment.open("s-5", issue=issue, **ASKED_BY_APP)


def test_what_we_do_ourselves_starts_nothing_even_where_we_are_listed(tmp_path: Path) -> None:
    """A deployment that lists its own App among those that may start sessions makes no circle."""
    deployment = Deployment(tmp_path)
    listed = deployment.settings.model_copy(update={"allowed_apps": SLUG})
    deployment.settings = listed  # type: ignore[misc] # of this one alone
    deployment.github.repository()
    issue = deployment.github.issue()
    refused(deployment, NotAddressed, issue=issue, delivery_id="d", requested_by=BOT)
