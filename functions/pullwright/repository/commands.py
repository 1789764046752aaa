"""Commands in a repository's configuration."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def _with_plain_spaces(text: str) -> str:
    """To bash, another space than the ordinary one is part of a word, and nobody sees it."""
    for character in text:
        if character != " " and unicodedata.category(character) == "Zs":
            raise ValueError(f"it has a space that is no ordinary one (U+{ord(character):04X})")
    return text


Command = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True),
    AfterValidator(_with_plain_spaces),
]
Seconds = Annotated[int, Field(strict=True, ge=1, le=3_600)]
