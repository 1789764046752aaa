"""The content blocks of a request, each at a place where the API has it.

https://platform.claude.com/docs/en/api/messages/create lists them. What is not named here is refused until
somebody has looked at what it costs: blocks of tools that run on the provider's side, references that become
a tool's whole definition, files and addresses that the provider would fetch, and documents other than text.
A page of a PDF is billed as an image and as its text
(https://platform.claude.com/docs/en/build-with-claude/pdf-support); neither the number of pages nor the
length of their text can be told from the file's size.
"""

from collections.abc import Collection
from typing import Any

from runner.gateway.json_body import encode
from runner.gateway.refusal import forbidden, malformed, shown

_COMMON = {"type", "cache_control"}
_FIELDS = {
    "text": _COMMON | {"text", "citations"},
    "image": _COMMON | {"source"},
    "document": _COMMON | {"source", "title", "context", "citations"},
    "tool_use": _COMMON | {"id", "name", "input", "caller"},
    "tool_result": _COMMON | {"tool_use_id", "content", "is_error"},
    "tool_addition": _COMMON | {"tool"},
}
# These come from the model, which adds to their fields now and then; none of them is more than text.
_THINKING = frozenset({"thinking", "redacted_thinking"})
_IN_SYSTEM = frozenset({"text"})
_IN_RESULT = frozenset({"text", "image", "document"})
_IN_MESSAGE = {
    "user": frozenset({"text", "image", "document", "tool_result"}),
    "assistant": frozenset({"text", "tool_use"}) | _THINKING,
    # A conversation that goes on with other tools tells the model which were added (seen in version 2.1.329).
    "system": _IN_SYSTEM | {"tool_addition"},
}
_MESSAGE_FIELDS = {"role", "content", "output_config"}
_TOOL_FIELDS = {
    "type",
    "name",
    "description",
    "input_schema",
    "input_examples",
    "cache_control",
    "defer_loading",
    "eager_input_streaming",
    "strict",
}
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


