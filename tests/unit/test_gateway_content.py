"""What a request may hold, block by block.

The oracle is the list of content blocks, sources and tools in Anthropic's own SDK
(`anthropic-sdk-python`, `types/beta/beta_content_block_param.py` and what it names).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session

from runner.gateway.provider import Anthropic, Bedrock
from runner.gateway.refusal import Refusal

if TYPE_CHECKING:
    from runner.gateway.call import Call

MODEL = "claude-opus-5-5"
BEDROCK_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
TEXT = {"type": "text", "text": "hi"}


def request(**more: object) -> dict[str, Any]:
    """Return a request."""
    return {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}], **more}


def with_content(content: object, role: str = "user") -> dict[str, Any]:
    """Return a request whose message has this content."""
    return request(messages=[{"role": role, "content": content}])


def result(*content: object) -> dict[str, Any]:
    """Return a tool's result."""
    return {"type": "tool_result", "tool_use_id": "a", "content": list(content)}


def read(body: object, **headers: str) -> Call:
    """Check a request."""
    provider = Anthropic((MODEL,), "key", "https://api.example")
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return provider.read(provider.route("POST", "/v1/messages"), given, json.dumps(body).encode())


def bedrock() -> Bedrock:
    """Return the Bedrock provider for one model, with made-up credentials."""
    session = Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "made-up")
    return Bedrock((BEDROCK_MODEL,), "eu-west-1", session)


def refusal(body: object, **headers: str) -> Refusal:
    """Return how a request is refused."""
    with pytest.raises(Refusal) as caught:
        read(body, **headers)
    return caught.value


BASH = {"name": "Bash", "input_schema": {"type": "object"}, "defer_loading": True, "description": "x" * 500}
ADDITION = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "Bash"}}

PASSES: dict[str, dict[str, Any]] = {
    "text": with_content([TEXT, {**TEXT, "cache_control": {"type": "ephemeral", "ttl": "5m"}}]),
    "image": with_content([{"type": "image", "source": PNG}]),
    "result with an image": with_content([result(TEXT, {"type": "image", "source": PNG})]),
    "document": with_content(
        [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}}]
    ),
    "tool call": with_content(
        [{"type": "tool_use", "id": "a", "name": "Bash", "input": {"type": "image", "source": {"url": "x"}}}],
        "assistant",
    ),
    "thinking": with_content(
        [
            {"type": "thinking", "thinking": "", "signature": "ab", "something_new": 7},
            {"type": "redacted_thinking", "data": "ab"},
        ],
        "assistant",
    ),
    "system message": with_content([TEXT], "system"),
    "system prompt": request(system=[{**TEXT, "cache_control": {"type": "ephemeral"}}]),
    "tools": request(tools=[{"name": "Bash", "input_schema": {}, "defer_loading": True}]),
    "tool that is added": with_content([TEXT, ADDITION], "system") | {"tools": [BASH]},
    "thinking kept": request(
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        thinking={"type": "adaptive", "display": "updates"},
        output_config={"effort": "medium"},
    ),
}


@pytest.mark.parametrize("body", PASSES.values(), ids=PASSES)
def test_what_the_client_sends_passes(body: dict[str, Any]) -> None:
    """Everything that Claude Code uses is sent on as it was."""
    assert json.loads(read(body).encoded) == body


SOURCES: list[dict[str, Any]] = [
    {"type": "url", "url": "https://example.com/a"},
    {"type": "file", "file_id": "file_1"},
    {"type": "content", "content": [{"type": "image", "source": PNG}]},
    {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
    {"type": ["base64"]},
    {},
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.get("type")))
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", ["image", "document"])
def test_other_sources_are_refused(kind: str, source: dict[str, Any], *, nested: bool) -> None:
    """Nothing is fetched from the provider's side, and no PDF is sent, inside a tool's result either."""
    block = {"type": kind, "source": source}
    refused = refusal(with_content([result(block) if nested else block]))
    assert refused.status in {400, 403}


def test_a_refused_pdf_says_what_to_do() -> None:
    """The sentence reaches the agent's transcript."""
    refused = refusal(with_content([{"type": "document", "source": SOURCES[3]}]))
    assert "PDF" in refused.message
    assert "pdftotext" in refused.message


OTHER_BLOCKS = [
    "advisor_tool_result",
    "bash_code_execution_tool_result",
    "code_execution_tool_result",
    "compaction",
    "container_upload",
    "fallback",
    "mcp_tool_result",
    "mcp_tool_use",
    "search_result",
    "server_tool_use",
    "text_editor_code_execution_tool_result",
    "tool_reference",
    "tool_search_tool_result",
    "web_fetch_tool_result",
    "web_search_tool_result",
    "something_new",
]


@pytest.mark.parametrize("kind", OTHER_BLOCKS)
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_other_blocks_are_refused_by_name(kind: str, role: str, *, nested: bool) -> None:
    """The blocks of the provider's own tools have prices of their own."""
    block = {"type": kind, "content": [], "file_id": "file_1", "tool_name": "Bash"}
    refused = refusal(with_content([result(block) if nested else block], role))
    assert refused.status == 403
    assert kind in refused.message or "tool_result" in refused.message


