"""A request that may be forwarded: which fields, tools and models the agent may use."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from runner.gateway.refusal import Refusal, forbidden, malformed

MAX_BODY = 32 * 1024 * 1024

# Named one by one, so that a feature which costs money in other ways than tokens, changes the price of a
# token, runs another model or reaches out of the provider's side is refused until somebody has looked at it:
# mcp_servers, container, service_tier, speed, inference_geo, fallbacks.
_FIELDS = frozenset(
    {
        "anthropic_beta",
        "anthropic_version",
        "cache_control",
        "context_management",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "output_format",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
_ALLOWED_MAX_TOKENS = 200_000


@dataclass(frozen=True)
class Call:
    """One request to the model that passed all checks.

    Args:
        target: path and query below the provider's root.
        model: id.
        body: the checked body, to be encoded again: what was checked is then what is sent.
        max_tokens: the longest answer that the request allows; 0 when it is not an inference.
    """

    target: str
    model: str
    body: dict[str, Any]
    max_tokens: int

    @property
    def encoded(self) -> bytes:
        """The body as it is forwarded."""
        return json.dumps(self.body, separators=(",", ":")).encode()


def decode(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a request's body.

    Raises:
        Refusal: it is none.
    """
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise malformed("The request's body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise malformed("The request's body is not a JSON object.")
    return body


def _no_constant(name: str) -> None:
    raise ValueError(name)


def check(body: dict[str, Any], model: object, models: Collection[str]) -> str:
    """Check fields, tools and model, and return the model's id.

    Raises:
        Refusal: the agent may not ask for this.
    """
    if not isinstance(model, str) or model not in models:
        raise forbidden(f"This session may not use the model {model!r}.")
    if unknown := sorted(body.keys() - _FIELDS):
        raise forbidden(f"This session may not use: {', '.join(unknown)}.")
    tools = body.get("tools") or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise malformed("tools is not a list of objects.")
    for tool in tools:
        # Tools without a type are the client's own; all others run, or are defined, on the provider's side.
        if tool.get("type") not in {None, "custom"}:
            raise forbidden(f"This session may not use the tool type {tool['type']!r}.")
    return model


def max_tokens(body: dict[str, Any]) -> int:
    """Return the longest answer that the request allows, in tokens.

    Raises:
        Refusal: the field is missing or out of range.
    """
    value = body.get("max_tokens")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _ALLOWED_MAX_TOKENS:
        raise malformed(f"max_tokens must be an integer from 1 to {_ALLOWED_MAX_TOKENS}.")
    return value


def no_such_path(method: str, path: str) -> Refusal:
    """Return the refusal of a path that is not the model's."""
    return forbidden(f"This session may not call {method} {path}.")
