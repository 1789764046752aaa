"""What the agent may ask of the model."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import CredentialRetrievalError
from botocore.session import Session

from runner.gateway.call import Call, max_tokens
from runner.gateway.json_body import decode
from runner.gateway.patience import PASSING
from runner.gateway.provider import Anthropic, Bedrock, Provider
from runner.gateway.refusal import Refusal

MODEL = "claude-opus-5-5"
BEDROCK_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
BEDROCK_VERSION = "bedrock-2023-05-31"
BODY: dict[str, Any] = {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
PATH = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"


def anthropic() -> Provider:
    """Return the Anthropic provider for one model."""
    return Anthropic((MODEL,), "the-real-key", "https://api.example")


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Provide the Bedrock provider for one model, with made-up credentials."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://bedrock.example:4566")
    session = Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "made-up", "a-session-token")
    return Bedrock((BEDROCK_MODEL,), "eu-west-1", session)


def read(
    provider: Provider, method: str, target: str, body: object, headers: dict[str, str] | None = None
) -> Call:
    """Read a request; a body of bytes is sent as it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return provider.read(provider.route(method, target), headers or {}, raw)


def refused(
    provider: Provider, method: str, target: str, body: object, headers: dict[str, str] | None = None
) -> int:
    """Return the status with which a request is refused."""
    with pytest.raises(Refusal) as caught:
        read(provider, method, target, body, headers)
    return caught.value.status


def bedrock_body(**more: object) -> dict[str, object]:
    """Return a body as Bedrock takes it."""
    body = {name: value for name, value in BODY.items() if name != "model"}
    return {**body, "anthropic_version": BEDROCK_VERSION, **more}


@pytest.mark.parametrize(
    "extra",
    [
        {"mcp_servers": [{"url": "https://example.com"}]},
        {"container": "c_1"},
        {"service_tier": "priority"},
        {"speed": "fast"},
        {"inference_geo": "us"},
        {"fallbacks": [{"model": "claude-fable-5"}]},
        {"something_new": True},
        {"model": "claude-fable-5-2"},
        {"model": ["claude-opus-5-5"]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"name": "Bash"}, {"type": "code_execution_20250825", "name": "code_execution"}]},
        {"tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]},
    ],
)
def test_what_costs_otherwise_is_forbidden(extra: dict[str, Any]) -> None:
    """Other models, tools that run at the provider and unknown fields are answered with 403."""
    assert refused(anthropic(), "POST", "/v1/messages", {**BODY, **extra}) == 403


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/messages"),
        ("GET", "/v1/models"),
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/files"),
        ("POST", "/v1/messages/../files"),
        # Appended to an address without a port, these would give the host another name, and it the key.
        ("POST", "a.evil.example://x/v1/messages"),
        ("POST", "http://evil.example/v1/messages"),
        ("POST", "//evil.example/v1/messages"),
        ("POST", "@evil.example/v1/messages"),
        ("POST", "/v1/messages?beta=true&x=y"),
        ("POST", "/v1/messages#x"),
        ("POST", PATH),
    ],
)
def test_other_paths_are_forbidden(method: str, target: str) -> None:
    """Only inference and counting tokens pass."""
    assert refused(anthropic(), method, target, BODY) == 403


