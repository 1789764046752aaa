"""Jira's webhook: what starts, what stops, what is ignored and what is refused.

Payloads, headers and what is repeated: https://developer.atlassian.com/cloud/jira/platform/webhooks/.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.events.messages import MESSAGE, QueuedStop
from pullwright.jira.decision import decide, delivery_id, read_projects
from pullwright.jira.service import JiraWebhook
from pullwright.jira.settings import Settings
from pullwright.models import SessionRequest
from pullwright.opening.request import check_session_id
from pullwright.record import SessionRecord
from pullwright.webhook.answers import Answer, Refused, WrongSignature
from pullwright.webhook.decision import Decision, Starts
from pullwright.webhook.log import DeliveryLog
from pullwright.webhook.message import Message
from pullwright.webhook.secret import WebhookSecret
from tests.unit.jira_delivery_kit import (
    ACCOUNT,
    ID,
    KEY,
    LABEL,
    PROJECT,
    REPOSITORY,
    SECRET,
    created,
    deleted,
    encoded,
    headers,
    labelled,
)
from tests.unit.webhook_kit import MACHINE, FakeAws, url_event

PROJECTS = {PROJECT: REPOSITORY}
SETTINGS = Settings(MACHINE, "arn:secret", "https://sqs.example/queue", LABEL, f"{PROJECT}={REPOSITORY}")


def decided(payload: dict[str, Any], *, label: str = LABEL, **more: str) -> Decision:
    """Return what is decided about a signed payload."""
    body = encoded(payload)
    return decide({**headers(body), **more}, body, SECRET, trigger_label=label, projects=PROJECTS)


def started(payload: dict[str, Any], **more: str) -> SessionRequest:
    """Return the request of the one session that a payload starts."""
    decision = decided(payload, **more)
    assert isinstance(decision, Starts)
    (start,) = decision.starts
    check_session_id(start.name)
    return SessionRequest.model_validate_json(start.input)


def ignored(payload: dict[str, Any]) -> str:
    """Return why a payload is ignored."""
    decision = decided(payload)
    assert isinstance(decision, Answer)
    assert (decision.status_code, decision.status) == (200, "ignored")
    return decision.reason


def refused(payload: dict[str, Any]) -> str:
    """Return the field for which a payload is refused."""
    with pytest.raises(Refused) as caught:
        decided(payload)
    assert caught.value.answer.status_code == 400
    return caught.value.answer.field


def test_a_label_starts_a_session() -> None:
    """The request says who asked, when, and with which change of the issue."""
    request = started(labelled("bug", f"bug {LABEL}"))
    assert request.repository == REPOSITORY
    assert request.jira is not None
    assert request.jira.model_dump() == {"key": KEY, "id": ID, "account": ACCOUNT, "change": 10124}
    assert str(request.asked_at) == "2024-11-01 00:00:00.123000+00:00"
    assert (request.worker, request.label) == ("implement", LABEL)


def test_a_new_issue_with_the_label_starts_a_session() -> None:
    """What counts is the text with which it was created."""
    request = started(created("bug", LABEL))
    assert request.jira is not None
    assert request.jira.change == 0


@pytest.mark.parametrize("after", ["Claude-Dev", "CLAUDE-DEV bug"])
def test_case_makes_no_other_label(after: str) -> None:
    """A label in other letters counts too, though Jira keeps it as another one."""
    assert started(labelled("bug", after)).label == LABEL


def test_a_space_in_the_parameter_is_a_hyphen_in_jira() -> None:
    """Labels of Jira have no spaces."""
    assert started(labelled(), label="Claude dev").label == LABEL


def test_the_same_delivery_has_the_same_name_and_input() -> None:
    """Jira repeats a delivery under the same identifier: Step Functions answers with the same execution."""
    first, second = decided(labelled()), decided(labelled())
    assert isinstance(first, Starts)
    assert isinstance(second, Starts)
    assert first.starts == second.starts
    other = decided(labelled(), **{"x-atlassian-webhook-identifier": "another"})
    assert isinstance(other, Starts)
    assert other.starts[0].name != first.starts[0].name


@given(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,19}-[1-9][0-9]{0,9}", fullmatch=True), st.text(min_size=1, max_size=256)
)
def test_a_name_fits(key: str, identifier: str) -> None:
    """Whatever key and identifier are, the execution's name is one that Step Functions and the task take."""
    body = encoded(labelled(key=key))
    sent = headers(body, identifier=identifier)
    projects = {key.rpartition("-")[0]: REPOSITORY}
    if not delivery_id(sent):
        return
    decision = decide(sent, body, SECRET, trigger_label=LABEL, projects=projects)
    assert isinstance(decision, Starts)
    check_session_id(decision.starts[0].name)
    SessionRequest.model_validate_json(decision.starts[0].input)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (labelled(LABEL, f"{LABEL} bug"), "neither added"),
        (labelled("bug", "feature"), "neither added"),
        (labelled("", f"{LABEL}-later"), "neither added"),
        (
            {**labelled(), "changelog": {"id": "1", "items": [{"field": "summary", "toString": LABEL}]}},
            "neither",
        ),
        ({**labelled(), "changelog": "none"}, "neither added"),
        (created("bug"), "neither added"),
        (deleted("bug"), "neither added"),
        ({**labelled(), "webhookEvent": "comment_created"}, "starts and stops nothing"),
        (labelled(key="OTHER-1"), "project OTHER is mapped to no repository"),
        ({**labelled(), "user": None}, "names no account"),
    ],
)
def test_what_is_none_of_our_business_is_ignored(payload: dict[str, Any], words: str) -> None:
    """What starts and stops nothing is answered with the reason."""
    assert words in ignored(payload)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({**labelled(), "webhookEvent": 7}, "webhookEvent"),
        ({**labelled(), "timestamp": "now"}, "timestamp"),
        ({**labelled(), "timestamp": 10**30}, "timestamp"),
        (labelled(key="shop-7"), "issue.key"),
        (labelled(key="SHOP-7/../.."), "issue.key"),
        (labelled(key="A" * 40 + "-1"), "issue.key"),
        (labelled(change="x"), "changelog.id"),
        (labelled(change=None), "changelog.id"),
        ({**labelled(), "issue": {**labelled()["issue"], "id": 7}}, "issue.id"),
    ],
)
def test_what_jira_does_not_send_is_refused(payload: dict[str, Any], field: str) -> None:
    """The answer names the field that is wrong."""
    assert refused(payload) == field


