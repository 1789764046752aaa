"""The text of one element whose white space counts, such as code."""

from collections.abc import Iterator

from justhtml import Element, Text

from pullwright.rendered.formula import formula
from pullwright.rendered.visibility import SMALLEST_SCALE, is_hidden, scale
from pullwright.text import printable

_BLOCKS = """
address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure
footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre search section summary
table tr ul
"""
BLOCKS = frozenset(_BLOCKS.split())


def inner_text(element: Element, size: float) -> str:
    """Return what is drawn of an element's text, with its white space as it is.

    Args:
        size: of its letters, see `visibility.scale`.
    """
    return "".join(_parts(element, size)).removesuffix("\n")


def _parts(element: Element, size: float) -> Iterator[str]:
    nodes: list[tuple[Element | Text | str, float]] = [(child, size) for child in reversed(element.children)]
    while nodes:
        node, around = nodes.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, Text):
            yield printable(node.data)
        elif isinstance(node, Element) and not is_hidden(node) and around * scale(node) >= SMALLEST_SCALE:
            if node.name == "br":
                yield "\n"
            elif node.name == "bdo":
                continue
            elif node.name == "math-renderer":
                yield formula(inner_text(node, around))
            else:
                if node.name in BLOCKS:
                    yield "\n"
                    nodes.append(("\n", 0))
                nodes.extend((child, around * scale(node)) for child in reversed(node.children))
