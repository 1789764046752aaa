"""What people wrote, before an agent reads it: only what they could see on the page is kept."""

import re
import unicodedata

# GitHub hides HTML comments, also one that is never closed.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Invisible although Unicode counts them as letters, marks or symbols.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
_KEPT = frozenset("\n\t")
# Variation selectors can carry any bytes; the one kept here turns a sign into its coloured form.
_SELECTORS = frozenset({*range(0xE0100, 0xE01F0), *range(0xFE00, 0xFE0F)})
_WORD = re.compile(r"[a-z0-9]+")
_SLUG_LENGTH = 40


def visible(text: str | None) -> str:
    """Removes what a reader on GitHub does not see: HTML comments, zero-width, bidi and control characters.

    Comments go everywhere, inside code too: telling code from text exactly as GitHub does is not worth a
    hole through which hidden instructions reach the agent.
    """
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    text = text.translate(_VISIBLE)
    while (shorter := _COMMENT.sub("", text)) != text:
        text = shorter
    return text.strip()


def one_line(text: str | None, longest: int) -> str:
    """The visible text on one line, shortened with an ellipsis."""
    line = " ".join(visible(text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def slug(text: str) -> str:
    """A few words of a text, fit for a branch name."""
    words = _WORD.findall(unicodedata.normalize("NFKD", text).lower())
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word[:_SLUG_LENGTH]
        if len(longer) > _SLUG_LENGTH:
            break
        name = longer
    return name or "task"


def _is_visible(character: str) -> bool:
    if character in _KEPT:
        return True
    hidden = unicodedata.category(character) in {"Cf", "Cc", "Cs", "Co"}
    return not hidden and character not in _BLANK and ord(character) not in _SELECTORS


class _Visible(dict[int, int | None]):
    """For `str.translate`: each character is looked at once in a process's life, not once in each text."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if _is_visible(chr(code)) else None
        return self[code]


_VISIBLE = _Visible()