def test_without_an_identifier_nothing_starts() -> None:
    """A delivery that cannot be told from its repetition is refused."""
    with pytest.raises(Refused) as caught:
        decided(labelled(), **{"x-atlassian-webhook-identifier": ""})
    assert caught.value.answer.field == "x-atlassian-webhook-identifier"


SIGNATURES = {
    "none": {"x-hub-signature": ""},
    "of another algorithm": {"x-hub-signature": "sha1=" + "0" * 40},
    "wrong": {"x-hub-signature": "sha256=" + "0" * 64},
    "in GitHub's header": {
        "x-hub-signature": "",
        "x-hub-signature-256": headers(encoded(labelled()))["x-hub-signature"],
    },
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_is_not_signed_is_refused(name: str) -> None:
    """Only HMAC-SHA256 of the raw bytes in X-Hub-Signature counts."""
    with pytest.raises(Refused) as caught:
        decided(labelled(), **SIGNATURES[name])
    assert caught.value.answer.status_code == 401
    assert isinstance(caught.value, WrongSignature) == (name == "wrong")


@pytest.mark.parametrize(
    ("payload", "error", "words"),
    [
        (labelled(LABEL, "bug"), "LabelRemoved", "taken off SHOP-7 in Jira"),
        (labelled(f"x {LABEL}", "x", key="MOVED-3"), "LabelRemoved", "taken off MOVED-3 in Jira"),
        (deleted(LABEL), "SessionStopped", "SHOP-7 was deleted"),
    ],
)
def test_what_is_taken_back_stops(payload: dict[str, Any], error: str, words: str) -> None:
    """The label taken off or the issue deleted ends what it started, in whichever project it is by now."""
    decision = decided(payload)
    assert isinstance(decision, Message)
    message = MESSAGE.validate_json(decision.message)
    assert isinstance(message, QueuedStop)
    assert message.error == error
    assert words in message.cause
    running = json.loads(_input(labelled()))
    assert message.is_about(_record(running))
    later = {**running, "asked_at": "2024-11-02T00:00:00+00:00"}
    assert not message.is_about(_record(later))
    assert not message.is_about(_record({**running, "jira": {**running["jira"], "id": "8"}}))
    assert not message.is_about(
        _record({"repository": REPOSITORY, "issue": 7, "asked_at": running["asked_at"]})
    )
    # Whoever started one in the AWS account needs no label for it.
    assert not message.is_about(_record({"repository": REPOSITORY, "jira": {"key": KEY, "id": ID}}))


def test_a_label_on_github_stops_nothing_of_jira() -> None:
    """A session of Jira is about no issue and no pull request of GitHub."""
    message = QueuedStop(
        kind="stop",
        error="LabelRemoved",
        cause="x",
        repository=REPOSITORY,
        issue=7,
        label=LABEL,
        at="2030-01-01T00:00:00+00:00",
    )
    assert not message.is_about(_record(json.loads(_input(labelled()))))


def test_projects_are_read() -> None:
    """The parameter is a list of pairs."""
    assert read_projects("A=o/r,B=o/s") == {"A": "o/r", "B": "o/s"}
    assert read_projects("") == {}


def _input(payload: dict[str, Any]) -> str:
    decision = decided(payload)
    assert isinstance(decision, Starts)
    return decision.starts[0].input


def _record(request: dict[str, Any]) -> SessionRecord:
    return SessionRecord(session_id="s", repository=REPOSITORY, input=json.dumps(request))


def _answer(aws: FakeAws, payload: object, *, secret: bytes = SECRET) -> Answer:
    body = encoded(payload)
    client = aws.client()
    webhook = JiraWebhook(SETTINGS, client, WebhookSecret(client, "arn:secret", monotonic=aws.monotonic))
    log = DeliveryLog({}, None, cold_start=False, write=lambda _: None)
    return webhook.answer(url_event(body.decode(), headers(body, secret=secret)), log)


def _aws(**answers: list[tuple[int, dict[str, Any]] | Exception]) -> FakeAws:
    return FakeAws(GetSecretValue=[(200, {"SecretString": SECRET.decode()})], **answers)


BUSY: tuple[int, dict[str, Any]] = (429, {"__type": "ThrottlingException"})


def test_the_function_starts_an_execution() -> None:
    """A signed label is answered with 202 and starts one execution."""
    aws = _aws()
    assert _answer(aws, labelled()).status_code == 202
    assert aws.count("StartExecution") == 1


def test_a_delivery_that_was_worked_on_is_a_success() -> None:
    """Jira's repetition of a delivery whose execution has ended is not repeated again."""
    aws = _aws(StartExecution=[(400, {"__type": "ExecutionAlreadyExists"})])
    assert (_answer(aws, labelled()).status_code, aws.count("SendMessage")) == (202, 0)


def test_a_start_that_finds_no_room_is_queued() -> None:
    """The queue takes it as it takes GitHub's."""
    aws = _aws(StartExecution=[BUSY])
    assert _answer(aws, labelled()).status == "queued"
    body = next(call["MessageBody"] for name, call in aws.calls if name == "SendMessage")
    assert MESSAGE.validate_json(body).kind == "start"


def test_what_is_ours_to_repeat_is_answered_with_503() -> None:
    """Jira repeats 5xx: neither machine nor queue took it, or the secret cannot be read."""
    assert _answer(_aws(StartExecution=[BUSY], SendMessage=[BUSY]), labelled()).status_code == 503
    assert _answer(FakeAws(GetSecretValue=[BUSY]), labelled()).status_code == 503
    assert _answer(FakeAws(GetSecretValue=[(200, {"SecretString": " "})]), labelled()).status_code == 503


def test_a_wrong_signature_is_refused_by_the_function() -> None:
    """Whoever does not know the secret starts nothing."""
    aws = _aws()
    assert _answer(aws, labelled(), secret=b"other").status_code == 401
    assert aws.count("StartExecution") == 0


def test_the_label_taken_off_is_queued() -> None:
    """What ends sessions goes to the queue."""
    aws = _aws()
    assert (_answer(aws, labelled(LABEL, "")).status_code, aws.count("SendMessage")) == (202, 1)
