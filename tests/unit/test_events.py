"""The queue behind the webhook."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.stub import Stubber

from pullwright import aws, composition
from pullwright.errors import InternalError
from pullwright.events import process
from pullwright.events.services import EventServices
from pullwright.handlers import events as function
from pullwright.record import SessionRecord
from tests.unit.aws_kit import client
from tests.unit.webhook_kit import EXECUTION, GUID, MACHINE

NAME = f"implement-42-{GUID}"
INPUT = '{"repository":"octo-org/widgets","issue":42}'
GOOD = {"kind": "start", "name": NAME, "input": INPUT}
EXPECTED = {"stateMachineArn": MACHINE, "name": NAME, "input": INPUT}


@pytest.fixture
def states() -> Any:
    """Provide a client of Step Functions that calls nobody."""
    return client("stepfunctions")


@dataclass
class Ledger:
    """The sessions table, as far as the queue reads it."""

    sessions: tuple[SessionRecord, ...]

    def open_sessions(self) -> list[SessionRecord]:
        """See `pullwright.reconciling.ledger.Ledger`."""
        return list(self.sessions)


class NoWorkers:
    """A table without workers, and a queue that is given nothing."""

    @property
    def workers(self) -> NoWorkers:
        """See `Store`."""
        return self

    def repositories_of(self, installation_id: int) -> list[str]:
        """See `WorkerStore`."""
        assert installation_id
        return []

    def send(self, messages: list[Any]) -> None:
        """See `Queue`."""
        assert not messages


def processed(
    states: Any, *bodies: str, sessions: tuple[SessionRecord, ...] = ()
) -> tuple[list[str], list[dict[str, Any]]]:
    """Process messages numbered from 0; return the failed ones and the log's lines."""
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
    log = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "logger", Logger(service=f"events-{id(log)}", stream=log))
        nobody: Any = None
        store: Any = NoWorkers()
        ledger: Any = Ledger(sessions)
        failed = process.process(records, EventServices(nobody, store, ledger, states, MACHINE, store, ""))
    return failed, [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_queued_session_is_started(states: Any) -> None:
    """The execution gets the name and the very input that the webhook chose."""
    with Stubber(states) as stub:
        stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 1}, EXPECTED)
        failed, [line] = processed(states, json.dumps(GOOD))
        stub.assert_no_pending_responses()
    assert failed == []
    assert line["correlation_id"] == NAME


def test_a_session_that_was_started_before_is_a_success(states: Any) -> None:
    """A message that comes twice, or after the session's end, is done."""
    with Stubber(states) as stub:
        stub.add_client_error("start_execution", "ExecutionAlreadyExists", expected_params=EXPECTED)
        assert processed(states, json.dumps(GOOD))[0] == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        json.dumps(GOOD | {"kind": "stop"}),
        json.dumps(GOOD | {"kind": "dance"}),
        json.dumps(GOOD | {"name": "no name"}),
        json.dumps(GOOD | {"input": {"repository": "secret-words"}}),
        json.dumps(GOOD | {"more": "secret-words"}),
    ],
)
def test_a_malformed_message_fails_alone(states: Any, body: str) -> None:
    """What is no message of ours goes to the dead-letter queue, unlogged, and the others are processed."""
    with Stubber(states) as stub:
        stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 1}, EXPECTED)
        failed, lines = processed(states, body, json.dumps(GOOD))
    assert failed == ["0"]
    assert "secret-words" not in json.dumps(lines)


def test_a_throttled_start_is_tried_again_later(states: Any) -> None:
    """Only the message whose start failed comes back."""
    with Stubber(states) as stub:
        stub.add_client_error("start_execution", "ThrottlingException", http_status_code=400)
        stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 1}, EXPECTED)
        failed, lines = processed(states, json.dumps(GOOD), json.dumps(GOOD))
    assert failed == ["0"]
    assert lines[0]["error"] == "ClientError"


def test_what_there_is_no_time_for_comes_again(states: Any) -> None:
    """The first message is always begun; those after it are left before the function runs out of time."""
    records = [{"messageId": str(number), "body": json.dumps(GOOD)} for number in range(3)]
    nobody: Any = None
    services = EventServices(nobody, nobody, nobody, states, MACHINE, nobody, "")
    seconds = iter((20.0, 10.0))
    with Stubber(states) as stub:
        for _ in range(2):
            stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 1}, EXPECTED)
        assert process.process(records, services, seconds_left=seconds.__next__) == ["2"]
        stub.assert_no_pending_responses()


