"""A provider that bills the documented maximum for whatever it is sent; it shares no code with the gateway.

Tokens: no byte-level tokenizer makes more of a text than the text has bytes (Sennrich et al. 2016, on the
bytes of UTF-8), counted after NFKC, as the tokenizer that Anthropic published for its first models does. JSON
inside the prompt is written the way Python's `json.dumps` writes it. Images: the largest number that
https://platform.claude.com/docs/en/build-with-claude/vision names. PDFs: 600 pages
(https://platform.claude.com/docs/en/build-with-claude/pdf-support) of an image and 3,000 tokens of text each.
Prices and factors: https://platform.claude.com/docs/en/about-claude/pricing for Claude Opus 4.6.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

INPUT, OUTPUT = 5e-6, 25e-6
CACHE_5M, CACHE_1H, CACHE_READ = 1.25, 2.0, 0.1
US_ONLY = 1.1
IMAGE = 4_784
PDF = 600 * (IMAGE + 3_000)
FETCHED = 1_000_000
TOOLS = 530
WEB_SEARCH = 0.01


def text(value: str) -> int:
    """Return the most tokens of a text."""
    return max(len(value.encode()), len(unicodedata.normalize("NFKC", value).encode()))


def json_value(value: Any) -> int:
    """Return the most tokens of a JSON value inside the prompt."""
    return max(len(json.dumps(value)), text(json.dumps(value, ensure_ascii=False)))


def block(value: Any) -> int:  # noqa: PLR0911 - one for each type
    """Return the most tokens of a content block."""
    if isinstance(value, str):
        return text(value)
    match value.get("type"):
        case "text":
            return text(value["text"])
        case "image" | "document":
            return source(value["source"], PDF if value["type"] == "document" else IMAGE)
        case "tool_use":
            return text(value["name"]) + json_value(value["input"])
        case "tool_result":
            return blocks(value.get("content") or [])
        case "thinking":
            return text(value.get("thinking") or "") + text(value.get("signature") or "")
        case "redacted_thinking":
            return text(value["data"])
    # Whatever else the API knows runs or is fetched on its side.
    return FETCHED


def source(value: dict[str, Any], base64: int) -> int:
    """Return the most tokens of what an image or a document comes from."""
    match value.get("type"):
        case "base64":
            return base64
        case "text":
            return text(value["data"])
        case "content":
            return blocks(value["content"])
    return FETCHED


def blocks(value: Any) -> int:
    """Return the most tokens of content."""
    return text(value) if isinstance(value, str) else sum(block(one) for one in value)


def prompt(body: dict[str, Any]) -> int:
    """Return the most tokens of a request's prompt."""
    total = blocks(body.get("system") or [])
    for message in body["messages"]:
        total += blocks(message["content"]) + 8
    for tool in body.get("tools") or []:
        total += json_value({name: value for name, value in tool.items() if name != "cache_control"}) + 16
    if body.get("tools"):
        total += TOOLS
    return total + (json_value(body["output_config"]) + 300 if body.get("output_config") else 0)


def cached_for_an_hour(value: Any) -> bool:
    """Say whether anything in a request asks for a long-lived cache, wherever it does so."""
    if isinstance(value, list):
        return any(map(cached_for_an_hour, value))
    if not isinstance(value, dict):
        return False
    control = value.get("cache_control")
    found = isinstance(control, dict) and control.get("ttl") == "1h"
    return found or any(map(cached_for_an_hour, value.values()))


def most(sent: bytes, headers: dict[str, str]) -> float:
    """Return the most that the provider may bill for a call, in US dollars."""
    body: dict[str, Any] = json.loads(sent)
    write = CACHE_1H if cached_for_an_hour(body) else CACHE_5M
    long_prompt = 2.0 if "context-1m" in headers.get("anthropic-beta", "") else 1.0
    fast = 6.0 if body.get("speed") == "fast" else 1.0
    longest: int = body["max_tokens"]
    tokens = prompt(body) * INPUT * write + longest * OUTPUT
    searches = WEB_SEARCH * 100 if "web_search" in json.dumps(body.get("tools") or []) else 0.0
    return tokens * long_prompt * fast * US_ONLY + searches
