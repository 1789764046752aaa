"""The stand-in answers wrong requests as the real services do."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from model_standin.app import build
from model_standin.journal import Journal
from model_standin.library import Library

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

KEY = {"x-api-key": "sk-ant-very-secret", "anthropic-version": "2023-06-01"}
SIGNED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/bedrock/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "a" * 64,
    "x-amz-date": "20260101T000000Z",
}
BODY: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "hi"}],
}
AWS_BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "hi"}],
}
INVOKE = "/model/us.anthropic.claude-opus-5-5/invoke"


class Api:
    """The application, called without a network."""

    def __init__(self, log: Path | None = None) -> None:
        self._app = build(Library(), Journal(log))

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and headers."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path.replace("%2F", "/").replace("%3A", ":"),
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        _finish(self._app(scope, receive, send))
        text = b"".join(message.get("body", b"") for message in sent[1:])
        received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        is_json = received.get("content-type") == "application/json"
        return sent[0]["status"], json.loads(text) if is_json else text, received


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that waits for nothing: an event loop would open sockets."""
    with contextlib.suppress(StopIteration):
        while True:
            coroutine.send(None)


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "type_"),
    [
        ("POST", "/v1/messages", {}, BODY, 401, "authentication_error"),
        ("POST", "/v1/messages", {"x-api-key": "k"}, BODY, 400, "invalid_request_error"),
        ("POST", "/v1/messages", KEY, b"{", 400, "invalid_request_error"),
        ("POST", "/v1/messages", KEY, [], 400, "invalid_request_error"),
        ("POST", "/v1/messages", KEY, {**BODY, "max_tokens": 0}, 400, "invalid_request_error"),
        ("POST", "/v1/messages", KEY, {**BODY, "model": "gpt"}, 404, "not_found_error"),
        ("POST", "/v1/messages/count_tokens", {}, BODY, 401, "authentication_error"),
        ("GET", "/v1/models", KEY, None, 404, "not_found_error"),
        ("GET", "/v1/messages", KEY, None, 405, "invalid_request_error"),
    ],
)
def test_anthropic_errors(
    method: str, path: str, headers: dict[str, str], body: object, status: int, type_: str
) -> None:
    """Errors of the Messages API have its shape, status and type."""
    got, answer, _ = Api().call(method, path, body, headers)
    assert (got, answer["type"], answer["error"]["type"]) == (status, "error", type_)


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "name"),
    [
        (INVOKE, {}, AWS_BODY, 403, "MissingAuthenticationTokenException"),
        (INVOKE, {"authorization": "Bearer x"}, AWS_BODY, 403, "IncompleteSignatureException"),
        (INVOKE, {"authorization": SIGNED["authorization"]}, AWS_BODY, 403, "IncompleteSignatureException"),
        (
            INVOKE,
            {**SIGNED, "authorization": SIGNED["authorization"].replace("/bedrock/", "/s3/")},
            AWS_BODY,
            403,
            "InvalidSignatureException",
        ),
        (INVOKE, SIGNED, {**AWS_BODY, "model": "x"}, 400, "ValidationException"),
        (INVOKE, SIGNED, {**AWS_BODY, "anthropic_version": None}, 400, "ValidationException"),
        ("/model/amazon.nova/invoke", SIGNED, AWS_BODY, 400, "ValidationException"),
        ("/model/us.anthropic.claude-opus-5-5/converse", SIGNED, AWS_BODY, 404, "ResourceNotFoundException"),
        ("/model/arn:a/b/invoke", SIGNED, AWS_BODY, 404, "ResourceNotFoundException"),
    ],
)
def test_bedrock_errors(path: str, headers: dict[str, str], body: object, status: int, name: str) -> None:
    """Errors of Bedrock have AWS's shape and name their exception in a header."""
    got, answer, received = Api().call("POST", path, body, headers)
    assert (got, received["x-amzn-errortype"], list(answer)) == (status, name, ["message"])


def test_an_inference_profile_may_be_an_arn() -> None:
    """An ARN in the path is percent-encoded, as the SDKs do it."""
    arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile%2Feu.anthropic.claude-opus-5-5"
    status, answer, _ = Api().call("POST", f"/model/{arn}/invoke", AWS_BODY, SIGNED)
    assert (status, answer["model"]) == (200, arn.replace("%2F", "/"))


def test_tokens_are_counted() -> None:
    """Counting needs no max_tokens and gives one number."""
    body = {name: value for name, value in BODY.items() if name != "max_tokens"}
    status, answer, _ = Api().call("POST", "/v1/messages/count_tokens", body, KEY)
    assert (status, list(answer)) == (200, ["input_tokens"])


def test_scripts_are_stored_and_removed() -> None:
    """PUT, GET and DELETE do what they say, and a bad script changes nothing."""
    api = Api()
    script = {"match": "hi", "steps": [{"fault": {"status": 529, "headers": {"retry-after": "1"}}}]}
    assert api.call("PUT", "/_standin/scripts/a", script)[0] == 201
    assert api.call("PUT", "/_standin/scripts/a", script)[0] == 200
    assert api.call("GET", "/_standin/scripts/a")[1] == script
    status, answer, _ = api.call("PUT", "/_standin/scripts/a", {**script, "steps": [{"tool": ""}]})
    assert (status, answer["field"]) == (422, "steps.0.tool")
    status, answer, headers = api.call("POST", "/v1/messages", {**BODY, "tools": [{"name": "Bash"}]}, KEY)
    assert (status, answer["error"]["type"], headers["retry-after"]) == (529, "overloaded_error", "1")
    assert api.call("DELETE", "/_standin/scripts/a")[0] == 204
    assert api.call("GET", "/_standin/scripts/a")[0] == 404
    assert api.call("GET", "/_standin/scripts")[1] == []


def test_the_log_holds_nothing_secret(tmp_path: Path) -> None:
    """Name of headers and count are logged; keys, signatures and texts are not."""
    log = tmp_path / "log.jsonl"
    api = Api(log)
    private = [{"role": "user", "content": "a private sentence"}]
    api.call("POST", "/v1/messages", {**BODY, "messages": private}, KEY)
    api.call("POST", INVOKE, AWS_BODY, SIGNED)
    api.call("POST", "/v1/messages", BODY, {"authorization": "Bearer sk-ant-very-secret"})
    text = log.read_text()
    assert [json.loads(line)["status"] for line in text.splitlines()] == [200, 200, 401]
    for hidden in ("sk-ant-very-secret", "private sentence", "AKIA", "a" * 64):
        assert hidden not in text
        assert hidden not in json.dumps(api.call("GET", "/_standin/requests")[1])
