"""The webhook's own AWS client: addresses, retries, errors, kept connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from pullwright.aws_json import SECRETS_MANAGER, SQS, STATES, AwsCallError, Service, endpoint_of
from pullwright.aws_transport import Endpoint, HttpTransport, parse_endpoint
from pullwright.http_connection import Answer
from tests.unit.webhook_kit import FakeAws

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Endpoint("http", "127.0.0.1", 4566, "/")
BUSY = (400, {"__type": "com.amazonaws.swf.service.v2.model#ThrottlingException"})


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_addresses_equal_botocores(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each partition we call the hosts that botocore calls."""
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    session = botocore.session.get_session()
    session.set_credentials("AKIDEXAMPLE", "made up")
    for service, name in (
        (STATES, "stepfunctions"),
        (SECRETS_MANAGER, "secretsmanager"),
        (SQS, "sqs"),
    ):
        theirs = session.create_client(name, region_name=region).meta.endpoint_url
        assert parse_endpoint(theirs) == endpoint_of(service, {"AWS_REGION": region})


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "127.0.0.1:4566"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SFN": "https://sfn.example"},
            "sfn.example",
        ),
        ({"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1"}, "states.eu-central-1.amazonaws.com"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "states.eu-central-1.amazonaws.com",
        ),
        ({"AWS_ENDPOINT_URL": "http://[::1]:4566/"}, "[::1]:4566"),
    ],
)
def test_addresses_can_be_overridden(environ: dict[str, str], host: str) -> None:
    """The service's own variable goes before the common one, as in every AWS SDK."""
    assert endpoint_of(STATES, {"AWS_REGION": "eu-central-1", **environ}).host_header == host


def test_an_address_without_a_scheme_is_refused() -> None:
    """An override that is no address is said so, instead of being called."""
    with pytest.raises(ValueError, match="localhost:4566"):
        parse_endpoint("localhost:4566")


@pytest.mark.parametrize(
    "trouble",
    [BUSY, (500, {}), (503, {"__type": "ServiceUnavailable"}), (429, {}), TimeoutError(), OSError()],
)
def test_trouble_that_passes_is_tried_again(trouble: tuple[int, dict[str, Any]] | Exception) -> None:
    """A throttled or unanswered call is repeated, and its later success counts."""
    aws = FakeAws(StartExecution=[trouble, trouble, (200, {"executionArn": "arn"})])
    assert aws.client().call(STATES, "StartExecution", {}, seconds=60) == {"executionArn": "arn"}
    assert aws.count("StartExecution") == 3


def test_trouble_that_stays_ends_within_bounds() -> None:
    """After three attempts the call fails, with AWS's code as data."""
    aws = FakeAws(StartExecution=[BUSY])
    with pytest.raises(AwsCallError) as caught:
        aws.client().call(STATES, "StartExecution", {}, seconds=60)
    assert (caught.value.code, caught.value.status, caught.value.transient) == (
        "ThrottlingException",
        400,
        True,
    )
    assert aws.count("StartExecution") == 3


def test_no_attempt_starts_after_the_time_is_up() -> None:
    """A call that has used its time is not repeated."""
    aws = FakeAws(StartExecution=[TimeoutError()])
    with pytest.raises(AwsCallError, match="TimeoutError"):
        aws.client().call(STATES, "StartExecution", {}, seconds=0)
    assert aws.count("StartExecution") == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"__type": "AccessDeniedException:http://internal.example/coral"}, "AccessDeniedException"),
        (400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}, "QueueDoesNotExist"),
        (403, {"__type": None}, ""),
    ],
)
def test_a_refusal_is_not_repeated(status: int, body: dict[str, Any], code: str) -> None:
    """What AWS refuses for good fails at once, with its code free of namespaces."""
    aws = FakeAws(SendMessage=[(status, body)])
    with pytest.raises(AwsCallError) as caught:
        aws.client().call(SQS, "SendMessage", {}, seconds=60)
    assert (caught.value.code, caught.value.transient) == (code, False)
    assert aws.count("SendMessage") == 1


@pytest.mark.parametrize("service", [STATES, SECRETS_MANAGER, SQS])
def test_the_protocol_is_the_services(service: Service) -> None:
    """Target prefix and JSON version are those of the service's own model."""
    model = botocore.session.get_session().get_service_model(
        {"states": "stepfunctions"}.get(service.name, service.name)
    )
    assert model.metadata["targetPrefix"] == service.target
    assert model.metadata["jsonVersion"] == service.version
    assert model.signing_name == service.name


class FakeConnection:
    """A connection whose uses are counted.

    Args:
        reusable: whether the other side keeps it open after an answer.
    """

    def __init__(self, *, reusable: bool = True) -> None:
        self.reusable = reusable
        self.trouble: Exception | None = None
        self.requests = 0
        self.closed = False

    def post(self, path: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
        """See `Connection.post`."""
        assert (path, headers, body) == ("/", {}, b"")
        assert 0 < seconds <= 1
        self.requests += 1
        if self.trouble:
            raise self.trouble
        return Answer(200, b"{}", self.reusable)

    def close(self) -> None:
        """Close."""
        self.closed = True


class Connections:
    """Hands out connections."""

    def __init__(self, *made: FakeConnection) -> None:
        self.left = list(made)

    def open(self, _endpoint: Endpoint, seconds: float) -> Any:
        """Hand out the next."""
        assert 0 < seconds <= 1
        return self.left.pop(0)


def test_a_connection_is_kept() -> None:
    """Two calls to one address use one connection."""
    only = FakeConnection()
    transport = HttpTransport(Connections(only).open)
    assert [transport.post(HERE, {}, b"", 1) for _ in range(2)] == [(200, b"{}")] * 2
    assert only.requests == 2


def test_a_connection_that_closes_is_not_kept() -> None:
    """After `Connection: close` the next call connects anew."""
    first, second = FakeConnection(reusable=False), FakeConnection()
    transport = HttpTransport(Connections(first, second).open)
    for _ in range(2):
        transport.post(HERE, {}, b"", 1)
    assert (first.requests, first.closed, second.requests) == (1, True, 1)


@pytest.mark.parametrize("trouble", [ConnectionResetError("closed"), BrokenPipeError()])
def test_a_connection_that_died_while_frozen_is_replaced(trouble: Exception) -> None:
    """A kept connection that the other side has closed costs no attempt."""
    first, second = FakeConnection(), FakeConnection()
    transport = HttpTransport(Connections(first, second).open)
    transport.post(HERE, {}, b"", 1)
    first.trouble = trouble
    assert transport.post(HERE, {}, b"", 1) == (200, b"{}")
    assert (first.closed, second.requests) == (True, 1)


def test_a_timeout_on_a_kept_connection_is_told() -> None:
    """A call that timed out is not sent again in silence, and its connection is not used again."""
    first = FakeConnection()
    transport = HttpTransport(Connections(first).open)
    transport.post(HERE, {}, b"", 1)
    first.trouble = TimeoutError()
    with pytest.raises(TimeoutError):
        transport.post(HERE, {}, b"", 1)
    assert first.closed
