"""GitHub's rendered HTML as text that reads like Markdown.

Attributes, and with them the addresses behind links and the texts of pictures, are not on the page: they are
left out. What folds (`<details>`) is there for everybody to open: it stays, behind the triangle that the page
shows before it.
"""

import re

from justhtml import Element, JustHTML, Text

from pullwright.rendered.formula import formula
from pullwright.rendered.inner import BLOCKS, inner_text
from pullwright.rendered.languages import is_drawn, language
from pullwright.rendered.layout import Layout
from pullwright.rendered.numbering import Numbering
from pullwright.rendered.visibility import SMALLEST_SCALE, classes, is_hidden, scale
from pullwright.text import printable

IMAGE = "[image]"
DIAGRAM = "[diagram]"
OVERRIDDEN = "[text of another direction]"
_HEADING = re.compile(r"h([1-6])")
_LISTS = frozenset({"dir", "menu", "ol", "ul"})
_INDENTED = frozenset({"blockquote", "dd", "details", "li"})
# No empty line around them.
_TIGHT = frozenset({"caption", "dd", "dt", "li", "tr"})
# Plain text that came by e-mail: its lines are kept.
_MAILED = frozenset({"email-fragment", "email-quoted-reply", "email-signature-reply"})
# Signs of what the page shows otherwise than by letters: before and after an element's text.
_MARKS = {
    **dict.fromkeys(("del", "s", "strike"), ("~~", "~~")),
    **{name: (f"<{name}>", f"</{name}>") for name in ("sub", "sup")},
    "q": ("“", "”"),
    "rt": ("(", ")"),
}


def page_text(html: str) -> str:
    """Return what a reader sees of a text that GitHub has rendered.

    Args:
        html: GitHub's `body_html`.
    """
    page = _Page()
    root = JustHTML(html, fragment=True, sanitize=False).root
    # Without recursion: elements may stand in each other thousands of times.
    nodes = [(child, False) for child in reversed(root.children or [])]
    while nodes:
        node, is_end = nodes.pop()
        if is_end:
            page.leave(node)
        elif isinstance(node, Text):
            page.layout.flow(printable(node.data))
        elif isinstance(node, Element) and not is_hidden(node) and page.enter(node):
            nodes.append((node, True))
            nodes.extend((child, False) for child in reversed(node.children))
    return page.layout.text()


class _Page:
    """Writes elements as they begin and end."""

    def __init__(self) -> None:
        self.layout = Layout()
        self._sizes = [1.0]
        self._lists: list[Numbering] = []
        self._headers: list[list[bool]] = []

    def enter(self, element: Element) -> bool:
        """Begins an element.

        Returns:
            Whether its content is to be written, and `leave` to be called after it.
        """
        size = self._sizes[-1] * scale(element)
        if size < SMALLEST_SCALE or self._write_whole(element, size):
            return False
        self._sizes.append(size)
        self._break(element.name)
        self._begin(element)
        return True

    def leave(self, element: Element) -> None:
        """End an element."""
        self._sizes.pop()
        layout, name = self.layout, element.name
        if name in _MARKS:
            layout.exact(_MARKS[name][1])
        elif name in _INDENTED or _is_alert(element):
            layout.pop()
        elif name in _LISTS:
            self._lists.pop()
            layout.pop()
        elif name == "tr":
            self._end_row()
        self._break(name)

    def _write_whole(self, element: Element, size: float) -> bool:
        """Write an element whose content is not ordinary text; False if it is another."""
        layout = self.layout
        match element.name:
            case "math-renderer":
                layout.flow(formula(inner_text(element, size)))
            case "pre" | "section" | "div" if is_drawn(element):
                layout.end_line(blank=True)
                is_formula = element.attrs.get("lang") == "math"
                layout.line(formula(inner_text(element, size)) if is_formula else DIAGRAM)
                layout.end_line(blank=True)
            case "pre":
                layout.code(inner_text(element, size), language(element))
            case "div" if not _MAILED.isdisjoint(classes(element)):
                layout.exact(inner_text(element, size))
                layout.end_line(blank=True)
            case "code" | "tt":
                layout.exact(_inline_code(inner_text(element, size)))
            case "bdo":
                # Its letters may be drawn in another order, which its surroundings decide too.
                layout.exact(OVERRIDDEN)
            case _:
                return self._write_empty(element)
        return True

    def _write_empty(self, element: Element) -> bool:
        layout = self.layout
        match element.name:
            case "br":
                layout.exact("\n")
            case "img":
                layout.exact(IMAGE)
            case "hr":
                self._break("hr")
                layout.line("---")
                self._break("hr")
            case "input":
                if (element.attrs.get("type") or "").lower() == "checkbox":
                    layout.exact("[x] " if "checked" in element.attrs else "[ ] ")
            case _:
                return False
        return True

    def _begin(self, element: Element) -> None:
        layout, name = self.layout, element.name
        if name in _MARKS:
            layout.exact(_MARKS[name][0])
        elif (heading := _HEADING.fullmatch(name)) is not None:
            layout.exact("#" * int(heading[1]) + " ")
        elif name == "tr":
            self._headers.append([])
        elif name in {"td", "th"} and self._headers:
            layout.mark(" | " if self._headers[-1] else "| ")
            self._headers[-1].append(name == "th")
        else:
            self._begin_indent(element)

    def _begin_indent(self, element: Element) -> None:
        layout, name = self.layout, element.name
        if name == "blockquote" or _is_alert(element):
            layout.push("> ", "> ")
        elif name in _LISTS:
            self._lists.append(Numbering.of(element))
            layout.push("", "")
        elif name == "li":
            mark = self._lists[-1].mark(element) if self._lists else "- "
            layout.push(mark, " " * len(mark), item=True)
        elif name == "dd":
            layout.push("  ", "  ")
        elif name == "details":
            layout.push("▾ " if "open" in element.attrs else "▸ ", "  ")
            if not any(child.name == "summary" for child in element.children):
                # The browser's own word.
                layout.line("Details")

    def _end_row(self) -> None:
        headers = self._headers.pop()
        if headers:
            self.layout.mark(" |")
            self.layout.end_line()
        if headers and all(headers):
            self.layout.line("|" + "---|" * len(headers))

    def _break(self, name: str) -> None:
        if self._headers and name in {"div", "p"}:
            # Paragraphs in a cell stay on its line.
            self.layout.flow(" ")
        elif name in BLOCKS:
            is_inner_list = bool(self._lists) and name in _LISTS
            self.layout.end_line(blank=name not in _TIGHT and not is_inner_list)


def _is_alert(element: Element) -> bool:
    return element.name == "div" and "markdown-alert" in classes(element)


def _inline_code(text: str) -> str:
    text = text.replace("\n", " ")
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    fence = "`" * (longest + 1)
    return f"{fence}{pad}{text}{pad}{fence}"
