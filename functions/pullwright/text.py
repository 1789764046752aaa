"""Removes from texts what no reader sees."""

import re
import unicodedata

# GitHub hides HTML comments, also one that is never closed.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Characters without a shape of their own: Default_Ignorable_Code_Point, first and last of each range.
# https://www.unicode.org/Public/17.0.0/ucd/DerivedCoreProperties.txt
_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
# Drawn as nothing although Unicode counts them as letters, marks or symbols.
_BLANK = frozenset("\u2800\U00013441\U00013442\U00016fe4\U0001d159")
_KEPT = frozenset("\n\t")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
# Control sequences of terminals: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-Z\\^-~])")
_WORD = re.compile(r"[a-z0-9]+")
_SLUG_LENGTH = 40


def printable(text: str | None) -> str:
    """Remove invisible characters: ignorable, format and control ones.

    Line ends of every kind become line feeds.
    """
    return _LINE_ENDS.sub("\n", text or "").translate(_PRINTABLE)


def unstyled(text: str) -> str:
    """Remove what a terminal acts upon: colours, movements of its cursor, titles."""
    return _CONTROL.sub("", text)


def visible(text: str | None) -> str:
    """Remove what a reader of Markdown does not see: HTML comments and invisible characters.

    Comments go everywhere, inside code too: telling code from text exactly as GitHub does is not worth a
    hole through which hidden instructions reach the agent. What people wrote on GitHub is not read through
    this, but as GitHub renders it: see `pullwright.rendered`.
    """
    text = printable(text)
    while (shorter := _COMMENT.sub("", text)) != text:
        text = shorter
    return text.strip()


def one_line(text: str | None, longest: int) -> str:
    """Return the visible text of Markdown on one line, shortened with an ellipsis."""
    return plain_line(visible(text), longest)


def plain_line(text: str | None, longest: int) -> str:
    """Return the printable characters of plain text on one line, shortened with an ellipsis."""
    line = " ".join(printable(text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def slug(text: str) -> str:
    """Return a few words of a text, fit for a branch name."""
    words = _WORD.findall(unicodedata.normalize("NFKD", text).lower())
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word[:_SLUG_LENGTH]
        if len(longer) > _SLUG_LENGTH:
            break
        name = longer
    return name or "task"


def _is_printable(character: str) -> bool:
    if character in _KEPT:
        return True
    code = ord(character)
    if character in _BLANK or any(first <= code <= last for first, last in _IGNORABLE):
        return False
    # Control, format, surrogate and private characters. What is not assigned is drawn as a box.
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}


class _Printable(dict[int, int | None]):
    """A table for `str.translate`, which looks at each character once in a process's life."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if _is_printable(chr(code)) else None
        return self[code]


_PRINTABLE = _Printable()
