"""Requests in comments and reviews: the sessions that they start, and what the task reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import (
    BranchBusy,
    CommentDeleted,
    CommentEdited,
    GitHubUnavailable,
    NotAddressed,
    NotAllowed,
    TakenAlong,
)
from pullwright.events.messages import MESSAGE, QueuedReview
from pullwright.events.review import start_for_review
from pullwright.events.services import EventServices
from pullwright.github.transport import Response
from pullwright.store import BranchRecord
from tests.unit.commands_kit import MACHINE, NO_QUEUE, States
from tests.unit.follow_ups_kit import NOTE, Talking, change
from tests.unit.pipeline_kit import PERSON, REPOSITORY, STRANGER
from tests.unit.reconcile_kit import table
from tests.unit.webhook_kit import GUID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CONVERSATION = "72d3162e-cc78-41e3-81ab-4c9367dc0958"


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[Talking]:
    """Provide a session at work, and people who ask for more."""
    with table() as client:
        yield Talking(tmp_path, client)


def test_a_follow_up_goes_on_with_the_conversation(talking: Talking) -> None:
    """On the same branch, pull request and comment, with what was asked and the record of what was said."""
    talking.close()
    before = talking.sessions.read_session("s-1")
    talking.sessions.write_branch(
        BranchRecord(
            repository=REPOSITORY,
            branch=str(before.branch),
            session_id="s-1",
            conversation_id=CONVERSATION,
            conversation_session="s-1",
        )
    )
    talking.artifacts.conversations["s-1"] = 1_000
    found = talking.ask("s-2", talking.comment("@pullwright also handle None\n\n<!-- not this -->"))
    assert (found.branch, found.pull_request, found.comment_id) == (
        *(before.branch, before.pull_request, before.comment_id),
    )
    [asked] = found.follow_ups
    assert (asked.author, asked.author_role, asked.session_id) == (PERSON, "writer", "s-2")
    assert asked.body == "@pullwright also handle None"
    # What is asked stands there once.
    assert found.comments == ()
    assert (found.conversation, found.begins_afresh) == (CONVERSATION, None)
    assert talking.artifacts.conversations["s-2"] == 1_000
    reactions = talking.github.person("GET", f"/issues/comments/{asked.comment_id}/reactions")
    assert [one["content"] for one in reactions] == ["eyes"]


@pytest.mark.parametrize(("size", "why"), [(None, "not kept any more"), (40 << 20, "too long (40 MiB)")])
def test_what_cannot_go_on_begins_afresh_and_says_so(talking: Talking, size: int | None, why: str) -> None:
    """A conversation that is gone or too long; where there was none, there is nothing to say."""
    talking.close()
    first = talking.ask("s-2", talking.comment("@pullwright fix it"))
    assert (first.conversation, first.begins_afresh) == (None, None)
    talking.close("s-2")
    talking.sessions.update_session("s-2", {"conversation_id": CONVERSATION})
    if size is not None:
        talking.artifacts.conversations["s-2"] = size
    found = talking.ask("s-3", talking.comment("@pullwright fix it"))
    assert found.conversation is None
    assert why in str(found.begins_afresh)


def test_an_id_that_is_none_is_not_used(talking: Talking) -> None:
    """The id comes from a task, which can write anything."""
    talking.close()
    talking.sessions.update_session("s-1", {"conversation_id": "../../x"})
    found = talking.ask("s-2", talking.comment("@pullwright fix it"))
    assert found.conversation is None
    assert "no valid id" in str(found.begins_afresh)


def test_three_comments_during_a_run_become_one_session(talking: Talking) -> None:
    """They wait; the first that comes to the branch takes the others along, and those end quietly."""
    requests = {f"s-{n}": talking.comment(f"@pullwright do {n}") for n in (2, 3, 4)}
    for session_id, request in requests.items():
        with pytest.raises(BranchBusy):
            talking.ask(session_id, request)
    before = len(talking.github.seen)
    with pytest.raises(BranchBusy):
        talking.again("s-2", requests["s-2"])
    # Whoever waits asks GitHub nothing.
    assert talking.github.seen[before:] == []
    talking.close()
    found = talking.again("s-3", requests["s-3"])
    assert [one.session_id for one in found.follow_ups] == ["s-2", "s-3", "s-4"]
    assert [one.body for one in found.follow_ups] == [f"@pullwright do {n}" for n in (2, 3, 4)]
    for other in ("s-2", "s-4"):
        with pytest.raises(TakenAlong):
            talking.again(other, requests[other])
    # A repeated attempt changes nothing.
    assert talking.again("s-3", requests["s-3"]) == found
    assert len(talking.github.pulls()) == 1
    # One that comes now waits for the next session.
    late = talking.comment("@pullwright do 5")
    with pytest.raises(BranchBusy):
        talking.ask("s-5", late)
    talking.close("s-3")
    assert [one.session_id for one in talking.again("s-5", late).follow_ups] == ["s-5"]


def test_a_session_that_cannot_begin_takes_nobody_along(talking: Talking) -> None:
    """What waits is marked when the task's request is written, and not before."""
    requests = {f"s-{n}": talking.comment(f"@pullwright do {n}") for n in (2, 3)}
    for session_id, request in requests.items():
        with pytest.raises(BranchBusy):
            talking.ask(session_id, request)
    talking.close()
    talking.github.before += [("GET", f"/issues/{talking.number}/comments", Response(502, {}))] * 9
    with pytest.raises(GitHubUnavailable):
        talking.again("s-2", requests["s-2"])
    talking.github.before.clear()
    assert len(talking.again("s-3", requests["s-3"]).follow_ups) == 2


