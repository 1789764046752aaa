"""Whatever the agent sends, and whatever becomes of it, the session's money is never exceeded.

The oracle is `billing`: a provider that bills the documented maximum for the bytes that reach it.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from model_standin.framing import server_sent
from runner.gateway.budget import Budget
from runner.gateway.patience import Patience
from runner.gateway.prompt import measure
from runner.gateway.provider import Anthropic
from runner.gateway.refusal import Refusal
from runner.gateway.relay import Client, Relay
from runner.gateway.upstream import Unanswered, Upstream
from tests.unit import billing
from tests.unit.runner_kit import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "claude-opus-4-6"  # $5 and $25 for a million, a tenth more in the United States only
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
SSE = {"content-type": "text/event-stream"}
ENDS = ("whole", "cached", "little", "cut", "silent", "error", "nonsense", "no counts", "text counts")


class Answer:
    """One answer of the provider's."""

    def __init__(self, status: int, pieces: list[bytes], *, breaks: bool = False) -> None:
        self.status = status
        self.headers = urllib3.HTTPHeaderDict(SSE)
        self._pieces = iter(pieces)
        self._breaks = breaks

    def read1(self, _amount: int) -> bytes:
        """Return the next piece."""
        piece = next(self._pieces, b"")
        if not piece and self._breaks:
            raise ProtocolError("cut")
        return piece

    def read(self, _amount: int) -> bytes:
        """Return all."""
        return b"".join(self._pieces)


class Provider:
    """Bills each call that it gets, and answers as it is told to."""

    def __init__(self) -> None:
        self.billed = 0.0
        self.ends = "whole"

    @contextmanager
    def post(self, _url: str, headers: dict[str, str], body: bytes) -> Iterator[Answer]:
        """Bill a call and answer it."""
        most = billing.most(body, headers)
        if self.ends == "error":
            yield Answer(529, [b'{"type":"error","error":{"type":"overloaded_error"}}'])
            return
        request = json.loads(body)
        tokens, output = billing.prompt(request), request["max_tokens"]
        written = {"input_tokens": 0, "cache_creation_input_tokens": tokens, "inference_geo": "us"}
        if self.ends == "cached":
            written = {"input_tokens": 0, "cache_read_input_tokens": tokens}
            most = tokens * billing.INPUT * billing.CACHE_READ + output * billing.OUTPUT
        if self.ends == "little":
            # An ordinary text has fewer tokens, and later calls may rely on it.
            written = {"input_tokens": tokens}
            output = 1
            most = tokens * billing.INPUT + billing.OUTPUT
        self.billed += most
        if self.ends == "silent":
            raise Unanswered(sent=True)
        start = server_sent({"type": "message_start", "message": {"usage": {**written, "output_tokens": 1}}})
        delta = server_sent({"type": "message_delta", "usage": {"output_tokens": output}})
        stop = server_sent({"type": "message_stop"})
        said = {
            "cut": [start],
            "nonsense": [b"data: {\n\n", stop],
            "no counts": [server_sent({"type": "message_start", "message": {}}), stop],
            "text counts": [
                server_sent({"type": "message_start", "message": {"usage": {"input_tokens": "1"}}}),
                delta,
                stop,
            ],
        }
        yield Answer(200, said.get(self.ends, [start, delta, stop]), breaks=self.ends == "cut")


class Session:
    """An agent's session with a limit, and the provider behind it."""

    def __init__(self, limit_usd: float = 5.0) -> None:
        self.limit = limit_usd
        self.budget = Budget(limit_usd, listed)
        self.service = Provider()
        self._provider = Anthropic((MODEL,), "key", "https://api.example")
        self._relay = Relay(self._provider, self.budget, cast("Upstream", self.service), Patience(0))

    def ask(self, body: object, ends: str = "whole", **headers: str) -> bool:
        """Send a request; say whether it was forwarded."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.service.ends = ends
        before = self.service.billed
        with suppress(Refusal):
            route = self._provider.route("POST", "/v1/messages")
            call = self._provider.read(route, {k.replace("_", "-"): v for k, v in headers.items()}, raw)
            self._relay.forward(call, Client(lambda *_: None, lambda _: None))
        return self.service.billed > before

    def holds(self) -> bool:
        """Say whether the money holds, and whether what is booked covers what is billed."""
        booked = self.budget.usage.cost_usd
        return self.service.billed <= booked + 1e-9 and booked <= self.limit + 1e-9


def said(content: object, **more: object) -> dict[str, Any]:
    """Return a request with one message."""
    message = {"role": "user", "content": content}
    return {"model": MODEL, "max_tokens": 100, "messages": [message], **more}


TEXT = st.text(st.characters(codec="utf-8")) | st.text('ﷺ㌔½ﬃ\U0001f600中é\n"\\\x01', max_size=40)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
CACHE = st.sampled_from([{}, MARK, HOUR])
SOURCES = st.sampled_from(
    [
        PNG,
        {**PNG, "media_type": "application/pdf"},
        {"type": "url", "url": "https://example.com/a.png"},
        {"type": "file", "file_id": "file_1"},
        {"type": "text", "media_type": "text/plain", "data": "words " * 30},
        {"type": "content", "content": [{"type": "image", "source": PNG}]},
    ]
)


def either(*dictionaries: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return what any of them gives, with or without a cache mark."""
    return st.tuples(st.one_of(*dictionaries), CACHE).map(lambda both: {**both[0], **both[1]})


