"""What the webhook's tests share: payloads, GitHub's signature, and an AWS that answers from a list."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullwright.aws_json import AwsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright.aws_transport import Endpoint

SECRET = b"kept between GitHub and us"
GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
LABEL = "claude-dev"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:AgentSession"
EXECUTION = f"arn:aws:states:eu-central-1:123456789012:execution:AgentSession:implement-42-{GUID}"
ENVIRON = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a key of tests",
    "AWS_SESSION_TOKEN": "a token of tests",
}


def payload(name: str) -> dict[str, Any]:
    """Read a payload of `tests/events`."""
    decoded: dict[str, Any] = json.loads((Path(__file__).parents[1] / "events" / f"{name}.json").read_text())
    return decoded


def headers(body: bytes, event: str = "issues", /, *, secret: bytes = SECRET, **more: str) -> dict[str, str]:
    """Make the headers that GitHub sends with a body, by lower-case name."""
    return {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/044aadd",
        "x-github-delivery": GUID,
        "x-github-event": event,
        "x-hub-signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def url_event(body: str, sent: Mapping[str, str], *, encoded: bool = False) -> dict[str, Any]:
    """Make a Function URL's event, payload format 2.0."""
    return {
        "version": "2.0",
        "rawPath": "/",
        "headers": dict(sent),
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "body": body,
        "isBase64Encoded": encoded,
    }


class FakeAws:
    """Answers each operation from its list; the last answer stays.

    Args:
        answers: by operation: pairs of status and body, or what is raised.
    """

    def __init__(self, **answers: list[tuple[int, dict[str, Any]] | Exception]) -> None:
        self.answers: dict[str, list[tuple[int, dict[str, Any]] | Exception]] = {
            "GetSecretValue": [(200, {"SecretString": SECRET.decode()})],
            "StartExecution": [(200, {"executionArn": EXECUTION, "startDate": 1})],
            "GetItem": [(200, {})],
            "SendMessage": [(200, {"MessageId": "1"})],
            **answers,
        }
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.hosts: list[str] = []
        self.clock = 1000.0

    def post(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        """See `Transport.post`."""
        assert seconds > 0
        operation = headers["x-amz-target"].partition(".")[2]
        self.calls.append((operation, json.loads(body)))
        self.hosts.append(endpoint.host_header)
        answers = self.answers[operation]
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        return given[0], json.dumps(given[1]).encode()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock += seconds

    def monotonic(self) -> float:
        """Tell the time."""
        return self.clock

    def client(self) -> AwsJson:
        """Make a client that calls here."""
        return AwsJson(
            ENVIRON, transport=self, now=self.monotonic, monotonic=self.monotonic, sleep=self.sleep
        )

    def count(self, operation: str) -> int:
        """Return how often an operation was called."""
        return sum(called == operation for called, _ in self.calls)
