"""Lines of text with the indents of lists and quotations."""

import re
from dataclasses import dataclass

# Deeper ones are not indented further: each line would be as long as its block is deep.
_DEEPEST = 20
_SPACE = re.compile(r"[ \t\n\f\r]+")


@dataclass(slots=True)
class _Indent:
    """What stands before each line of a block.

    Attributes:
        first: before its first line, as long as that is not written.
    """

    first: str
    rest: str
    is_written: bool = False

    def take(self) -> str:
        taken = self.rest if self.is_written else self.first
        self.is_written = True
        return taken


class Layout:
    """Collects text line by line, as a browser flows it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._indents: list[_Indent] = []
        self._deeper = 0
        self._blank = False
        self._is_fresh = True

    def flow(self, text: str) -> None:
        """Add text whose white space counts as one space, as in HTML."""
        text = _SPACE.sub(" ", text)
        if not self._line or self._line[-1].endswith((" ", "\n")):
            text = text.lstrip(" ")
        if text:
            self._line.append(text)

    def exact(self, text: str) -> None:
        """Add text as it is; a line end in it begins a new line."""
        if text:
            self._line.append(text)

    def mark(self, text: str) -> None:
        """Add a sign in place of the white space before it."""
        while self._line and not self._line[-1].strip(" "):
            self._line.pop()
        if self._line:
            self._line[-1] = self._line[-1].rstrip(" ")
        self.exact(text)

    def end_line(self, *, blank: bool = False) -> None:
        """End the line, if there is one; the next one may have an empty line before it."""
        text = "".join(self._line)
        self._line.clear()
        if text.strip(" \n"):
            for line in text.rstrip(" \n").lstrip("\n").split("\n"):
                self._write(line)
        self._blank = self._blank or blank

    def line(self, text: str) -> None:
        """Write a line of its own."""
        self.end_line()
        self._write(text)

    def code(self, text: str, language: str) -> None:
        """Write a block of code at the left edge, exactly as it is, wherever it stands on the page."""
        self.end_line(blank=True)
        if any(not indent.is_written for indent in self._indents):
            self._write("")
        self._write_blank()
        longest = max((len(run) for run in re.findall("`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        self._lines += [f"{fence}{language}", *text.split("\n"), fence]
        self._blank = True

    def push(self, first: str, rest: str, *, item: bool = False) -> None:
        """Begins a block whose lines are indented; items of a list follow each other without empty lines."""
        self.end_line()
        if item:
            self._blank = False
        self._write_blank()
        if len(self._indents) == _DEEPEST:
            self._deeper += 1
            self.exact(first)
        else:
            self._indents.append(_Indent(first, rest, is_written=first == rest))
        self._is_fresh = True

    def pop(self) -> None:
        """End the block that was begun last."""
        self.end_line()
        if self._deeper:
            self._deeper -= 1
        else:
            self._indents.pop()

    def text(self) -> str:
        """Return all lines."""
        self.end_line()
        return "\n".join(self._lines).strip("\n")

    def _write(self, line: str) -> None:
        self._write_blank()
        self._is_fresh = False
        self._lines.append(("".join(indent.take() for indent in self._indents) + line).rstrip(" "))

    def _write_blank(self) -> None:
        # A block has no empty line before its first.
        if self._blank and not self._is_fresh:
            self._lines.append("".join(indent.rest for indent in self._indents).rstrip())
        self._blank = False
