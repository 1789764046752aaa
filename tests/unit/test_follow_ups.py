"""Requests in comments and reviews, from the webhook's delivery to what the task reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings

from github_standin.markup import render
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
from pullwright.models import SessionRequest
from pullwright.rendered.addressed import addresses
from pullwright.store import BranchRecord
from pullwright.webhook.answers import Answer
from pullwright.webhook.decision import Starts, decide
from pullwright.webhook.follow_ups import mention_of
from pullwright.webhook.message import Message
from pullwright.workers.routing import Trigger, Worker
from tests.unit.markdown_kit import WRITTEN
from tests.unit.pipeline_kit import PERSON, REPOSITORY, STRANGER, execution
from tests.unit.reconcile_kit import SweptDeployment, table
from tests.unit.test_commands import MACHINE, NO_QUEUE, States
from tests.unit.webhook_kit import GUID, LABEL, SECRET, headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pullwright.models import AgentRequest
    from pullwright.webhook.start import Start

CONVERSATION = "72d3162e-cc78-41e3-81ab-4c9367dc0958"
COMMENT: dict[str, Any] = {
    "action": "created",
    "issue": {"number": 8, "title": "Sum", "body": None, "state": "open"},
    "comment": {"id": 99, "body": "@pullwright also handle None", "created_at": "2026-11-21T08:30:00Z"},
    "repository": {"full_name": "octo-org/widgets"},
    "sender": {"login": "maintainer", "type": "User"},
    "installation": {"id": 5},
}
REVIEW: dict[str, Any] = {
    "action": "submitted",
    "review": {
        "id": 7,
        "state": "commented",
        "body": "Please, @pullwright: shorter.",
        "commit_id": "a" * 40,
        "submitted_at": "2026-11-21T08:30:00Z",
    },
    "pull_request": {
        "number": 8,
        "title": "Sum",
        "body": None,
        "state": "open",
        "user": {"login": "pullwright[bot]", "type": "Bot"},
    },
    **{name: COMMENT[name] for name in ("repository", "sender", "installation")},
}


def decided(event: str, content: dict[str, Any]) -> Any:
    """Sign a payload and decide."""
    body = json.dumps(content).encode()
    signed = headers(body, event, secret=SECRET)
    return decide(signed, body, SECRET, trigger_label=LABEL, mention_name="pullwright")


def kind(made: Any) -> str:
    """Return what a queued message asks for."""
    assert isinstance(made, Message), made
    return str(json.loads(made.message)["kind"])


def started(made: Any) -> Start:
    """Return the one execution that a delivery starts."""
    assert isinstance(made, Starts), made
    [start] = made.starts
    return start


def changed(content: dict[str, Any], place: str, **fields: Any) -> dict[str, Any]:
    """Return a payload with some fields of one part changed."""
    if not place:
        return {**content, **fields}
    return {**content, place: {**content[place], **fields}}


def test_a_mention_starts_one_session_by_its_delivery() -> None:
    """The name holds the delivery's GUID, and the input is one that OpenPullRequest takes."""
    made = started(decided("issue_comment", COMMENT))
    assert made.name == f"implement-8-{GUID}"
    assert started(decided("issue_comment", COMMENT)) == made
    request = SessionRequest.model_validate_json(made.input)
    assert (request.issue, request.comment_id, request.requested_by) == (8, 99, "maintainer")
    assert request.text_sha256 == sha256(COMMENT["comment"]["body"].encode()).hexdigest()
    assert request.body_sha256 == sha256(b"").hexdigest()
    assert request.is_follow_up
    on_pull = started(decided("issue_comment", changed(COMMENT, "issue", pull_request={"url": "x"})))
    asked = SessionRequest.model_validate_json(on_pull.input)
    assert (asked.issue, asked.pull_request, asked.body_sha256) == (None, 8, None)
    review = SessionRequest.model_validate_json(started(decided("pull_request_review", REVIEW)).input)
    assert (review.pull_request, review.review_id, review.comment_id) == (8, 7, None)


@pytest.mark.parametrize(
    "body",
    [
        "@pullwright fix it",
        "Please, @PullWright, fix it",
        "a line\n\n> quoted\n\n@pullwright: go",
        "(@pullwright)",
        "`code` @pullwright",
        "/lgtm @pullwright go on",
    ],
)
def test_a_mention_may_stand_anywhere(body: str) -> None:
    """In any case, behind quotations and code, and behind another tool's command."""
    assert started(decided("issue_comment", changed(COMMENT, "comment", body=body))).number == 8


