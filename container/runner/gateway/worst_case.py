"""The most that a call can cost, known before it is made."""

import json
from typing import Any

from runner.prices import Tokens

# Code and English have about four bytes a token, some scripts fewer.
_BYTES_PER_TOKEN = 3
# The largest image that any of the models takes without scaling it down.
_TOKENS_PER_IMAGE = 5_000


def worst_case(body: dict[str, Any], max_tokens: int) -> Tokens:
    """Estimate a call's tokens on the safe side: no cache helps, the answer is as long as allowed.

    Args:
        body: the request.
        max_tokens: the longest answer it allows.
    """
    images: list[int] = []
    encoded = json.dumps(_without_images(body, images), ensure_ascii=False)
    prompt = len(encoded.encode(errors="replace")) // _BYTES_PER_TOKEN + len(images) * _TOKENS_PER_IMAGE
    if '"ttl": "1h"' in encoded:
        return Tokens(cache_write=prompt, cache_write_1h=prompt, output=max_tokens)
    return Tokens(cache_write=prompt, output=max_tokens)


def _without_images(value: Any, images: list[int]) -> Any:
    if isinstance(value, list):
        return [_without_images(item, images) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "image":
        images.append(1)
        return None
    return {key: _without_images(item, images) for key, item in value.items()}
