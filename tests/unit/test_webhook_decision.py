"""What a delivery asks for, decided from headers, bytes and secret alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.events.messages import QueuedStop
from pullwright.models import SessionRequest
from pullwright.webhook.answers import Answer, Refused, WrongSignature
from pullwright.webhook.decision import Decision, Starts, decide
from pullwright.webhook.message import Message
from pullwright.webhook.start import Start
from tests.unit.webhook_kit import GUID, LABEL, SECRET, headers, payload


def decided(content: Any, *, event: str = "issues", label: str = LABEL, **more: str) -> Decision | Start:
    """Sign a payload and decide."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    decision = decide(headers(body, event, secret=SECRET, **more), body, SECRET, trigger_label=label)
    return alone(decision)


def alone(decision: Decision) -> Decision | Start:
    """Return the only execution, where one worker alone starts."""
    if isinstance(decision, Starts):
        [start] = decision.starts
        return start
    return decision


def refusal(content: Any, **more: str) -> Answer:
    """Sign a payload and return how it is refused."""
    with pytest.raises(Refused) as caught:
        decided(content, **more)
    return caught.value.answer


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the labelled issue with one field changed, or taken away when the value is `...`."""
    content = payload("issues_labeled")
    *above, last = path.split(".")
    holder = content
    for name in above:
        holder = holder[name]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return content


def test_a_label_starts_a_session() -> None:
    """The execution's name and input say all that the webhook knows, and the input is a valid request."""
    start = decided(payload("issues_labeled"))
    assert isinstance(start, Start)
    assert start.name == f"implement-42-{GUID}"
    issue = payload("issues_labeled")["issue"]
    assert json.loads(start.input) == {
        "repository": "octo-org/widgets",
        "issue": 42,
        "worker": "implement",
        "requested_by": "octocat",
        "delivery_id": GUID,
        "installation_id": 51234567,
        "label": payload("issues_labeled")["label"]["name"],
        "asked_at": "2025-05-20T06:40:02Z",
        "title_sha256": hashlib.sha256(issue["title"].encode()).hexdigest(),
        "body_sha256": hashlib.sha256(issue["body"].encode()).hexdigest(),
    }
    assert SessionRequest.model_validate_json(start.input).issue == 42


def test_an_issue_without_text_hashes_as_empty() -> None:
    """The body of an issue without description is null, and counts as an empty text."""
    start = decided(changed("issue.body", None))
    assert isinstance(start, Start)
    assert json.loads(start.input)["body_sha256"] == hashlib.sha256(b"").hexdigest()


def test_labels_do_not_differ_by_case() -> None:
    """GitHub treats labels that differ by case as one, and so do we."""
    assert isinstance(decided(changed("label.name", "Claude-Dev")), Start)


@given(
    number=st.integers(1, 9_999_999_999),
    login=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", fullmatch=True),
    # GitHub gives no name of dots alone.
    name=st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True).filter(lambda name: name.strip(".") != ""),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    body=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    guid=st.uuids(),
)
def test_what_is_started_is_always_valid(
    *, number: int, login: str, name: str, title: str, body: str | None, guid: Any
) -> None:
    """Whatever GitHub allows as names and texts makes a valid name and a valid input."""
    content = payload("issues_labeled")
    content["issue"] |= {"number": number, "title": title, "body": body}
    content["repository"]["full_name"] = f"{login}/{name}"
    content["sender"]["login"] = login
    start = decided(content, x_github_delivery=str(guid))
    assert isinstance(start, Start)
    assert len(start.name) <= 80
    assert set(start.name) <= set("0123456789abcdefghijklmnopqrstuvwxyz-")
    request = SessionRequest.model_validate_json(start.input)
    assert (request.repository, request.issue) == (f"{login}/{name}", number)
    assert request.body_sha256 == hashlib.sha256((body or "").encode()).hexdigest()


def test_a_redelivery_makes_the_same_input() -> None:
    """The same delivery makes the same bytes, so that Step Functions answers with the same execution."""
    assert decided(payload("issues_labeled")) == decided(payload("issues_labeled"))