def test_a_waiting_comment_that_is_gone_is_not_taken_along(talking: Talking) -> None:
    """Edited, deleted: its own session says why it ends; the other one goes on without it."""
    kept, edited, deleted = (talking.comment(f"@pullwright do {n}") for n in (2, 3, 4))
    for number, request in enumerate((kept, edited, deleted), start=2):
        with pytest.raises(BranchBusy):
            talking.ask(f"s-{number}", request)
    path = "/issues/comments/"
    talking.github.person("PATCH", f"{path}{edited['comment_id']}", {"body": "@pullwright delete all"})
    talking.github.person("DELETE", f"{path}{deleted['comment_id']}")
    early = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    deleted["asked_at"] = early
    talking.sessions.update_session("s-4", {"input": json.dumps({"repository": REPOSITORY, **deleted})})
    talking.close()
    assert [one.session_id for one in talking.again("s-2", kept).follow_ups] == ["s-2"]
    talking.close("s-2")
    with pytest.raises(CommentEdited):
        talking.again("s-3", edited)
    with pytest.raises(CommentDeleted):
        talking.again("s-4", deleted)
    assert talking.ledger.locks() == []


def test_who_may_not_write_starts_nothing(talking: Talking) -> None:
    """The sender's permission is asked from GitHub, as for a label."""
    talking.close()
    with pytest.raises(NotAllowed):
        talking.ask("s-2", talking.comment("@pullwright fix it", STRANGER))


def test_a_quotation_that_the_webhook_took_for_a_mention_asks_for_nothing(talking: Talking) -> None:
    """GitHub's rendering decides."""
    talking.close()
    with pytest.raises(NotAddressed):
        talking.ask("s-2", talking.comment("> they said\n@pullwright fix it"))
    with pytest.raises(NotAddressed):
        talking.ask("s-3", talking.comment("Say `@pullwright fix it`"))
    assert talking.ledger.locks() == []


def test_a_comment_on_an_issue_without_a_session_begins_one(talking: Talking) -> None:
    """It needs no label, and no description either."""
    issue = talking.github.issue(body=None)
    made = talking.github.person("POST", f"/issues/{issue}/comments", {"body": "@pullwright add a test"})
    request = {"comment_id": made["id"], "requested_by": PERSON, "delivery_id": GUID, "issue": issue}
    found = talking.ask("s-2", request)
    assert (found.branch, found.issue, found.conversation) == (f"claude/{issue}", issue, None)
    assert found.follow_ups[0].body == "@pullwright add a test"


def services(talking: Talking) -> EventServices:
    """Return what the queue's messages are processed with."""
    states: Any = States()
    return EventServices(
        talking.github.app(),
        talking.sessions,
        talking.ledger,
        states,
        MACHINE,
        NO_QUEUE,
        "",
        mention_name="pullwright",
    )


def queued(talking: Talking, request: dict[str, Any]) -> QueuedReview:
    """Return the message for a review."""
    full = {"repository": REPOSITORY, **request}
    message = {"kind": "review", "name": f"implement-{talking.number}-{GUID}", "request": full}
    found = MESSAGE.validate_json(json.dumps(message))
    assert isinstance(found, QueuedReview)
    return found


def test_a_review_of_ours_that_wants_changes_starts_a_session(talking: Talking) -> None:
    """With its comments in the code, each with its place; twice the same message is once."""
    talking.close()
    change(talking)
    request = talking.review("REQUEST_CHANGES", "Not yet.", {**NOTE, "body": "Too long."})
    made = services(talking)
    message = queued(talking, request)
    assert start_for_review(message, made) == "A session is started for the review."
    assert start_for_review(message, made) == "A session was started for the review before."
    states: Any = made.states
    [(name, started)] = states.started.items()
    assert name == message.name
    del started["repository"]
    [asked] = talking.ask(name, started).follow_ups
    assert asked.body == "Not yet.\n\nREADME.md, line 1:\n\nToo long."
    assert asked.review_id == request["review_id"]


def test_a_review_counts_when_a_comment_in_the_code_mentions_us(talking: Talking) -> None:
    """Others, of who may not write, and on pull requests of people, start nothing."""
    talking.close()
    change(talking)
    made = services(talking)
    plain = talking.review("COMMENT", "Hm.", {**NOTE, "body": "Why?"})
    assert "asks for nothing" in start_for_review(queued(talking, plain), made)
    stranger = talking.review("COMMENT", "Hm.", NOTE, login=STRANGER)
    assert "may not write" in start_for_review(queued(talking, stranger), made)
    asking = talking.review("COMMENT", "Hm.", NOTE)
    assert start_for_review(queued(talking, asking), made) == "A session is started for the review."
    talking.github.commit("topic")
    pull = talking.github.person("POST", "/pulls", {"title": "x", "head": "topic", "base": "main"})
    theirs = queued(talking, {**asking, "pull_request": pull["number"]})
    assert "not ours" in start_for_review(theirs, made)


def test_what_another_branch_s_session_took_along_is_not_asked_for(talking: Talking) -> None:
    """Whoever names any session in `retry_of` reads no comment of another branch or repository."""
    talking.close()
    talking.ask("s-2", talking.comment("@pullwright do one"))
    talking.close("s-2")
    talking.sessions.update_session("s-2", {"branch": "claude/other"})
    again = talking.comment("@pullwright do two")
    found = talking.ask("s-3", {**again, "retry_of": "s-2"})
    assert [it.body for it in found.follow_ups] == ["@pullwright do two"]
    talking.close("s-3")
    found = talking.ask("s-4", {**talking.comment("@pullwright do three"), "retry_of": "never-there"})
    assert len(found.follow_ups) == 1
