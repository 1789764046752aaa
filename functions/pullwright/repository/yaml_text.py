"""What reading a repository's YAML gives: values with their lines, or what is wrong in which line."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from pullwright.text import visible

_LONGEST_KEY = 60
_LINE_ENDS = {"Zl", "Zp"}

Place = tuple[str | int, ...]


def dotted(place: Place) -> str:
    """Return a place as people write it: `checks.0.name`."""
    return ".".join(str(name)[:_LONGEST_KEY] for name in place)


class YamlError(Exception):
    """The text cannot be read.

    Args:
        line: where, from 1.
        problem: what is wrong there, as the rest of a sentence.
        place: keys and numbers that lead to the part that is wrong.
    """

    def __init__(self, line: int, problem: str, place: Place = ()) -> None:
        super().__init__(f"line {line}: {dotted(place)}: {problem}" if place else f"line {line}: {problem}")


@dataclass(frozen=True, slots=True)
class Read:
    """What stands in a text.

    Attributes:
        lines: where each part stands, by the keys and numbers that lead to it.
    """

    value: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """Return where a part stands, or what should hold it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def hidden(text: str) -> str | None:
    """Return the first character that nobody sees, as `U+200B`; None if there is none."""
    for character in text:
        if character not in "\n\t" and (
            not visible(f".{character}.")[1:-1] or unicodedata.category(character) in _LINE_ENDS
        ):
            return f"U+{ord(character):04X}"
    return None
