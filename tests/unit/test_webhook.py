"""The webhook as Lambda calls it: events of the Function URL, AWS behind it, one log line."""

from __future__ import annotations

import base64
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger

from pullwright.errors import InternalError
from pullwright.events.messages import QueuedStart, QueuedSync
from pullwright.handlers import webhook as function
from pullwright.webhook.answers import to_function_url
from pullwright.webhook.log import DeliveryLog
from pullwright.webhook.secret import WebhookSecret
from pullwright.webhook.service import Webhook
from pullwright.webhook.settings import Settings
from pullwright.webhook.workers import StoredWorkers
from tests.unit.webhook_kit import (
    ENVIRON,
    EXECUTION,
    GUID,
    LABEL,
    MACHINE,
    SECRET,
    FakeAws,
    headers,
    payload,
    url_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pullwright.aws_transport import Endpoint

SETTINGS = Settings(
    state_machine_arn=MACHINE,
    webhook_secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:webhook",
    events_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/events",
    trigger_label=LABEL,
    mention_name="pullwright",
    allowed_apps="",
    allowed_owners="",
    sessions_table="sessions",
    on_no_match="hint",
    preview_state_machine_arn="",
    preview_label="uat",
    preview_staging_label="uat-staging",
)
CONTEXT = SimpleNamespace(
    function_name="webhook",
    memory_limit_in_mb="256",
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:webhook",
    aws_request_id="8b1b9e0e-0000-4000-8000-000000000000",
)
BODY = json.dumps(payload("issues_labeled"), ensure_ascii=False)
BUSY = (400, {"__type": "ThrottlingException"})
DENIED = (400, {"__type": "AccessDeniedException"})


class Deployed:
    """A webhook with its AWS."""

    def __init__(self, aws: FakeAws | None = None, settings: Settings = SETTINGS) -> None:
        self.aws = aws or FakeAws()
        client = self.aws.client()
        secret = WebhookSecret(client, SETTINGS.webhook_secret_arn, monotonic=self.aws.monotonic)
        workers = StoredWorkers(client, "sessions", LABEL, monotonic=self.aws.monotonic)
        self.webhook = Webhook(settings, client, secret, workers)
        self.lines: list[str] = []

    def send(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one event, and return status code and body."""
        log = DeliveryLog({}, CONTEXT, cold_start=False, write=self.lines.append)
        given = self.webhook.answer(event, log)
        log.close(status_code=given.status_code, status=given.status, reason=given.reason)
        response = to_function_url(given)
        return response["statusCode"], json.loads(response["body"])


def labelled(secret: bytes = SECRET) -> dict[str, Any]:
    """Make the event of a labelled issue."""
    return url_event(BODY, headers(BODY.encode(), secret=secret))


def test_a_label_is_acknowledged_with_its_execution() -> None:
    """The answer is 202 and names the execution, which has the delivery's name and the request as input."""
    deployed = Deployed()
    status, body = deployed.send(labelled())
    assert (status, body["status"], body["execution_arn"]) == (202, "started", EXECUTION)
    assert [name for name, _ in deployed.aws.calls] == ["GetSecretValue", "GetItem", "StartExecution"]
    call = deployed.aws.calls[2][1]
    assert (call["stateMachineArn"], call["name"]) == (MACHINE, f"implement-42-{GUID}")
    assert json.loads(call["input"])["issue"] == 42


def test_headers_may_have_any_case() -> None:
    """HTTP's header names do not differ by case."""
    event = labelled()
    event["headers"] = {name.title(): value for name, value in event["headers"].items()}
    assert Deployed().send(event)[0] == 202


def test_base64_is_decoded_before_the_signature() -> None:
    """A body that Lambda encoded is verified as the bytes that GitHub sent."""
    encoded = base64.b64encode(BODY.encode()).decode()
    assert Deployed().send(url_event(encoded, headers(BODY.encode()), encoded=True))[0] == 202


def test_broken_base64_is_refused() -> None:
    """What Lambda calls base64 and is none is refused."""
    assert Deployed().send(url_event("a!b", headers(b""), encoded=True))[0] == 400


@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_over_six_megabytes_is_refused(*, encoded: bool) -> None:
    """What is too large is refused before its signature is computed."""
    deployed = Deployed()
    text = base64.b64encode(b"x" * 6_300_000).decode() if encoded else "x" * 6_300_000
    assert deployed.send(url_event(text, headers(b""), encoded=encoded))[0] == 413
    assert deployed.aws.calls == []


def test_five_megabytes_are_taken() -> None:
    """A large body of an event that is none of our business is acknowledged."""
    body = json.dumps({"padding": "x" * 5_000_000})
    status, _ = Deployed().send(url_event(body, headers(body.encode(), "star")))
    assert status == 200


def test_only_posts_are_taken() -> None:
    """A browser that opens the address is told what it is."""
    event = labelled()
    event["requestContext"]["http"]["method"] = "GET"
    assert Deployed().send(event)[0] == 405


def test_an_unsigned_request_costs_nothing() -> None:
    """Without a signature not even the secret is read."""
    deployed = Deployed()
    status, body = deployed.send(url_event(BODY, {"x-github-event": "issues"}))
    assert (status, body["status"]) == (401, "refused")
    assert deployed.aws.calls == []


def test_an_empty_body_needs_its_signature_too() -> None:
    """An empty body is 401 unsigned and 400 signed."""
    deployed = Deployed()
    assert deployed.send(url_event("", {}))[0] == 401
    assert deployed.send(url_event("", headers(b"")))[0] == 400


def test_a_form_is_refused() -> None:
    """A webhook set to the wrong content type is told so, but only if it is signed at all."""
    deployed = Deployed()
    form = "application/x-www-form-urlencoded; charset=utf-8"
    status, body = deployed.send(url_event("payload=%7B%7D", headers(b"payload=%7B%7D", content_type=form)))
    assert (status, body["field"]) == (400, "content-type")
    assert deployed.send(url_event("payload=%7B%7D", {"content-type": form}))[0] == 401


def test_the_secret_is_read_once() -> None:
    """Good deliveries use the secret in memory."""
    deployed = Deployed()
    for _ in range(5):
        deployed.send(labelled())
    assert deployed.aws.count("GetSecretValue") == 1


def test_a_rotated_secret_is_found() -> None:
    """A signature that does not fit makes us read the secret again, and then fits."""
    deployed = Deployed(
        FakeAws(GetSecretValue=[(200, {"SecretString": "old"}), (200, {"SecretString": SECRET.decode()})])
    )
    assert deployed.send(labelled(b"old"))[0] == 202
    deployed.aws.clock += 61
    assert deployed.send(labelled())[0] == 202
    assert deployed.send(labelled(b"old"))[0] == 401


def test_forgeries_read_the_secrets_every_five_seconds_at_most() -> None:
    """A flood of wrong signatures costs two calls in five seconds."""
    deployed = Deployed()
    for _ in range(120):
        assert deployed.send(labelled(b"forged"))[0] == 401
        deployed.aws.clock += 1
    assert deployed.aws.count("GetSecretValue") == 1 + 2 * 120 / 5


def in_rotation(age: float, *, previous: str | None = "old") -> FakeAws:
    """Make an AWS whose secret was replaced some seconds ago, as Secrets Manager tells it by stage."""

    class Rotating(FakeAws):
        def post(
            self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, seconds: float
        ) -> tuple[int, bytes]:
            if headers["x-amz-target"].endswith(".GetSecretValue"):
                stage = json.loads(body)["VersionStage"]
                text = previous if stage == "AWSPREVIOUS" else SECRET.decode()
                self.answers["GetSecretValue"] = [
                    (400, {"__type": "ResourceNotFoundException"})
                    if text is None
                    else (200, {"SecretString": text, "CreatedDate": time.time() - age})
                ]
            return super().post(endpoint, headers, body, seconds)

    return Rotating()


def test_while_the_secret_is_replaced_both_count() -> None:
    """New and old signatures pass on a cold function too, whichever comes first; forged ones never do."""
    for first in (SECRET, b"old"):
        deployed = Deployed(in_rotation(30))
        for secret in (first, SECRET, b"old", b"old", SECRET):
            assert deployed.send(labelled(secret))[0] == 202
            assert deployed.send(labelled(b"forged"))[0] == 401
        assert deployed.aws.count("GetSecretValue") == 3


def test_the_secret_before_counts_for_a_day() -> None:
    """After a day only the new one counts, and at once when the stage is taken away."""
    assert Deployed(in_rotation(86_300)).send(labelled(b"old"))[0] == 202
    assert Deployed(in_rotation(86_500)).send(labelled(b"old"))[0] == 401
    assert Deployed(in_rotation(30, previous=None)).send(labelled(b"old"))[0] == 401
    assert Deployed(in_rotation(30, previous=" ")).send(labelled(b" "))[0] == 401


@pytest.mark.parametrize(
    "answer",
    [(200, {"SecretString": ""}), (200, {"SecretString": " \n"}), (200, {"SecretBinary": "eA=="}), DENIED],
)
def test_without_a_secret_nothing_is_accepted(answer: tuple[int, dict[str, Any]]) -> None:
    """An empty or unreadable secret fails the delivery, so that GitHub can send it again."""
    deployed = Deployed(FakeAws(GetSecretValue=[answer]))
    status, body = deployed.send(labelled(b""))
    assert (status, body["status"]) == (503, "failed")
    assert deployed.aws.count("StartExecution") == 0


def test_a_redelivery_after_the_end_is_a_success() -> None:
    """The same delivery once more, after its session has ended, starts nothing and is acknowledged."""
    deployed = Deployed(FakeAws(StartExecution=[(400, {"__type": "ExecutionAlreadyExists"})]))
    status, body = deployed.send(labelled())
    assert (status, body["status"], body["execution_arn"]) == (202, "already", EXECUTION)
    assert deployed.aws.count("SendMessage") == 0


@pytest.mark.parametrize("trouble", [BUSY, (500, {}), TimeoutError()])
def test_what_cannot_start_now_is_queued(trouble: tuple[int, dict[str, Any]] | Exception) -> None:
    """When Step Functions has no room the request waits in the queue, as the events function reads it."""
    deployed = Deployed(FakeAws(StartExecution=[trouble]))
    status, body = deployed.send(labelled())
    assert (status, body["status"]) == (202, "queued")
    operation, call = deployed.aws.calls[-1]
    assert (operation, call["QueueUrl"]) == ("SendMessage", SETTINGS.events_queue_url)
    message = QueuedStart.model_validate_json(call["MessageBody"])
    started = next(call for name, call in deployed.aws.calls if name == "StartExecution")
    assert (message.name, message.input) == (started["name"], started["input"])


def test_what_changes_workers_is_queued() -> None:
    """The events function reads them, which may ask GitHub."""
    deployed = Deployed()
    content = json.dumps({"action": "created", "installation": {"id": 7}})
    status, body = deployed.send(url_event(content, headers(content.encode(), "installation")))
    assert (status, body["status"]) == (202, "queued")
    [message] = [call["MessageBody"] for name, call in deployed.aws.calls if name == "SendMessage"]
    assert QueuedSync.model_validate_json(message) == QueuedSync(kind="sync", installation_id=7)


@pytest.mark.parametrize(
    "aws", [FakeAws(StartExecution=[BUSY], SendMessage=[BUSY]), FakeAws(StartExecution=[DENIED])]
)
def test_what_nobody_took_is_a_failed_delivery(aws: FakeAws) -> None:
    """A delivery is acknowledged only when it is in an execution or in the queue."""
    deployed = Deployed(aws)
    status, body = deployed.send(labelled())
    assert (status, body["status"]) == (503, "failed")
    assert json.loads(deployed.lines[-1])["level"] == "ERROR"


def test_nothing_that_somebody_wrote_is_logged() -> None:
    """A log line says what happened, never the issue's text, the signature or the secret."""
    deployed = Deployed()
    deployed.send(labelled())
    deployed.send(labelled(b"forged"))
    [good, bad] = [json.loads(line) for line in deployed.lines]
    assert (good["correlation_id"], good["status_code"], good["repository"]) == (
        f"implement-42-{GUID}",
        202,
        "octo-org/widgets",
    )
    assert (bad["level"], bad["status_code"], bad["delivery_id"]) == ("WARNING", 401, GUID)
    content = payload("issues_labeled")
    said = "".join(deployed.lines)
    signature = labelled()["headers"]["x-hub-signature-256"].removeprefix("sha256=")
    for hidden in (
        SECRET.decode(),
        content["issue"]["title"],
        "cut(0)",
        signature,
        *list(ENVIRON.values())[1:],
    ):
        assert hidden not in said


def test_log_lines_have_powertools_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """A query over the logs of all functions finds the webhook's lines by the same names."""
    logger = Logger(service="pullwright")
    logger.inject_lambda_context(lambda _event, _context: logger.info("x"), correlation_id_path="id")(
        {"id": "1"}, CONTEXT
    )
    theirs = json.loads(capsys.readouterr().out)
    deployed = Deployed()
    deployed.send(labelled())
    ours = json.loads(deployed.lines[0])
    assert set(theirs) <= set(ours)
    assert {name: type(value) for name, value in theirs.items()} == {
        name: type(ours[name]) for name in theirs
    }
    assert len(theirs["timestamp"]) == len(ours["timestamp"])


def test_deliveries_are_counted_by_their_answer() -> None:
    """With a namespace the line is also a metric, whatever the log level."""
    lines: list[str] = []
    environ = {
        "POWERTOOLS_METRICS_NAMESPACE": "Pullwright",
        "POWERTOOLS_SERVICE_NAME": "pullwright",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    log = DeliveryLog(environ, CONTEXT, cold_start=True, now=lambda: 1_700_000_000.25, write=lines.append)
    log.close(status_code=200, status="ignored", reason="No.")
    line = json.loads(lines[0])
    [metric] = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_700_000_000_250
    assert metric["Namespace"] == "Pullwright"
    assert [line[name] for name in metric["Dimensions"][0]] == ["pullwright", "ignored"]
    assert line[metric["Metrics"][0]["Name"]] == 1


def test_the_log_level_is_honoured() -> None:
    """Without a metric to carry, lines below the level are not written."""
    lines: list[str] = []
    log = DeliveryLog({"POWERTOOLS_LOG_LEVEL": "warning"}, CONTEXT, cold_start=True, write=lines.append)
    log.close(status_code=200, status="ignored", reason="No.")
    assert lines == []
    log.close(status_code=401, status="refused", reason="No.")
    assert len(lines) == 1


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what sets the function's environment, with nothing kept from another test."""

    def put(*, without: str = "") -> None:
        function._webhook.cache_clear()
        for name, value in SETTINGS._asdict().items():
            monkeypatch.setenv(name.upper(), value)
        for name, value in ENVIRON.items():
            monkeypatch.setenv(name, value)
        if without:
            monkeypatch.delenv(without)

    return put


@pytest.mark.parametrize("name", [name.upper() for name in Settings._fields])
def test_a_missing_setting_is_named(environ: Callable[..., None], name: str) -> None:
    """A function that was deployed wrongly says which variable is missing."""
    environ(without=name)
    with pytest.raises(InternalError, match=name):
        function.handler(labelled(), CONTEXT)


def test_the_handler_answers(
    environ: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The function answers in the Function URL's form, writes one line, and is cold only once."""
    environ()
    monkeypatch.setattr(function, "AwsJson", lambda _environ: FakeAws().client())
    answers = [function.handler(labelled(), CONTEXT) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [202, 202]
    assert answers[0]["headers"]["content-type"] == "application/json"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["cold_start"] for line in lines] == [True, False]


PREVIEWS = MACHINE.replace("AgentSession", "Preview")


def labelled_for_preview() -> dict[str, Any]:
    """Make the event of a pull request with a preview's label."""
    content = payload("pull_request_labeled")
    content["label"] = {"name": "uat"}
    body = json.dumps(content)
    return url_event(body, headers(body.encode(), "pull_request"))


def test_a_preview_is_started_by_its_own_machine() -> None:
    """The label starts an execution of the machine of previews, and the answer says so."""
    aws = FakeAws(StartExecution=[(200, {})])
    status, body = Deployed(aws, SETTINGS._replace(preview_state_machine_arn=PREVIEWS)).send(
        labelled_for_preview()
    )
    assert (status, body["status"]) == (202, "started")
    assert body["reason"].startswith("A preview is made of pull request")
    assert ":execution:Preview:preview-" in body["execution_arn"]
    (call,) = [call for name, call in aws.calls if name == "StartExecution"]
    assert call["stateMachineArn"] == PREVIEWS


def test_a_preview_without_room_is_queued_with_its_machine() -> None:
    """Step Functions being busy loses no preview, and the queue's consumer learns which machine it is for."""
    aws = FakeAws(StartExecution=[BUSY])
    status, body = Deployed(aws, SETTINGS._replace(preview_state_machine_arn=PREVIEWS)).send(
        labelled_for_preview()
    )
    assert (status, body["status"]) == (202, "queued")
    (call,) = [call for name, call in aws.calls if name == "SendMessage"]
    assert json.loads(call["MessageBody"])["machine"] == "preview"


def test_without_previews_their_label_is_one_like_others() -> None:
    """Where none are set up, it starts nothing."""
    aws = FakeAws()
    assert Deployed(aws).send(labelled_for_preview())[1]["status"] == "ignored"
    assert aws.count("StartExecution") == 0
