"""The assistant's turn as a whole message and as the events of a stream."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

from model_standin.conversation import Conversation, estimate
from model_standin.faults import Refused
from model_standin.scripts import Step

POLITE = Step(text="I am a scripted stand-in for a model and have nothing to add here.")
_PIECE = 48
# What is neither cached nor new to the cache: a few tokens at the end of every cached prompt.
_UNCACHED_TAIL = 4


def message(conversation: Conversation, step: Step) -> dict[str, Any]:
    """Return the whole message.

    Raises:
        Refused: the step needs the working directory and the request does not name it.
    """
    content: list[dict[str, Any]] = []
    if step.text:
        content.append({"type": "text", "text": step.text})
    content += [
        {
            "type": "tool_use",
            "id": f"toolu_{uuid.uuid4().hex[:24]}",
            "name": call.tool,
            "input": _filled(call.input, conversation.cwd),
        }
        for call in step.calls
    ]
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": conversation.model,
        "content": content,
        "stop_reason": step.stop_reason or ("tool_use" if step.calls else "end_turn"),
        "stop_sequence": None,
        "usage": _usage(conversation, content, step),
    }


def _filled(value: Any, cwd: str | None) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, cwd) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, cwd) for item in value]
    if not isinstance(value, str) or "{cwd}" not in value:
        return value
    if cwd is None:
        raise Refused(400, "The script uses {cwd}, but this request names no working directory.")
    return value.replace("{cwd}", cwd)


def _usage(conversation: Conversation, content: list[dict[str, Any]], step: Step) -> dict[str, Any]:
    prompt, earlier = conversation.prompt_tokens, conversation.known_tokens
    fresh, read, written = prompt, 0, 0
    if conversation.caches:
        fresh = min(_UNCACHED_TAIL, prompt)
        read = min(earlier, prompt - fresh)
        written = prompt - fresh - read
    counts = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": max(1, estimate(content)),
        **step.usage.model_dump(exclude_none=True),
    }
    cached = {
        "ephemeral_5m_input_tokens": counts["cache_creation_input_tokens"],
        "ephemeral_1h_input_tokens": 0,
    }
    return {**counts, "cache_creation": cached, "service_tier": "standard"}


def events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the events of https://docs.claude.com/en/api/messages-streaming for a whole message."""
    usage = whole["usage"]
    start = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        is_text = block["type"] == "text"
        empty = {**block, "text": ""} if is_text else {**block, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for piece in _pieces(block["text"] if is_text else json.dumps(block["input"])):
            delta = (
                {"type": "text_delta", "text": piece}
                if is_text
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    counts = {key: value for key, value in usage.items() if key.endswith("_tokens")}
    yield {"type": "message_delta", "delta": stop, "usage": counts}
    yield {"type": "message_stop"}


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]