FLAT = either(
    TEXT.map(lambda text: {"type": "text", "text": text}),
    SOURCES.map(lambda source: {"type": "image", "source": source}),
    SOURCES.map(lambda source: {"type": "document", "source": source}),
    st.sampled_from(
        [
            {"type": "container_upload", "file_id": "file_1"},
            {"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}},
            {"type": "tool_reference", "tool_name": "Bash"},
            {"type": "search_result", "source": "a", "title": "b", "content": []},
        ]
    ),
)
BLOCK = either(
    FLAT,
    JSON.map(lambda value: {"type": "tool_use", "id": "a", "name": "Bash", "input": {"image": value}}),
    st.lists(FLAT, max_size=3).map(
        lambda inner: {"type": "tool_result", "tool_use_id": "a", "content": inner}
    ),
    TEXT.map(lambda text: {"type": "thinking", "thinking": text, "signature": "abcd" * 9}),
)
GOOD_TEXT = either(TEXT.map(lambda text: {"type": "text", "text": text}))
GOOD_RESULT = GOOD_TEXT | either(st.just({"type": "image", "source": PNG}))
GOOD = {
    "user": GOOD_RESULT
    | st.lists(GOOD_RESULT, max_size=3).map(
        lambda inner: {"type": "tool_result", "tool_use_id": "a", "content": inner}
    ),
    "assistant": GOOD_TEXT
    | either(
        JSON.map(lambda value: {"type": "tool_use", "id": "a", "name": "Bash", "input": {"image": value}}),
        TEXT.map(lambda text: {"type": "thinking", "thinking": text, "signature": "abcd" * 9}),
    ),
    "system": GOOD_TEXT,
}
TURN = st.one_of(
    [
        st.fixed_dictionaries({"role": st.just(role), "content": TEXT | st.lists(blocks, max_size=4)})
        for role, blocks in GOOD.items()
    ]
)
MESSAGE = TURN | st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system"]),
        "content": TEXT | st.lists(BLOCK, max_size=4),
    }
)
TOOL = either(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["Bash", "Read"]), "description": TEXT, "input_schema": JSON},
        optional={"defer_loading": st.booleans(), "type": st.sampled_from(["custom", "web_search_20250305"])},
    )
)
GOOD_TOOL = either(st.fixed_dictionaries({"name": TEXT, "description": TEXT, "input_schema": JSON}))
REQUEST = st.fixed_dictionaries(
    {
        "model": st.just(MODEL),
        "max_tokens": st.sampled_from([1, 400, 32_000, 200_000]),
        "messages": st.lists(MESSAGE, min_size=1, max_size=4),
    },
    optional={
        "system": TEXT | st.lists(either(TEXT.map(lambda t: {"type": "text", "text": t})), max_size=2),
        "tools": st.lists(TOOL, max_size=3),
        "output_config": JSON,
        "speed": st.just("fast"),
        "cache_control": st.just({"type": "ephemeral", "ttl": "1h"}),
        "service_tier": st.just("auto"),
        "stream": st.booleans(),
    },
)


@given(st.lists(st.tuples(REQUEST, st.sampled_from(ENDS)), max_size=6), st.sampled_from([0.01, 0.5, 5.0]))
def test_arbitrary_requests_keep_the_limit(calls: list[tuple[dict[str, Any], str]], limit: float) -> None:
    """The sum of all bills stays within the limit, and what is booked covers it."""
    session = Session(limit)
    for body, ends in calls:
        session.ask(body, ends, anthropic_beta="context-1m-2025-08-07" if "service_tier" in body else "")
        assert session.holds()


