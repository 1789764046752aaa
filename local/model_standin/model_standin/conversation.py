"""A request of either API, validated as the real ones do, with the fields that scripts need."""

import json
import re
from dataclasses import dataclass
from typing import Any

from model_standin.faults import Refused

# The CLI describes where it works in its system prompt, or for newer models in a system message.
_WORKING_DIRECTORY = re.compile(r"[Ww]orking directory: ([^\n]+?)(?: \(was [^\n]+\))?$", re.MULTILINE)
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Conversation:
    """One request.

    Args:
        stream: whether the answer is a stream of events.
        max_tokens: what the client allows for the answer.
        turn: how many turns of the assistant it holds.
        text: system prompt and everything before the first turn of the assistant.
        cwd: the agent's working directory, if the text names it.
        known_tokens: estimate for the part that the previous request sent too.
        caches: whether the client asks for prompt caching.
    """

    model: str
    stream: bool
    max_tokens: int
    turn: int
    text: str
    tools: frozenset[str]
    cwd: str | None
    prompt_tokens: int
    known_tokens: int
    caches: bool


def estimate(value: Any) -> int:
    """Return a plausible number of tokens for a piece of a request or of an answer."""
    return len(json.dumps(value, ensure_ascii=False)) // _CHARACTERS_PER_TOKEN


def read(body: dict[str, Any], model: str, *, stream: bool) -> Conversation:
    """Check a request's body.

    Args:
        body: the decoded JSON object.
        model: the id, wherever the API carries it.

    Raises:
        Refused: with status 400 and the field's name, as the APIs do it.
    """
    messages = _messages(body)
    tools = body.get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(t, dict) and t.get("name") for t in tools):
        raise Refused(400, "tools: Input should be a list of objects with a name")
    max_tokens = body.get("max_tokens")
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 1:
        raise Refused(400, "max_tokens: Field required, an integer of at least 1")
    assistants = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    opening = messages[: assistants[0]] if assistants else messages
    system = _text(body.get("system", ""))
    text = "\n".join([system, *(_text(message["content"]) for message in opening)])
    # A conversation that was resumed elsewhere names the new directory after the old one.
    by_system = "\n".join([system, *(_text(m["content"]) for m in messages if m["role"] == "system")])
    named = _WORKING_DIRECTORY.findall(by_system) or _WORKING_DIRECTORY.findall(text)
    prefix = [body.get("system"), tools]
    earlier = [*prefix, messages[: assistants[-1]]] if assistants else []
    return Conversation(
        model=model,
        stream=stream,
        max_tokens=max_tokens,
        turn=len(assistants),
        text=text,
        tools=frozenset(tool["name"] for tool in tools),
        cwd=named[-1].strip() if named else None,
        prompt_tokens=estimate([*prefix, messages]),
        known_tokens=estimate(earlier) if earlier else 0,
        caches='"cache_control"' in json.dumps(body),
    )


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "messages: Field required, a list of at least one message")
    pending: set[str] = set()
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in {"user", "assistant", "system"}:
            raise Refused(400, f"messages.{number}.role: Input should be 'user', 'assistant' or 'system'")
        content = message.get("content")
        if not isinstance(content, str | list) or not content:
            raise Refused(400, f"messages.{number}.content: Input should be a non-empty string or list")
        blocks = [] if isinstance(content, str) else content
        if not all(isinstance(block, dict) and isinstance(block.get("type"), str) for block in blocks):
            raise Refused(400, f"messages.{number}.content: Each block needs a type")
        pending -= {block.get("tool_use_id") for block in blocks if block["type"] == "tool_result"}
        if message["role"] == "assistant":
            _all_answered(pending, number)
            pending = {str(block.get("id")) for block in blocks if block["type"] == "tool_use"}
    _all_answered(pending, len(messages))
    return messages


def _all_answered(pending: set[str], number: int) -> None:
    if pending:
        raise Refused(
            400,
            f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            + ", ".join(sorted(pending)),
        )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(str(block.get("text", "")) for block in blocks if isinstance(block, dict))