IGNORED = [
    ("issue_comment", changed(COMMENT, "", action="edited")),
    ("issue_comment", changed(COMMENT, "sender", type="Bot")),
    ("issue_comment", changed(COMMENT, "sender", login="x[bot]")),
    *(
        ("issue_comment", changed(COMMENT, "comment", body=body))
        for body in (
            None,
            "pullwright, fix it",
            "@pullwright-dev fix it",
            "@pullwrights",
            "me@pullwright.example",
            "see https://example.com/@pullwright",
            "@acme/@pullwright",
            "```\n@pullwright\n```",
            "~~~\n@pullwright",
            "> @pullwright fix it",
        )
    ),
    ("pull_request_review", changed(REVIEW, "sender", type="Bot")),
    ("pull_request_review", changed(REVIEW, "", action="edited")),
    (
        "pull_request_review",
        changed(changed(REVIEW, "review", body="x"), "pull_request", user={"type": "User"}),
    ),
    ("pull_request_review", changed(changed(REVIEW, "review", body="x"), "pull_request", state="closed")),
]


@pytest.mark.parametrize(("event", "content"), IGNORED)
def test_everything_else_starts_nothing(event: str, content: dict[str, Any]) -> None:
    """Apps, edits, longer names, addresses, code, quotations and reviews of people's pull requests."""
    assert isinstance(decided(event, content), Answer)


def test_what_else_a_comment_or_review_may_be_comes_first() -> None:
    """A command is a command, an approval releases, unless it asks for more."""
    body = "/stop\n\n@pullwright is wrong"
    assert kind(decided("issue_comment", changed(COMMENT, "comment", body=body))) == "command"
    approval = changed(REVIEW, "review", state="approved", body="Good.")
    assert kind(decided("pull_request_review", approval)) == "release"
    assert started(decided("pull_request_review", changed(REVIEW, "review", state="approved")))


@pytest.mark.parametrize("state", ["changes_requested", "commented"])
def test_a_review_without_a_mention_is_looked_at(state: str) -> None:
    """Of an App's pull request, which may be ours, GitHub is asked what its comments say."""
    made = decided("pull_request_review", changed(REVIEW, "review", state=state, body=None))
    assert isinstance(made, Message)
    message = MESSAGE.validate_json(made.message)
    assert isinstance(message, QueuedReview)
    assert (message.name, message.request.review_id) == (f"implement-8-{GUID}", 7)


