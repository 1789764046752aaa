"""What the client asks for beside the body: beta features and the API's version."""

from collections.abc import Iterable, Mapping

from runner.gateway.refusal import forbidden, malformed, shown

ANTHROPIC_VERSION = "2023-06-01"
BEDROCK_VERSION = "bedrock-2023-05-31"

# What Claude Code 2.1.329 sends as this project starts it, and a few more that change neither what a token
# costs nor what is billed beside tokens. Everything else is refused until somebody has looked at it:
# context-1m (long prompts have another price), fast-mode, fallbacks, code execution, skills, files, MCP.
# https://platform.claude.com/docs/en/api/beta-headers
_BETAS = frozenset(
    {
        "claude-code-20250219",
        "context-management-2025-06-27",
        "effort-2025-11-24",
        "extended-cache-ttl-2025-04-11",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "mid-conversation-system-2026-04-07",
        "mid-conversation-tool-changes-2026-07-01",
        "per-turn-control-2026-07-01",
        "redact-thinking-2026-02-12",
        "structured-outputs-2025-12-15",
        "thinking-display-updates-2026-08-18",
        "thinking-token-count-2026-05-13",
        "token-counting-2024-11-01",
    }
)


def allowed_betas(names: Iterable[object]) -> tuple[str, ...]:
    """Return beta features, each once.

    Raises:
        Refusal: one of them is not allowed; the sentence names it.
    """
    wanted: dict[str, None] = {}
    for name in names:
        stripped = name.strip() if isinstance(name, str) else ""
        if stripped not in _BETAS:
            raise forbidden(f"This session may not use the beta feature {shown(name)}.")
        wanted[stripped] = None
    return tuple(wanted)


def header_betas(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the beta features of the header `anthropic-beta`, see `allowed_betas`."""
    value = headers.get("anthropic-beta", "")
    return allowed_betas(name for name in value.split(",") if name.strip())


def check_version(field: str, value: object, expected: str) -> None:
    """Check that a request is for the version of the API that the gateway knows.

    Raises:
        Refusal: it is for another one.
    """
    if value != expected:
        raise malformed(f"{field} must be {expected!r}, not {shown(value)}.")