class Content:
    """Checks content, and counts what its bytes do not tell.

    What its methods return is what the model reads: without `cache_control`, which moves from call to call,
    and with every text as a block, as the client writes the same text now so and now so.

    Attributes:
        image_bytes: of their base64.
        markup: bytes that JSON inside the content has more when it is written with spaces and escapes.
        hour: something is to stay in the cache for an hour.
    """

    def __init__(self) -> None:
        self.images = 0
        self.image_bytes = 0
        self.markup = 0
        self.hour = False
        self._definitions: dict[str, int] = {}

    def message(self, message: Any) -> dict[str, Any]:
        """Check a message."""
        _only(message, _MESSAGE_FIELDS, "message")
        role = message.get("role")
        if not isinstance(role, str) or role not in _IN_MESSAGE:
            raise malformed("A message's role must be 'user', 'assistant' or 'system'.")
        if message.get("output_config") is not None:
            _only(message["output_config"], {"effort"}, "message's output_config")
        blocks = self._blocks(message.get("content"), _IN_MESSAGE[role], f"a message of the {role}")
        return {**message, "content": blocks}

    def system(self, value: Any) -> list[dict[str, Any]]:
        """Check the system prompt."""
        return self._blocks(value, _IN_SYSTEM, "the system prompt")

    def tool(self, tool: Any) -> dict[str, Any]:
        """Check the definition of a tool."""
        kind = tool.get("type") if isinstance(tool, dict) else None
        # Tools without a type are the client's own; all others run, or are defined, on the provider's side.
        if kind is not None and kind != "custom":
            raise forbidden(f"This session may not use the tool type {shown(kind)}.")
        _only(tool, _TOOL_FIELDS, "tool")
        self.cache_control(tool)
        before = self.markup
        self.json_value(tool.get("input_schema"))
        self.json_value(tool.get("input_examples"))
        read = {name: value for name, value in tool.items() if name != "cache_control"}
        self._definitions[str(tool.get("name"))] = len(encode(read)) + self.markup - before
        return read

    def json_value(self, value: Any) -> None:
        """Count what a JSON value may have more when the provider writes it in its own way."""
        if value is None:
            return
        encoded = encode(value)
        self.markup += encoded.count(b",") + encoded.count(b":")
        if not encoded.isascii():
            # Two bytes of UTF-8 may become six characters.
            self.markup += 2 * len(encoded)

    def cache_control(self, owner: dict[str, Any]) -> None:
        """Check how long something is to stay in the cache."""
        value = owner.get("cache_control")
        if value is None:
            return
        _only(value, {"type", "ttl"}, "cache_control")
        ttl = value.get("ttl", "5m")
        if value.get("type") != "ephemeral" or ttl not in ("5m", "1h"):
            raise malformed("cache_control must be of the type 'ephemeral', with the ttl '5m' or '1h'.")
        self.hour = self.hour or ttl == "1h"

    def _blocks(self, value: Any, allowed: Collection[str], place: str) -> list[dict[str, Any]]:
        if isinstance(value, str):
            return [{"type": "text", "text": value}]
        if not isinstance(value, list):
            raise malformed(f"The content of {place} must be a string or a list of blocks.")
        return [self._block(block, allowed, place) for block in value]

    def _block(self, block: Any, allowed: Collection[str], place: str) -> dict[str, Any]:
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str):
            raise malformed(f"Each block of {place} must be an object with a type.")
        if kind not in allowed:
            raise forbidden(f"This session may not use the block type {shown(kind)} in {place}.")
        self.cache_control(block)
        read = {name: value for name, value in block.items() if name != "cache_control"}
        if kind in _THINKING:
            if any(isinstance(value, dict | list) for value in read.values()):
                raise forbidden(f"This session may not use objects in a block of the type {kind!r}.")
            return read
        _only(block, _FIELDS[kind], f"{kind} block")
        if kind == "image":
            self._image(block.get("source"))
        elif kind == "document":
            _text_source(block.get("source"))
        elif kind == "tool_use":
            self.json_value(block.get("input"))
        elif kind == "tool_addition":
            self._addition(block.get("tool"))
        elif kind == "tool_result" and block.get("content") is not None:
            read["content"] = self._blocks(block["content"], _IN_RESULT, "a tool result")
        return read

    def _addition(self, tool: Any) -> None:
        """Count the definition of a tool once more, which may be read where it is named."""
        _only(tool, {"type", "name"}, "tool_addition's tool")
        kind, name = tool.get("type"), tool.get("name")
        if kind != "tool_reference" or not isinstance(name, str) or name not in self._definitions:
            raise forbidden(f"This session may add tools of its own only, not {shown(name)}.")
        self.markup += self._definitions[name]

    def _image(self, source: Any) -> None:
        kind = source.get("type") if isinstance(source, dict) else None
        if kind != "base64":
            raise forbidden(f"This session may send images as base64 only, not as {shown(kind)}.")
        _only(source, {"type", "media_type", "data"}, "image source")
        data = source.get("data")
        if source.get("media_type") not in _IMAGES or not isinstance(data, str) or not data.isascii():
            raise malformed("An image must be base64 of a JPEG, PNG, GIF or WebP.")
        self.images += 1
        self.image_bytes += len(data)


def _text_source(source: Any) -> None:
    kind = source.get("type") if isinstance(source, dict) else None
    if kind != "text":
        raise forbidden(
            f"This session may send documents as text only, not as {shown(kind)}: what a page of a PDF costs "
            "is not known before. Convert it to text first, for example with pdftotext."
        )
    _only(source, {"type", "media_type", "data"}, "document source")
    if not isinstance(source.get("data"), str):
        raise malformed("A document's data must be a string.")


def _only(value: Any, fields: Collection[str], what: str) -> None:
    if not isinstance(value, dict):
        raise malformed(f"Each {what} must be an object.")
    if unknown := sorted(value.keys() - fields):
        raise forbidden(f"This session may not use in each {what}: {', '.join(map(shown, unknown[:5]))}.")
