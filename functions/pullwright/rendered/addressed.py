"""Whether a text that GitHub has rendered addresses somebody."""

import re

from justhtml import Element, JustHTML, Text

from pullwright.rendered.inner import BLOCKS
from pullwright.rendered.visibility import SMALLEST_SCALE, is_hidden, scale
from pullwright.text import printable

# What stands in them is shown, not said.
_SET_APART = frozenset(
    {"blockquote", "code", "kbd", "math-renderer", "pre", "q", "samp", "tt", "del", "s", "strike"}
)


def addresses(html: str, mention: re.Pattern[str]) -> bool:
    """Return whether a mention stands in the visible text, outside of code and quotations.

    Args:
        html: GitHub's `body_html`.
    """
    root = JustHTML(html, fragment=True, sanitize=False).root
    # Without recursion: elements may stand in each other thousands of times.
    nodes: list[tuple[Element | Text | str, float]] = [
        (child, 1.0) for child in reversed(root.children or [])
    ]
    pieces: list[str] = []
    while nodes:
        node, size = nodes.pop()
        if isinstance(node, str):
            pieces.append(node)
        elif isinstance(node, Text):
            pieces.append(printable(node.data))
        elif isinstance(node, Element) and not is_hidden(node) and size * scale(node) >= SMALLEST_SCALE:
            if node.name in _SET_APART or node.name == "br":
                pieces.append("\n")
                continue
            if node.name in BLOCKS:
                pieces.append("\n")
                nodes.append(("\n", size))
            nodes.extend((child, size * scale(node)) for child in reversed(node.children))
    return mention.search("".join(pieces)) is not None
