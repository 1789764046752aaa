"""The numbers of a list's items, as a browser counts them."""

import re
from dataclasses import dataclass
from typing import Self

from justhtml import Element

_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,9})")


@dataclass(slots=True)
class Numbering:
    """One list's count; one without numbers has dots.

    Attributes:
        next: the number of the item that comes now.
    """

    next: int | None

    @classmethod
    def of(cls, element: Element) -> Self:
        """Read where a list begins: https://html.spec.whatwg.org/multipage/grouping-content.html#the-ol-element."""
        return cls(_number(element.attrs.get("start"), 1) if element.name == "ol" else None)

    def mark(self, item: Element) -> str:
        """Return what stands before an item."""
        if self.next is None:
            return "- "
        number = _number(item.attrs.get("value"), self.next)
        self.next = number + 1
        return f"{number}. "


def _number(text: str | None, otherwise: int) -> int:
    match = _NUMBER.match(text or "")
    return int(match[1]) if match else otherwise
