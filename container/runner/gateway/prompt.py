"""The most tokens that a prompt can have, known before it is sent.

A tokenizer that works on bytes makes no more tokens than there are bytes; byte for byte is what rare scripts
and random bytes come to. An ordinary prompt has far fewer, but how many cannot be told without the tokenizer.
So the first call of a conversation is taken at its bytes, and what its answer says was counted is believed
from then on: a later call that begins with the same messages has at most that many tokens, and the bytes of
what was added.

See docs/decisions/0004-tokens-are-bounded-by-bytes.md.
"""

import codecs
import hashlib
import threading
import unicodedata
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any

from runner.gateway.content import Content
from runner.gateway.json_body import encode
from runner.gateway.refusal import forbidden, malformed, shown

# 4,784 is the largest that https://platform.claude.com/docs/en/build-with-claude/vision names.
TOKENS_PER_IMAGE = 5_000
# The provider's own system prompt that makes tools work, at most 530 tokens by
# https://platform.claude.com/docs/en/about-claude/pricing, what describes an output format, and the frame.
_TOKENS_OF_THE_FRAME = 2_000
_TOKENS_PER_TOOL = 32
# What joins a message to the one before it, should that be counted differently when there is one.
_TOKENS_OF_A_JOINT = 64
# Fields that say how the answer is to be sampled or delivered, or are checked elsewhere.
_NOT_READ = {"model", "max_tokens", "stream", "metadata", "stop_sequences", "temperature", "top_k", "top_p"}
_KEEPS_ALL = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
_EDITS = ("clear_thinking_20251015", "clear_tool_uses_20250919")

_KNOWN_PROMPTS = 256
_MARKS = 32
_SLICE = 64 * 1024


@dataclass(frozen=True)
class Prompt:
    """What is known of a prompt that has passed all checks.

    Args:
        marks: for its whole and for its latest beginnings a digest, and how many of its tokens come after it.
        lasting: a later call with the same beginning has at least as many tokens of it.
        hour: something in it is to stay in the cache for an hour.
    """

    tokens: int
    marks: tuple[tuple[bytes, int], ...]
    lasting: bool
    hour: bool


class CountedPrompts:
    """How many tokens the provider counted in the prompts of earlier calls."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def record(self, prompt: Prompt, tokens: int) -> None:
        """Remember what a prompt was counted as."""
        if not prompt.lasting or not prompt.marks:
            return
        digest, _ = prompt.marks[-1]
        with self._lock:
            self._tokens[digest] = max(tokens, self._tokens.pop(digest, 0))
            if len(self._tokens) > _KNOWN_PROMPTS:
                self._tokens.popitem(last=False)

    def bound(self, prompt: Prompt) -> int:
        """Return the most tokens that a prompt can have."""
        with self._lock:
            counted = [
                self._tokens[digest] + after + _TOKENS_OF_A_JOINT
                for digest, after in prompt.marks
                if digest in self._tokens
            ]
        return min(prompt.tokens, *counted) if counted else prompt.tokens


def measure(body: dict[str, Any], *identity: object) -> Prompt:
    """Check what a request says to the model, and measure it.

    Args:
        body: the decoded JSON of the agent's request.
        identity: what else decides how the provider counts: the model, beta features.

    Raises:
        Refusal: something in it is not allowed, or no request.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise malformed("messages must be a list of at least one message.")
    content = Content()
    content.cache_control(body)
    read = _frame(body, content)
    encoded = encode([identity, read])
    digest = hashlib.blake2b(encoded, digest_size=16)
    total = _cost(encoded, content) + _TOKENS_OF_THE_FRAME + _TOKENS_PER_TOOL * len(read["tools"])
    sums: deque[tuple[bytes, int]] = deque(maxlen=_MARKS)
    for message in messages:
        content.images = content.image_bytes = content.markup = 0
        encoded = encode(content.message(message))
        digest.update(encoded)
        total += _cost(encoded, content)
        sums.append((digest.digest(), total))
    return Prompt(
        tokens=total,
        marks=tuple((mark, total - until) for mark, until in sums),
        lasting=body.get("context_management") in (None, _KEEPS_ALL),
        hour=content.hour,
    )


def _frame(body: dict[str, Any], content: Content) -> dict[str, Any]:
    """Return everything but the messages as the model reads it."""
    read = {name: value for name, value in body.items() if name not in _NOT_READ}
    del read["messages"]
    read.pop("cache_control", None)
    if body.get("system") is not None:
        read["system"] = content.system(body["system"])
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, list):
        raise malformed("tools must be a list of objects.")
    read["tools"] = [content.tool(tool) for tool in tools or ()]
    for field in ("output_config", "output_format"):
        content.json_value(body.get(field))
    _check_edits(body.get("context_management"))
    return read


def _check_edits(management: Any) -> None:
    """Refuse a compaction on the provider's side: `max_tokens` does not bound that inference."""
    if management is None:
        return
    edits = management.get("edits", []) if isinstance(management, dict) else None
    if not isinstance(edits, list) or not all(isinstance(edit, dict) for edit in edits):
        raise malformed("context_management must be an object with a list of edits.")
    if refused := [edit.get("type") for edit in edits if edit.get("type") not in _EDITS]:
        raise forbidden(f"This session may not use the context edit {shown(refused[0])}.")


def _cost(encoded: bytes, content: Content) -> int:
    text = len(encoded) - content.image_bytes + content.markup + _normalised(encoded)
    return text + content.images * TOKENS_PER_IMAGE


def _normalised(encoded: bytes) -> int:
    """Return how many bytes more a text has once its compatibility characters are written out.

    The tokenizer that Anthropic has published does so (NFKC) before it counts: one character may become 18.
    """
    if encoded.isascii():
        return 0
    more = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(encoded), _SLICE):
        text = decoder.decode(encoded[start : start + _SLICE])
        if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
            more += max(0, len(unicodedata.normalize("NFKC", text).encode()) - len(text.encode()))
    return more
