"""Which comments and reviews ask for more: the webhook's decision."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings

from github_standin.markup import render
from pullwright.events.messages import MESSAGE, QueuedReview
from pullwright.models import SessionRequest
from pullwright.rendered.addressed import addresses
from pullwright.webhook.answers import Answer
from pullwright.webhook.decision import Starts, decide
from pullwright.webhook.follow_ups import mention_of
from pullwright.webhook.message import Message
from pullwright.workers.routing import Trigger, Worker
from tests.unit.markdown_kit import WRITTEN
from tests.unit.webhook_kit import GUID, LABEL, SECRET, headers

if TYPE_CHECKING:
    from pullwright.webhook.start import Start


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
