"""Atlassian Document Format as text that reads like Markdown: what people see of it, and nothing else.

https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/. As in what GitHub shows, the
addresses behind links, the texts of pictures and invisible characters are left out, and so is text in the
colour of what it stands on. A node of a kind that is not known here keeps its content and its `text`.
Whatever the document is, reading it does not fail.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pullwright.jira.colours import WHITE, is_readable
from pullwright.json_object import as_object
from pullwright.rendered.layout import Layout
from pullwright.text import printable

IMAGE, FILE, HIDDEN = "[image]", "[file]", "[text in the colour of the page]"
_MEDIA = {"media": IMAGE, "mediaInline": FILE}
_CARDS = frozenset({"blockCard", "embedCard", "inlineCard"})
_LISTS = frozenset({"bulletList", "decisionList", "orderedList", "taskList"})
_ITEMS = frozenset({"blockTaskItem", "decisionItem", "listItem", "taskItem"})
_TIGHT = frozenset({"tableRow", *_ITEMS})
_INLINE = frozenset(
    {
        *("date", "emoji", "hardBreak", "inlineCard", "inlineExtension", "mediaInline", "mention"),
        *("placeholder", "status", "text"),
    }
)
_INDENTED = frozenset({"blockquote", "panel", *_ITEMS})
_FOLDED = frozenset({"expand", "nestedExpand"})
_CELLS = frozenset({"tableCell", "tableHeader"})
_MOST_ITEMS = 10**9
_CODE = re.compile("`+")


def document_text(document: Any) -> str:
    """Return what a reader sees of a document.

    Args:
        document: decoded JSON; a plain text, as the older interface gives it, is taken as it is.
    """
    if isinstance(document, str):
        return printable(document).strip()
    reader = _Reader()
    # Without recursion: nodes may stand in each other thousands of times.
    nodes: list[tuple[Any, bool]] = [(document, False)]
    while nodes:
        node, is_end = nodes.pop()
        if is_end:
            reader.leave(node)
        elif isinstance(node, dict) and reader.enter(node):
            nodes.append((node, True))
            content = node.get("content")
            nodes.extend((child, False) for child in reversed(content if isinstance(content, list) else []))
    return reader.layout.text().strip()


class _Reader:
    """Writes nodes as they begin and end."""

    def __init__(self) -> None:
        self.layout = Layout()
        # What the text stands on, the number of a list's next item, and whether a row's cells are headers.
        self._grounds = [WHITE]
        self._numbers: list[int | None] = []
        self._rows: list[list[bool]] = []

    def enter(self, node: Mapping[str, Any]) -> bool:
        """Begin a node; return whether its content follows, and `leave` after it."""
        kind, attrs = node.get("type"), as_object(node.get("attrs"))
        if not isinstance(kind, str):
            kind = ""
        if kind in _INLINE:
            self._inline(kind, node, attrs)
            return False
        if kind == "codeBlock":
            language = re.sub(r"[^\w+#-]", "", str(attrs.get("language") or ""))
            self.layout.code(printable("".join(_texts(node))), language)
            return False
        self._break(kind)
        if kind == "rule":
            self.layout.line("---")
            self._break(kind)
            return False
        if kind in _MEDIA or kind in _CARDS:
            self.layout.exact(_MEDIA.get(kind) or _address(attrs))
            self._break(kind)
            return False
        self._begin(kind, node, attrs)
        return True

    def leave(self, node: Mapping[str, Any]) -> None:
        """End a node whose content was written."""
        kind, layout = node.get("type"), self.layout
        if not isinstance(kind, str):
            kind = ""
        if kind in _CELLS or kind == "panel":
            self._grounds.pop()
        if kind in _INDENTED or kind in _FOLDED:
            layout.pop()
        elif kind in _LISTS:
            self._numbers.pop()
            layout.pop()
        elif kind == "tableRow":
            headers = self._rows.pop()
            if headers:
                layout.mark(" |")
                layout.end_line()
            if headers and all(headers):
                layout.line("|" + "---|" * len(headers))
        self._break(kind)

    def _inline(self, kind: str, node: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        layout = self.layout
        match kind:
            case "text":
                self._text(node)
            case "hardBreak":
                layout.exact("\n" if not self._rows else " ")
            case "mediaInline":
                layout.exact(FILE)
            case "inlineCard":
                layout.exact(_address(attrs))
            case "date":
                layout.exact(_day(attrs.get("timestamp")))
            case "mention":
                name = _attribute(attrs, "text") or "somebody"
                layout.exact(name if name.startswith("@") else f"@{name}")
            case "emoji":
                layout.exact(_attribute(attrs, "text") or _attribute(attrs, "shortName"))
            case "placeholder":
                # Only those who edit the text see it.
                pass
            case _:
                layout.exact(_attribute(attrs, "text"))

    def _text(self, node: Mapping[str, Any]) -> None:
        text = node.get("text")
        if not isinstance(text, str):
            return
        marks = {
            str(mark.get("type")): as_object(mark.get("attrs"))
            for mark in map(as_object, _list(node.get("marks")))
        }
        ground = str(marks.get("backgroundColor", {}).get("color") or self._grounds[-1])
        if text.strip() and not is_readable(str(marks.get("textColor", {}).get("color") or ""), ground):
            self.layout.exact(HIDDEN)
            return
        text = printable(text)
        if self._rows:
            text = text.replace("\n", " ")
        if "code" in marks:
            text = _inline_code(text)
        if "strike" in marks:
            text = f"~~{text}~~"
        if (place := marks.get("subsup", {}).get("type")) in {"sub", "sup"}:
            text = f"<{place}>{text}</{place}>"
        self.layout.exact(text)

    def _begin(self, kind: str, node: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        layout = self.layout
        if kind in _CELLS:
            self._begin_cell(kind, attrs)
        elif kind == "heading":
            level = attrs.get("level")
            layout.exact("#" * min(max(level, 1), 6) + " " if type(level) is int else "# ")
        elif kind == "tableRow":
            self._rows.append([])
        elif kind in _LISTS:
            order = attrs.get("order")
            first = int(order) if isinstance(order, int | float) and 0 <= order < _MOST_ITEMS else 1
            self._numbers.append(first if kind == "orderedList" else None)
            layout.push("", "")
        elif kind in _ITEMS:
            mark = self._mark(kind, attrs)
            layout.push(mark, " " * len(mark), item=True)
        elif kind in {"blockquote", "panel"}:
            if kind == "panel":
                self._grounds.append(_attribute(attrs, "panelColor") or self._grounds[-1])
            layout.push("> ", "> ")
        elif kind in _FOLDED:
            layout.push("▸ ", "  ")
            layout.line(_attribute(attrs, "title").replace("\n", " ") or "Details")
        else:
            # Extensions show theirs where their app does not draw them, and so may kinds to come.
            layout.exact(_attribute(attrs, "text") or _attribute(node, "text"))
            self._break(kind)

    def _begin_cell(self, kind: str, attrs: Mapping[str, Any]) -> None:
        self._grounds.append(_attribute(attrs, "background") or self._grounds[-1])
        if self._rows:
            self.layout.mark(" | " if self._rows[-1] else "| ")
            self._rows[-1].append(kind == "tableHeader")

    def _mark(self, kind: str, attrs: Mapping[str, Any]) -> str:
        if kind in {"blockTaskItem", "taskItem"}:
            return "[x] " if attrs.get("state") == "DONE" else "[ ] "
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            return "- "
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _break(self, kind: str) -> None:
        if self._rows and kind in {"paragraph", *_CELLS}:
            # Paragraphs in a cell stay on its line.
            self.layout.flow(" ")
        elif kind not in _CELLS:
            # Items follow each other without empty lines, whatever stands in them.
            self.layout.end_line(blank=kind not in _TIGHT and not self._numbers)


def _texts(node: Mapping[str, Any]) -> list[str]:
    """Return the texts in a block of code, in whatever stands there."""
    found, nodes = [], [node]
    while nodes:
        inner = nodes.pop()
        if isinstance(text := inner.get("text"), str):
            found.append(text)
        nodes.extend(child for child in reversed(_list(inner.get("content"))) if isinstance(child, dict))
    return found


def _inline_code(text: str) -> str:
    longest = max((len(run) for run in _CODE.findall(text)), default=0)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    fence = "`" * (longest + 1)
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""


def _attribute(attrs: Mapping[str, Any], name: str) -> str:
    value = attrs.get(name)
    return printable(value) if isinstance(value, str) else ""


def _address(attrs: Mapping[str, Any]) -> str:
    """Return the address of a card, which Jira shows as the title of the page there."""
    return _attribute(attrs, "url") or _attribute(as_object(attrs.get("data")), "url") or "[card]"


def _day(timestamp: Any) -> str:
    """Return the day of a date node, which is in milliseconds."""
    try:
        return datetime.fromtimestamp(int(timestamp) / 1000, UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return "[date]"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
