"""A request that may be forwarded: which fields, tools and models the agent may use."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from runner.gateway.prompt import Prompt
from runner.gateway.refusal import Refusal, forbidden, malformed, shown

# Named one by one, so that a feature which costs money in other ways than tokens, changes the price of a
# token, runs another model or reaches out of the provider's side is refused until somebody has looked at it:
# mcp_servers, container, service_tier, speed, inference_geo, fallbacks.
_FIELDS = frozenset(
    {
        "cache_control",
        "context_management",
        "max_tokens",
        "messages",
        "metadata",
        "output_config",
        "output_format",
        "stop_sequences",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
_INSIDE = {
    "metadata": {"user_id"},
    "output_config": {"effort", "format"},
    "thinking": {"type", "budget_tokens", "display"},
    "tool_choice": {"type", "name", "disable_parallel_tool_use"},
}
_ALLOWED_MAX_TOKENS = 200_000


@dataclass(frozen=True)
class Route:
    """What a request asks for by its path.

    Args:
        target: path and query below the provider's root.
    """

    target: str
    answers: bool
    model: str | None = None


@dataclass
class Call:
    """One request to the model that passed all checks.

    Args:
        target: path and query below the provider's root.
        headers: those that go to the provider, but for its credentials.
        encoded: the checked body, encoded again: what was checked is then what is sent.
        max_tokens: the longest answer that the request allows; 0 when it is not an inference.
    """

    target: str
    model: str
    headers: dict[str, str]
    encoded: bytes
    prompt: Prompt
    max_tokens: int

    def forget_body(self) -> None:
        """Free the body's memory: the call was answered and will not be sent again."""
        self.encoded = b""


def check(body: dict[str, Any], model: object, models: Collection[str], own: Collection[str]) -> str:
    """Check fields and model, and return the model's id.

    Args:
        body: the decoded JSON of the agent's request.
        own: fields that only this service has.

    Raises:
        Refusal: the agent may not ask for this.
    """
    if not isinstance(model, str) or model not in models:
        raise forbidden(f"This session may not use the model {shown(model)}.")
    if unknown := sorted(body.keys() - _FIELDS - set(own)):
        raise forbidden(f"This session may not use: {', '.join(map(shown, unknown[:5]))}.")
    for name, fields in _INSIDE.items():
        value = body.get(name)
        if value is not None and not isinstance(value, dict):
            raise malformed(f"{name} must be an object.")
        if unknown := sorted((value or {}).keys() - fields):
            raise forbidden(f"This session may not use in {name}: {', '.join(map(shown, unknown[:5]))}.")
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
    return forbidden(f"This session may not call {shown(method)} {shown(path)}.")
