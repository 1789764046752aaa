"""Patterns for branches, paths and comments: `*` is anything but a slash, `**` is anything.

The meaning is that of GitHub Actions for these two:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet

Each character of a text moves a set of places in the pattern on, so that no pattern takes longer than the
product of both lengths: the webhook matches what strangers wrote.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKENS = re.compile(r"(?:\A|(?<=/))\*\*/|\*\*|\*|[^*]", re.DOTALL)
_FOLDERS = "**/"
_ANYTHING = "**"
_SEGMENT = "*"
_WILDCARDS = frozenset({_FOLDERS, _ANYTHING, _SEGMENT})


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Return whether a text matches one of the patterns as a whole."""
    return any(matches(pattern, text) for pattern in patterns)


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern as a whole."""
    tokens = _tokens(pattern)
    places = _passed(tokens, {_before(0)})
    for character in text:
        places = _passed(tokens, _moved(tokens, places, character))
        if not places:
            return False
    return _before(len(tokens)) in places


@lru_cache(maxsize=256)
def _tokens(pattern: str) -> tuple[str, ...]:
    return tuple(_TOKENS.findall(pattern))


def _before(index: int) -> int:
    """Return the place before a token; the odd one after it is within a folder that the token stands for."""
    return 2 * index


def _moved(tokens: tuple[str, ...], places: set[int], character: str) -> set[int]:
    """Return the places after one more character."""
    moved = set()
    for place in places:
        index = place // 2
        token = tokens[index] if index < len(tokens) else None
        if token == _FOLDERS:
            moved.add(_before(index) + 1)
            if character == "/":
                # What follows begins after a whole folder.
                moved.add(_before(index + 1))
        elif token == _ANYTHING or (token == _SEGMENT and character != "/"):
            moved.add(place)
        elif token == character:
            moved.add(_before(index + 1))
    return moved


def _passed(tokens: tuple[str, ...], places: set[int]) -> set[int]:
    """Return the places with those that are reached where wildcards stand for nothing."""
    passed = set(places)
    for place in places:
        index = place // 2
        while place % 2 == 0 and index < len(tokens) and tokens[index] in _WILDCARDS:
            index += 1
            passed.add(_before(index))
    return passed