@pytest.mark.parametrize("piece", ["`", "<!--", "```\n", ">", "@pullwright`", "~~~", "`a"])
def test_no_long_comment_takes_the_webhook_long(piece: str) -> None:
    """A text of GitHub's greatest length is read in one go, whatever it repeats."""
    decided("issue_comment", changed(COMMENT, "comment", body=piece * (65_000 // len(piece))))


SAID = {
    "@pullwright fix": True,
    "**@pullwright** fix": True,
    "- @pullwright fix": True,
    "# @pullwright": True,
    "> a\n\n@pullwright fix": True,
    "<details>@pullwright</details>": True,
    "`@pullwright` fix": False,
    "    @pullwright fix": False,
    "```\n@pullwright\n```": False,
    "> @pullwright fix": False,
    # Markdown goes on with the quotation.
    "> a\n@pullwright fix": False,
    "<!-- @pullwright -->": False,
    "~~@pullwright fix~~": False,
    "<blockquote>@pullwright</blockquote>": False,
    "<pre>@pullwright</pre>": False,
    "me@pullwright.example": False,
    "@pull\u200bwright": True,
    "[x](https://x.example/@pullwright)": False,
}


@pytest.mark.parametrize("text", SAID)
def test_githubs_rendering_says_who_is_addressed(text: str) -> None:
    """The page is made by GitHub's own Markdown library: `github_standin.markup`."""
    assert addresses(render(text), mention_of("pullwright")) is SAID[text]


@given(WRITTEN)
@example("  ```\nx\n```\n@pullwright go on")
@example("a <!-- b\n@pullwright go on")
@example("`a`@pullwright")
@settings(max_examples=1_000)
def test_what_the_webhook_drops_addresses_nobody(text: str) -> None:
    """It may let something through that is none, and never the other way round."""
    if isinstance(decided("issue_comment", changed(COMMENT, "comment", body=text)), Answer):
        assert not addresses(render(text), mention_of("pullwright"))


class Talking(SweptDeployment):
    """A deployment in which people ask for more."""

    def __init__(self, folder: Path, client: Any) -> None:
        super().__init__(folder, client)
        self.begin("s-1", "claimed", requested_by=PERSON)
        self.number = int(self.sessions.read_session("s-1").pull_request or 0)

    def comment(self, text: str, login: str = PERSON) -> dict[str, Any]:
        """Write a comment on the pull request and return the input of its session."""
        made = self.github.person("POST", f"/issues/{self.number}/comments", {"body": text}, login)
        return self._input(made, made["created_at"], login, comment_id=made["id"])

    def review(self, event: str, text: str, *comments: dict[str, Any], login: str = PERSON) -> dict[str, Any]:
        """Submit a review and return the input of its session."""
        body = {"event": event, "body": text, "comments": list(comments)}
        made = self.github.person("POST", f"/pulls/{self.number}/reviews", body, login)
        return self._input(made, made["submitted_at"], login, review_id=made["id"])

    def _input(self, made: dict[str, Any], moment: str, login: str, **ids: int) -> dict[str, Any]:
        return {
            "pull_request": self.number,
            "requested_by": login,
            "delivery_id": GUID,
            "asked_at": moment,
            "text_sha256": sha256(made["body"].encode()).hexdigest(),
            **ids,
        }

    def record(self, session_id: str, request: dict[str, Any]) -> None:
        """Write a session's record, as the state machine's first state does."""
        fields = {
            "status": "QUEUED",
            "input": json.dumps({"repository": REPOSITORY, **request}),
            "created_at": datetime.now(UTC).isoformat(),
            "heartbeat_at": datetime.now(UTC).isoformat(),
        }
        self.sessions.update_session(session_id, fields)

    def ask(self, session_id: str, request: dict[str, Any]) -> AgentRequest:
        """Open a session for a request and return what its task reads."""
        self.record(session_id, request)
        return self.again(session_id, request)

    def again(self, session_id: str, request: dict[str, Any]) -> AgentRequest:
        """Try to open the session once more."""
        self.open(session_id, **request)
        found = self.artifacts.read_request(session_id)
        assert found is not None
        return found

    def close(self, session_id: str = "s-1") -> None:
        """End a session, which frees its branch."""
        self.sessions.update_session(session_id, {"status": "SUCCEEDED"})
        for lock in self.ledger.locks():
            self.sessions.release_lock(lock.key, owner=execution(session_id))


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


NOTE = {"path": "README.md", "line": 1, "side": "RIGHT", "body": "@pullwright rename this."}


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


def change(talking: Talking) -> None:
    """Put a commit on the session's branch that changes the first line of a file."""
    branch = str(talking.sessions.read_session("s-1").branch)
    parent = talking.github.head(branch)
    base = talking.github.person("GET", f"/git/commits/{parent}")["tree"]["sha"]
    entry = {"path": "README.md", "mode": "100644", "type": "blob", "content": "# Gadgets\n"}
    tree = talking.github.person("POST", "/git/trees", {"base_tree": base, "tree": [entry]})["sha"]
    fields = {"message": "Rename", "tree": tree, "parents": [parent]}
    sha = talking.github.person("POST", "/git/commits", fields)["sha"]
    talking.github.person("PATCH", f"/git/refs/heads/{branch}", {"sha": sha})


def test_what_asks_for_more_starts_other_workers_too() -> None:
    """A mention, an approval or a review keeps no worker of the repository from its event."""
    triggers = (Trigger("issue_comment"), Trigger("pull_request_review", ("submitted",)))
    mine = (Worker("docs", triggers), Worker("implement", triggers))

    def decided_with(event: str, content: dict[str, Any]) -> Starts:
        body = json.dumps(content).encode()
        signed = headers(body, event, secret=SECRET)
        made = decide(
            signed, body, SECRET, trigger_label=LABEL, mention_name="pullwright", workers_of=lambda _: mine
        )
        assert isinstance(made, Starts), made
        return made

    mention = decided_with("issue_comment", COMMENT)
    # The worker of the same name is the one that goes on.
    assert [start.name for start in mention.starts] == [f"implement-8-{GUID}", f"docs-8-{GUID}"]
    assert "text_sha256" in mention.starts[0].input
    approval = decided_with("pull_request_review", changed(REVIEW, "review", state="approved", body=None))
    assert approval.besides is not None
    assert json.loads(approval.besides.message)["kind"] == "release"
    remark = decided_with("pull_request_review", changed(REVIEW, "review", body="Hm."))
    assert remark.besides is not None
    assert json.loads(remark.besides.message)["kind"] == "review"
    for made in (approval, remark):
        assert [start.match.worker.id for start in made.starts] == ["docs", "implement"]


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