def session(name: str, asked_at: str | None = "2025-05-20T06:40:02Z", **fields: Any) -> SessionRecord:
    """Return the record of an open session."""
    request = {"repository": "octo-org/widgets", "issue": 42, "asked_at": asked_at}
    item = {
        # A record may say anything; its key says which execution is its own.
        "execution_arn": f"{EXECUTION}-of-somebody-else",
        "repository": "octo-org/widgets",
        "installation_id": 7,
        "input": json.dumps(request),
    }
    return SessionRecord.of(f"{EXECUTION.rpartition(':')[2]}{name}", item | fields)


STOP = {
    "kind": "stop",
    "error": "LabelRemoved",
    "cause": "It was removed.",
    "repository": "octo-org/widgets",
    "issue": 42,
    "at": "2025-05-20T07:00:00Z",
}
CLOSED = {
    "kind": "stop",
    "error": "SessionStopped",
    "cause": "The pull request was closed by octocat.",
    "repository": "octo-org/widgets",
    "pull_request": 43,
    "at": "2025-05-20T07:00:00Z",
}
BEGUN: dict[str, Any] = {"pull_request": 43, "created_at": "2025-05-20T06:40:02Z"}
ALL = {"kind": "stop", "error": "SessionStopped", "cause": "Gone.", "installation_id": 7}
OTHER = json.dumps({"repository": "octo-org/widgets", "issue": 43, "asked_at": "2025-05-20T06:40:02Z"})


@pytest.mark.parametrize(
    ("message", "record", "is_stopped"),
    [
        (STOP, session("-a"), True),
        (STOP, session("-added-again", "2025-05-20T07:00:01Z"), False),
        (STOP, session("-without-a-label", None), False),
        (STOP, session("-other-issue", input=OTHER), False),
        (STOP, session("-other-repository", repository="octo-org/gadgets"), False),
        (STOP, session("-no-sense", input="[]"), False),
        (CLOSED, session("-a", None, **BEGUN), True),
        (CLOSED, session("-reopened", None, **BEGUN | {"created_at": "2025-05-20T07:00:01Z"}), False),
        (CLOSED, session("-another", None, **BEGUN | {"pull_request": 44}), False),
        (CLOSED, session("-not-open-yet"), False),
        (CLOSED, session("-elsewhere", **BEGUN, repository="octo-org/gadgets"), False),
        (ALL | {"repositories": None}, session("-a", None), True),
        (ALL | {"repositories": ["octo-org/widgets"]}, session("-a"), True),
        (ALL | {"repositories": ["octo-org/gadgets"]}, session("-a"), False),
        (ALL | {"repositories": None}, session("-a", installation_id=8), False),
    ],
)
def test_only_the_sessions_that_are_meant_are_stopped(
    states: Any,
    message: dict[str, Any],
    record: SessionRecord,
    is_stopped: bool,  # noqa: FBT001 - a parameter of pytest's
) -> None:
    """The executions of the sessions meant are stopped, with the reason that people read."""
    with Stubber(states) as stub:
        if is_stopped:
            wanted = {
                "executionArn": EXECUTION.rpartition(":")[0] + ":" + record.session_id,
                "error": message["error"],
                "cause": message["cause"],
            }
            stub.add_response("stop_execution", {"stopDate": 1}, wanted)
        failed, _ = processed(states, json.dumps(message), sessions=(record,))
        stub.assert_no_pending_responses()
    assert failed == []


def test_the_handler_answers_in_the_form_of_sqs(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function reports the failed messages one by one."""
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)
    monkeypatch.setenv("GITHUB_API_URL", "https://api.github.com")
    for name in ("SESSIONS_TABLE", "GITHUB_APP_SECRET_ARN", "EVENTS_QUEUE_URL", "MENTION_NAME"):
        monkeypatch.setenv(name, "t")
    monkeypatch.setenv("CLUSTER_ARN", "c")
    monkeypatch.setenv("PREVIEW_STATE_MACHINE_ARN", "")
    monkeypatch.setenv("ALLOWED_OWNERS", "")
    monkeypatch.setattr(aws, "stepfunctions", lambda: states)
    monkeypatch.setattr(aws, "sqs", lambda: client("sqs"))
    monkeypatch.setattr(aws, "dynamodb", lambda: client("dynamodb"))
    composition.settings.cache_clear()
    with Stubber(states):
        answer = function.handler({"Records": [{"messageId": "7", "body": "?"}]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}]}


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that was deployed wrongly says which variable is missing."""
    monkeypatch.delenv("STATE_MACHINE_ARN", raising=False)
    composition.settings.cache_clear()
    with pytest.raises(InternalError, match="STATE_MACHINE_ARN"):
        function.handler({"Records": []}, None)