NOT_JSON = {
    "nothing": b"",
    "no object": b"[]",
    "no end": b"{",
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "no UTF-8": b'{"a":"\xff"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "lone surrogate": rb'{"a":"\ud800"}',
    "reversed surrogates": rb'{"a":"\udc00\ud800"}',
    "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "comment": b'{"a":1/**/}',
    "control character": b'{"a":"\n"}',
    "trailing comma": b'{"a":1,}',
    "two objects": b"{}{}",
    "deep": b"[" * 100_000,
    "deep and whole": b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    "gzip": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_malformed(raw: bytes) -> None:
    """A body that is no JSON object is answered with 400."""
    with pytest.raises(Refusal) as caught:
        decode(raw)
    assert caught.value.status == 400


@pytest.mark.parametrize("value", [None, 0, -1, True, 1.5, "10", 10**9])
def test_an_unbounded_answer_is_malformed(value: object) -> None:
    """Without a sensible max_tokens the worst case would not be known."""
    with pytest.raises(Refusal) as caught:
        max_tokens({"max_tokens": value})
    assert caught.value.status == 400


def test_what_was_checked_is_what_is_sent() -> None:
    """A field that is given twice is sent once, with the value that was checked."""
    raw = json.dumps(BODY)[:-1] + ', "max_tokens": 20}'
    call = read(anthropic(), "POST", "/v1/messages?beta=true", raw.encode())
    assert call.max_tokens == 20
    assert call.encoded.count(b"max_tokens") == 1
    assert json.loads(call.encoded)["max_tokens"] == 20


def test_own_tools_pass() -> None:
    """The client's own tools need no type."""
    tools = [{"name": "Bash", "input_schema": {}}, {"type": "custom", "name": "Read"}]
    assert read(anthropic(), "POST", "/v1/messages", {**BODY, "tools": tools}).model == MODEL


def test_the_key_replaces_what_the_client_sends() -> None:
    """None of the client's credentials is forwarded; the runner's key is."""
    provider = anthropic()
    theirs = {
        "x-api-key": "dummy",
        "authorization": "Bearer dummy",
        "cookie": "a=b",
        "anthropic-beta": "effort-2025-11-24, claude-code-20250219,effort-2025-11-24",
        "user-agent": "cli\r\n x-api-key: dummy",
        "accept-encoding": "gzip",
    }
    url, headers = provider.signed(read(provider, "POST", "/v1/messages?beta=true", BODY, theirs))
    assert url == "https://api.example/v1/messages?beta=true"
    assert headers == {
        "x-api-key": "the-real-key",
        "accept": "application/json",
        "accept-encoding": "identity",
        "anthropic-beta": "effort-2025-11-24,claude-code-20250219",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }


def test_bedrock_calls_are_signed(bedrock: Provider) -> None:
    """The call goes to the endpoint that AWS's own variable names, signed for Bedrock."""
    call = read(bedrock, "POST", PATH, bedrock_body(), {"authorization": "dummy"})
    url, headers = bedrock.signed(call)
    assert url == "http://bedrock.example:4566" + PATH
    assert "/eu-west-1/bedrock/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "a-session-token"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/inference-profiles?type=SYSTEM_DEFINED", 404),
        ("POST", "/model/anthropic.claude-opus-5-5/invoke", 403),
        ("POST", PATH + "/", 403),
        ("POST", PATH.replace("invoke", "converse"), 403),
        ("GET", PATH, 403),
        ("POST", "/guardrail/x/version/1/apply", 403),
    ],
)
def test_other_bedrock_calls_are_refused(bedrock: Provider, method: str, target: str, status: int) -> None:
    """Other models, operations and services do not pass."""
    assert refused(bedrock, method, target, bedrock_body()) == status


def test_bedrock_takes_no_model_in_the_body(bedrock: Provider) -> None:
    """A model in the body, which was not checked, is refused."""
    assert refused(bedrock, "POST", PATH, bedrock_body(model=MODEL)) == 400


def test_credentials_that_cannot_be_renewed_are_a_passing_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hiccup of the task's credentials endpoint is answered as an outage, which the gateway waits for."""

    def hiccup() -> None:
        raise CredentialRetrievalError(provider="container-role", error_msg="timed out")

    session = Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "made-up")
    provider = Bedrock((BEDROCK_MODEL,), "eu-west-1", session)
    monkeypatch.setattr(session, "get_credentials", hiccup)
    call = read(provider, "POST", PATH, bedrock_body())
    with pytest.raises(Refusal) as caught:
        provider.signed(call)
    assert caught.value.status in PASSING