@given(
    st.lists(st.tuples(MESSAGE, st.sampled_from(ENDS)), min_size=1, max_size=8), st.lists(TOOL, max_size=2)
)
def test_growing_conversations_keep_the_limit(
    turns: list[tuple[dict[str, Any], str]], tools: list[dict[str, Any]]
) -> None:
    """What an earlier answer said of a prompt's beginning is believed, and the limit holds all the same."""
    session = Session(0.5)
    messages: list[dict[str, Any]] = []
    for message, ends in turns:
        messages.append(message)
        session.ask({"model": MODEL, "max_tokens": 50, "messages": messages, "tools": tools}, ends)
        assert session.holds()


@given(st.binary(max_size=300), st.sampled_from(ENDS))
def test_arbitrary_bytes_keep_the_limit(raw: bytes, ends: str) -> None:
    """What is no request is never forwarded."""
    session = Session()
    assert not session.ask(raw, ends)
    assert not session.ask(json.dumps(said("hi")).encode() + raw.strip(), ends) or not raw.strip()


@given(st.lists(TURN, min_size=1, max_size=5), st.lists(GOOD_TOOL, max_size=2), TEXT)
def test_no_prompt_has_more_tokens(messages: list[Any], tools: list[Any], system: str) -> None:
    """What is reserved for a prompt is never less than what the provider may count it as."""
    body = {"messages": messages, "tools": tools, "system": system}
    assert measure(json.loads(json.dumps(body))).tokens >= billing.prompt(body)


@given(st.binary(max_size=2_000))
def test_random_bytes_are_no_cheaper(raw: bytes) -> None:
    """Whatever a program prints has at most one token a byte, and that is what it is taken for."""
    content = [{"type": "tool_result", "tool_use_id": "a", "content": raw.decode(errors="replace")}]
    body = {"messages": [{"role": "user", "content": content}]}
    assert measure(body).tokens >= len(raw.decode(errors="replace").encode())


PICTURES: dict[str, Any] = {
    "tool input": [
        {"type": "tool_use", "id": "a", "name": "Bash", "input": {"type": "image", "x": "words " * 30_000}}
    ],
    "tool input, deep": [
        {"type": "tool_use", "id": "a", "name": "b", "input": {"c": [{"type": "image", "d": "é" * 100_000}]}}
    ],
    "image with a text": [{"type": "image", "source": PNG, "text": "words " * 50_000}],
    "image source with a text": [{"type": "image", "source": {**PNG, "text": "words " * 30_000}}],
    "image without a source": [{"type": "image", "text": "words " * 50_000}],
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_only_images_count_as_images(content: list[dict[str, Any]], role: str) -> None:
    """A JSON object that says it is an image is none where the API has no images."""
    session = Session()
    for _ in range(20):
        session.ask({**said(content), "messages": [{"role": role, "content": content}]})
    assert session.holds()
    assert session.budget.usage.calls < 10


@pytest.mark.parametrize(
    "text", ["ﷺ" * 60_000, "\U0001f600" * 60_000, "က" * 80_000, "\x01" * 200_000, "~`^|" * 60_000]
)
def test_scripts_without_words_keep_the_limit(text: str) -> None:
    """Where a tokenizer falls back to bytes, and where it writes a character out, the money holds."""
    session = Session()
    for _ in range(30):
        session.ask(said(text))
    assert session.holds()


def test_an_hour_is_reserved_wherever_it_is_asked_for() -> None:
    """The mark of a block that is not counted by its bytes counts too."""
    inner = [{"type": "image", "source": PNG, **HOUR}]
    for content in (inner, [{"type": "tool_result", "tool_use_id": "a", "content": inner}]):
        session = Session(0.2)
        for _ in range(30):
            session.ask(said(content))
        assert session.holds()


def test_ordinary_prompts_are_affordable() -> None:
    """200 KB of English go for $5, and so does the conversation that follows: what was counted is known."""
    session = Session()
    english = "It was the best of times, it was the worst of times. " * 4_000
    body = said(english, max_tokens=32_000)
    assert session.ask(body, "cached")
    messages: list[dict[str, Any]] = [*body["messages"]]
    for _ in range(20):
        messages += [{"role": "assistant", "content": "yes"}, {"role": "user", "content": "and " * 500}]
        assert session.ask({**body, "max_tokens": 100, "messages": messages}, "cached")
    assert session.holds()


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"name": "Bash", "description": "much to read " * 9_000}]},
        {"system": "much to read " * 9_000},
        {"output_config": {"format": {"type": "json_schema", "schema": {"title": "much to read " * 9_000}}}},
        {"messages": [{"role": "user", "content": "much to read " * 9_000}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_counted_holds_for_the_same_beginning_only(change: dict[str, Any]) -> None:
    """A call that differs in anything that the model reads is measured anew."""
    session = Session(1.0)
    body = said("hi", max_tokens=10)
    session.ask(body, "little")
    for _ in range(30):
        session.ask({**body, **change})
    assert session.holds()