ISSUE = {"repository": "octo-org/widgets", "issue": 42, "at": "2025-05-20T06:40:02Z"}
INSTALLATION = {"action": "deleted", "installation": {"id": 51234567}}
CLOSED: dict[str, Any] = {
    **payload("issues_labeled"),
    "action": "closed",
    "pull_request": {
        "number": 43,
        "merged": False,
        "closed_at": "2025-05-20T06:40:02Z",
        "head": {"ref": "claude/42", "repo": {"full_name": "octo-org/widgets"}},
    },
}
CLOSED_BY = {
    "repository": "octo-org/widgets",
    "pull_request": 43,
    "at": "2025-05-20T06:40:02Z",
    "error": "SessionStopped",
}
REMOVED = {"action": "removed", "repositories_removed": [{"full_name": "octo-org/widgets"}, {}, 7]}


@pytest.mark.parametrize(
    ("content", "event", "told"),
    [
        (
            changed("action", "unlabeled"),
            "issues",
            ISSUE | {"error": "LabelRemoved", "cause": "The label claude-dev was removed by octocat."},
        ),
        (
            changed("action", "deleted"),
            "issues",
            ISSUE | {"error": "SessionStopped", "cause": "The issue was deleted."},
        ),
        (
            changed("action", "transferred"),
            "issues",
            ISSUE | {"error": "SessionStopped", "cause": "The issue was moved to another repository."},
        ),
        (
            CLOSED,
            "pull_request",
            CLOSED_BY | {"cause": "The pull request was closed by octocat."},
        ),
        (
            CLOSED | {"pull_request": CLOSED["pull_request"] | {"merged": True}},
            "pull_request",
            CLOSED_BY | {"cause": "The pull request was merged by octocat."},
        ),
        (
            CLOSED | {"sender": {"login": "mergify[bot]", "type": "Bot"}},
            "pull_request",
            CLOSED_BY | {"cause": "The pull request was closed by mergify[bot]."},
        ),
        (
            INSTALLATION,
            "installation",
            {
                "installation_id": 51234567,
                "repositories": None,
                "cause": "The GitHub App was taken off the repository.",
            },
        ),
        (
            INSTALLATION | {"action": "suspend"},
            "installation",
            {"installation_id": 51234567, "cause": "The GitHub App's installation was suspended."},
        ),
        (
            INSTALLATION | REMOVED,
            "installation_repositories",
            {"installation_id": 51234567, "repositories": ["octo-org/widgets"]},
        ),
    ],
)
def test_what_takes_the_ground_from_sessions_is_queued(
    content: dict[str, Any], event: str, told: dict[str, Any]
) -> None:
    """A removed label, a lost issue and a lost installation go to the queue, as the events function reads."""
    decision = decided(content, event=event)
    assert isinstance(decision, Message)
    assert json.loads(decision.message).items() >= (told | {"kind": "stop"}).items()
    QueuedStop.model_validate_json(decision.message)


@pytest.mark.parametrize(
    ("content", "event"),
    [
        (changed("label.name", "bug") | {"action": "unlabeled"}, "issues"),
        (INSTALLATION | {"action": "added"}, "installation_repositories"),
        (INSTALLATION | {"ref": "refs/heads/topic", "repository": {"default_branch": "main"}}, "push"),
        (payload("issues_opened"), "issues"),
        (payload("pull_request_labeled"), "pull_request"),
        ({}, "star"),
        (CLOSED | {"pull_request": CLOSED["pull_request"] | {"head": {"repo": None}}}, "pull_request"),
        (
            CLOSED
            | {"pull_request": CLOSED["pull_request"] | {"head": {"repo": {"full_name": "fork/widgets"}}}},
            "pull_request",
        ),
        ({}, "projects_v2_item"),
        ({}, "projects_v2_status_update"),
        ({}, "installation_repositories"),
        (changed("label.name", "bug"), "issues"),
        (changed("sender.type", "Bot"), "issues"),
        (changed("issue.pull_request", {"url": ""}), "issues"),
    ],
)
def test_what_is_none_of_our_business_is_ignored(content: dict[str, Any], event: str) -> None:
    """A signed event that starts nothing is acknowledged with a reason."""
    given_ = decided(content, event=event)
    assert isinstance(given_, Answer)
    assert (given_.status_code, given_.status) == (200, "ignored")
    assert given_.reason


def test_a_closed_issue_is_a_request() -> None:
    """A label on a closed issue starts a session, which answers the person on the issue."""