WRONG_PLACES: dict[str, dict[str, Any]] = {
    "image of the assistant": with_content([{"type": "image", "source": PNG}], "assistant"),
    "image in a system message": with_content([{"type": "image", "source": PNG}], "system"),
    "image in the system prompt": request(system=[{"type": "image", "source": PNG}]),
    "result in a result": with_content([result(result(TEXT))]),
    "tool call in a result": with_content([result({"type": "tool_use", "input": {}})]),
    "image with a text": with_content([{"type": "image", "source": PNG, "text": "much"}]),
    "image source with a text": with_content([{"type": "image", "source": {**PNG, "text": "much"}}]),
    "image that is no text": with_content([{"type": "image", "source": {**PNG, "data": {"a": 1}}}]),
    "image of wide characters": with_content([{"type": "image", "source": {**PNG, "data": "é"}}]),
    "thinking with a block inside": with_content([{"type": "thinking", "thinking": [TEXT]}], "assistant"),
    "text with a file": with_content([{**TEXT, "file_id": "file_1"}]),
    "block without a type": with_content([{"text": "hi"}]),
    "block that is a string": with_content(["hi"]),
    "content that is an object": with_content({"type": "image"}),
    "no content": with_content(None),
    "no messages": request(messages=[]),
    "messages that are an object": request(messages={"role": "user"}),
    "a message that is a string": request(messages=["hi"]),
    "another role": with_content("hi", "tool"),
    "another field of a message": request(messages=[{"role": "user", "content": "hi", "container": "c"}]),
    "tool types that are lists": request(tools=[{"type": ["custom"], "name": "a"}]),
    "tools that are an object": request(tools={"name": "a"}),
    "a tool that calls from a container": request(tools=[{"name": "a", "allowed_callers": ["code"]}]),
    "a cache for a day": with_content([{**TEXT, "cache_control": {"type": "ephemeral", "ttl": "24h"}}]),
    "another cache": with_content([{**TEXT, "cache_control": {"type": "persistent"}}]),
    "a compaction": request(context_management={"edits": [{"type": "compact_20260112"}]}),
    "a budget of tasks": request(output_config={"task_budget": {"total": 9}}),
    "thinking that is a list": request(thinking=["enabled"]),
}


@pytest.mark.parametrize("body", WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_what_the_api_has_elsewhere_or_nowhere_is_refused(body: dict[str, Any]) -> None:
    """Each is answered with 400 or 403, and none of them takes the gateway's thread with it."""
    assert refusal(body).status in {400, 403}


@pytest.mark.parametrize(
    "beta",
    [
        "context-1m-2025-08-07",
        "fast-mode-2026-02-01",
        "server-side-fallback-2026-07-01",
        "code-execution-2025-08-25",
        "files-api-2025-04-14",
        "mcp-client-2025-11-20",
        "skills-2025-10-02",
        "web-search-2025-03-05",
        "advisor-tool-2026-03-01",
        "compact-2026-01-12",
        "claude-code-20250219 context-1m-2025-08-07",
        "something-new-2027-01-01",
    ],
)
def test_other_betas_are_refused_by_name(beta: str) -> None:
    """In the header, and in Bedrock's body."""
    for value in (beta, f"claude-code-20250219, {beta}", f"{beta},"):
        refused = refusal(request(), anthropic_beta=value)
        assert refused.status == 403
        assert beta in refused.message
    provider = bedrock()
    route = provider.route("POST", f"/model/{BEDROCK_MODEL}/invoke")
    body = {name: value for name, value in request().items() if name != "model"}
    body |= {"anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["claude-code-20250219", beta]}
    with pytest.raises(Refusal, match="beta feature"):
        provider.read(route, {}, json.dumps(body).encode())


@pytest.mark.parametrize("version", ["2023-01-01", "2099-01-01", "", "2023-06-01,2023-06-01"])
def test_the_version_is_pinned(version: str) -> None:
    """Another version of the API may bill otherwise."""
    assert refusal(request(), anthropic_version=version).status == 400
    provider = bedrock()
    route = provider.route("POST", f"/model/{BEDROCK_MODEL}/invoke")
    body = {name: value for name, value in request().items() if name != "model"}
    with pytest.raises(Refusal, match="anthropic_version"):
        provider.read(route, {}, json.dumps({**body, "anthropic_version": version}).encode())


def test_a_sentence_repeats_little_of_what_was_sent() -> None:
    """A refusal of something long is short, and has no control characters."""
    refused = refusal(with_content([{"type": "x\n" * 100_000}]))
    assert len(refused.message) < 300
    assert "\n" not in refused.message


def test_a_tool_that_is_added_is_one_of_the_sessions_and_counts_again() -> None:
    """Its definition may be read where it is named, however often; tools that nobody defined are refused."""
    plain = with_content([TEXT], "system") | {"tools": [BASH]}
    once = with_content([TEXT, ADDITION], "system") | {"tools": [BASH]}
    twice = with_content([TEXT, ADDITION, ADDITION], "system") | {"tools": [BASH]}
    sizes = [read(body).prompt.tokens for body in (plain, once, twice)]
    assert sizes[1] - sizes[0] > 500
    assert sizes[2] - sizes[1] > 500
    for tool in (
        {"type": "tool_reference", "name": "Write"},
        {"type": "web_search_20250305", "name": "Bash"},
        {"type": "tool_reference", "name": "Bash", "more": 1},
        {"name": "Bash"},
        "Bash",
        None,
    ):
        assert refusal(with_content([{**ADDITION, "tool": tool}], "system") | {"tools": [BASH]})
    for role in ("user", "assistant"):
        assert refusal(with_content([ADDITION], role) | {"tools": [BASH]}).status == 403
