"""Requests that are no labels, on the whole stack: late, lost and doubled deliveries change nothing.

What else can happen to them is in `tests/unit/test_faults.py`, on the same code without the engine.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pullwright.reviewing.marks import session_marker
from tests.integration.faults.requests import deliver_again
from tests.integration.test_conversation import until, work
from tests.integration.test_workers import listed

if TYPE_CHECKING:
    from local.sessions import Stack
    from tests.integration.faults.requests import Requests


def test_a_comment_that_github_could_not_deliver_is_followed_up(requests: Requests) -> None:
    """The sweep has it delivered; the session goes on with the conversation and the pull request."""
    record, first = requests.follow_up.record(), requests.first.record()
    assert (record.status, record.outcome) == ("SUCCEEDED", "changed"), record
    assert (record.conversation_id, record.pull_request) == (first.conversation_id, first.pull_request)
    assert len(work(requests.repository)) == 2


def test_the_newest_worker_files_hold(requests: Requests) -> None:
    """The push before, delivered once more after it, brings nothing back."""
    assert [worker["id"] for worker in listed(requests.repository)["workers"]] == ["docs", "more", "review"]


def _waiting(stack: Stack) -> int:
    """Return how many messages are in the queues or being processed."""
    sqs, count = stack.client("sqs"), 0
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for mapping in stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
        url = sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        count += sum(int(counts[name]) for name in names)
    return count


@pytest.fixture(scope="module")
def doubled(requests: Requests, stack: Stack) -> Requests:
    """Have everything about both repositories delivered once more."""
    names = (requests.repository.name, requests.stopped_in.name)
    before = [stack.executions(name) for name in names]
    deliveries = deliver_again(
        stack, lambda it: any(name in json.dumps(it["request"]["payload"]) for name in names)
    )
    assert deliveries > 10
    until(lambda: not _waiting(stack))
    assert [stack.executions(name) for name in names] == before
    return requests


def test_a_review_that_is_delivered_again_is_made_once(doubled: Requests) -> None:
    """One finding in one review, and one comment of the session's."""
    record = doubled.review.record()
    assert (record.status, record.outcome) == ("SUCCEEDED", "commented"), record
    number, repository = doubled.reviewed, doubled.repository
    assert len(repository.rest("GET", f"/pulls/{number}/comments")) == 1
    assert len(repository.rest("GET", f"/pulls/{number}/reviews")) == 1
    [comment] = repository.comments(number)
    assert comment.startswith(session_marker("review"))


def test_a_stop_that_is_delivered_again_is_answered_once(doubled: Requests) -> None:
    """👍 on the comment, and no word of ours that no session runs."""
    record, repository = doubled.stopped.record(), doubled.stopped_in
    assert record.error == "SessionStopped", record
    comments = repository.rest("GET", "/issues/1/comments")
    [asked] = [it for it in comments if it["body"] == "/stop"]
    reactions = repository.rest("GET", f"/issues/comments/{asked['id']}/reactions")
    assert [reaction["content"] for reaction in reactions] == ["+1"]
    assert not [it for it in comments if "no session runs" in it["body"]]


def test_nothing_is_held_afterwards(doubled: Requests, stack: Stack) -> None:
    """No lock and no slot of these sessions is left, and each is told."""
    items = stack.client("dynamodb").scan(TableName=stack.outputs["SessionsTable"])["Items"]
    arns, ids = ({it.arn for it in doubled.sessions}, {it.id for it in doubled.sessions})
    assert not [item for item in items if item.get("owner", {}).get("S") in arns]
    assert not [item for item in items if ids & set(item.get("holders", {}).get("SS", []))]
    assert [session.record().report for session in doubled.sessions] == ["made"] * 4