def test_ping_is_answered() -> None:
    """GitHub's first delivery is answered well."""
    given_ = decided(payload("ping"), event="ping")
    assert isinstance(given_, Answer)
    assert (given_.status_code, given_.status) == (200, "pong")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("action", ...),
        ("action", 7),
        ("label", ...),
        ("label.name", None),
        ("sender", "octocat"),
        ("sender.login", ""),
        ("sender.login", "x" * 65),
        ("issue", []),
        ("issue.number", "42"),
        ("issue.number", True),
        ("issue.number", 0),
        ("issue.number", 10_000_000_000),
        ("issue.number", 42.0),
        ("issue.title", None),
        ("issue.title", "\ud800"),
        ("issue.body", ...),
        ("issue.body", {}),
        ("issue.updated_at", "yesterday"),
        ("issue.updated_at", "2025-05-20T06:40:02"),
        ("repository.full_name", "widgets"),
        ("repository.full_name", "o/r/w"),
        ("repository.full_name", "o/" + "r" * 140),
        ("installation", ...),
        ("installation.id", -1),
    ],
)
def test_a_wrong_field_is_named(path: str, value: object) -> None:
    """A signed event of ours that lacks a field, or has it wrong, is refused by the field's name."""
    given_ = refusal(changed(path, value))
    assert given_.status_code == 400
    assert given_.field
    assert given_.field.startswith(path)
    assert given_.field in given_.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"no json",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b'{"a": 1',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """A signed body that is no JSON object is refused, however it is broken."""
    assert refusal(body).status_code == 400


@pytest.mark.parametrize("guid", ["", "1234", GUID + "0", "../" + GUID, "g" * 36])
def test_a_delivery_without_a_guid_is_refused(guid: str) -> None:
    """What names the execution has to be a GUID."""
    given_ = refusal(payload("issues_labeled"), x_github_delivery=guid)
    assert (given_.status_code, given_.field) == (400, "x-github-delivery")


@pytest.mark.parametrize("event", ["", "Issues", "x" * 65])
def test_a_delivery_without_an_event_is_refused(event: str) -> None:
    """An event's name is one of GitHub's."""
    assert refusal({}, event=event).field == "x-github-event"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"x-hub-signature": "sha1=" + "0" * 40},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "0" * 64},
        {"x-hub-signature-256": "sha1=" + "0" * 40},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": "sha256=é"},
    ],
)
def test_what_is_not_signed_is_refused(sent: dict[str, str]) -> None:
    """Without a fitting SHA-256 signature nothing is read, not even broken JSON."""
    with pytest.raises(Refused) as caught:
        decide(sent, b"not even json", SECRET, trigger_label=LABEL)
    assert caught.value.answer.status_code == 401


def test_the_signature_covers_every_byte() -> None:
    """One space more than GitHub signed is another body."""
    body = json.dumps(payload("issues_labeled")).encode()
    with pytest.raises(WrongSignature):
        decide(headers(body), body + b" ", SECRET, trigger_label=LABEL)


@pytest.mark.parametrize("secret", [b"", b" \n"])
def test_an_empty_secret_accepts_nothing(secret: bytes) -> None:
    """A signature made with an empty secret proves nothing, even when it fits."""
    body = b"{}"
    with pytest.raises(ValueError, match="empty"):
        decide(headers(body, secret=secret), body, secret, trigger_label=LABEL)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["action", "issue", "label", "name", "sender", "type", "state"]) | st.text(),
                x,
            )
        ),
    )
)
def test_no_json_makes_it_fail(content: Any) -> None:
    """Whatever JSON is signed, the outcome is a start, an answer or a refusal."""
    try:
        decided(content)
    except Refused as refused:
        status = refused.answer.status_code
    else:
        status = 0
    assert status in (0, 400)


@pytest.mark.parametrize(
    ("login", "allowed", "starts"),
    [
        ("renovate[bot]", "other,renovate", True),
        ("renovate[bot]", "", False),
        ("evil[bot]", "renovate", False),
        ("renovate", "renovate", False),
        ("[bot]", "", False),
    ],
)
def test_trusting_bot_actors(login: str, allowed: str, *, starts: bool) -> None:
    """The public case of that name: an App's label counts only if the deployment lists the App."""
    content = changed("sender.type", "Bot")
    content["sender"]["login"] = login
    body = json.dumps(content).encode()
    decision = decide(headers(body), body, SECRET, trigger_label=LABEL, allowed_apps=allowed)
    assert isinstance(decision, Starts) is starts
