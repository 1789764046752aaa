"""Puts other people's text into our comments so that it has no effect there.

Every character that Markdown or HTML could take for a sign is escaped, so what GitHub shows is the text and
nothing else. What GitHub looks for in the text that it shows (mentions, references, addresses) is broken, or
stands as code, where GitHub looks for nothing.
"""

import html
import re
from collections.abc import Callable

from pullwright.effects import ZERO_WIDTH, fitting, inert
from pullwright.text import one_line, printable, visible

_SIGN = re.compile(r"[\\*_\[\]|~^=#]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "&grave;", "$": f"\\${ZERO_WIDTH}"})
# Signs that begin a block where they begin a line.
_BLOCK_SIGN = re.compile(r"^(\d{0,9})([-+]|(?<=\d)[.)])")
_CODE = re.compile(r"(?<!`)(`{1,8})(?!`)(.{1,2000}?)(?<!`)\1(?!`)")
_WRITTEN_ESCAPE = re.compile(
    r"\\([!-/:-@\[-`{-~])|&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE
)
_VERBATIM = re.compile(
    r"""
    (?:\b[a-z][a-z0-9+.-]{0,30}://|\bwww\.) [^\s`<>|]* [^\s`<>|.,;:!?()"'*_\]]   # addresses
    | (?<![^\s`<>|]) [^\s`<>|$]* \$ [^\s`<>|]*                              # mathematics, for GitHub
    | (?<![0-9a-z_]) (?=[a-f]{0,39}[0-9]) [0-9a-f]{7,40} (?![0-9a-z_])      # hashes of commits
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CALL = re.compile(r"@(?=[\w-]+(?![\w-]|[/.]\w))")
_APART = re.compile(r"[\s.,;:!?()/]")
_LONGEST_CODE = 300
_GROWTH = 3

Protect = Callable[[str], str]


def unprotected(code: str) -> str:
    """Return the text as it is: GitHub acts upon nothing inside code."""
    return code


def inline(text: str, longest: int = 200) -> str:
    """Return a text as plain words on one line; only code in it stays code.

    Args:
        text: escapes and entities in it mean what they mean in Markdown.
        longest: so many characters are kept; the result has three times as many at most.
    """
    return fitting(lambda part: plain(one_line(part, longest)), text, _GROWTH * longest)


def sentence(text: str, longest: int = 1_000) -> str:
    """Return a sentence of ours that may quote others."""
    return inline(text, longest)


def plain(line: str, protect: Protect = unprotected) -> str:
    """Return one line of Markdown as the words that it shows; only code keeps its formatting."""
    pieces: list[str] = []
    at = 0
    for match in _CODE.finditer(line):
        pieces += (words(line[at : match.start()], protect), code_span(protect(match[2])))
        at = match.end()
    return line_start(side_by_side(*pieces, words(line[at:], protect)))


def words(text: str, protect: Protect = unprotected) -> str:
    """Return a text so that nothing in it is code or formatting."""
    text = re.sub(r"\s+", " ", _WRITTEN_ESCAPE.sub(_decoded, text))
    pieces: list[str] = []
    at = 0
    for match in _VERBATIM.finditer(text):
        pieces += (_escaped(text[at : match.start()]), code_span(protect(match[0])))
        at = match.end()
    return side_by_side(*pieces, _escaped(text[at:]))


def side_by_side(*pieces: str) -> str:
    """Join pieces of a line, apart where code would touch a word or other code."""
    line = ""
    for piece in pieces:
        meeting = line[-1:] + piece[:1]
        if meeting == "``":
            line += " "
        elif "`" in meeting and len(meeting) > 1 and not _APART.search(meeting):
            line += ZERO_WIDTH
        line += piece
    return line


def line_start(line: str) -> str:
    """Return a line that begins no block, and has no space around it."""
    return _BLOCK_SIGN.sub(r"\1\\\2", line.strip())


def code_span(text: str) -> str:
    """Return a text as inline code, whatever backticks it has.

    Tools that read the source, and not the page, would take `@name` there for a call of theirs; packages and
    decorators, `@scope/name` and `@module.name`, stay whole.
    """
    text = _CALL.sub(f"@{ZERO_WIDTH}", text.strip())
    if not text:
        return ""
    fence = _fence(text, 1)
    space = " " if "`" in (text[0], text[-1]) else ""
    return f"{fence}{space}{text}{space}{fence}"


def code(text: str) -> str:
    """Return a name as inline code."""
    return code_span(one_line(text, _LONGEST_CODE))


def in_html(text: str, longest: int = 200) -> str:
    """Return a text as code for the inside of an HTML element, where Markdown's escapes are none."""
    return f"<code>{inert(html.escape(one_line(text, longest), quote=False))}</code>"


def block(text: str, longest: int) -> str:
    """Return the end of a text as a code block that nothing in it can close.

    It stands in a quotation, so that no line of the comment's source begins with a command.
    """
    return fitting(lambda part: quotation(fenced(part)), visible(text), longest, keeps_end=True)


def verbatim(text: str, longest: int) -> str:
    """Return the end of plain text as `block` does, with all that it has of HTML."""
    return fitting(lambda part: quotation(fenced(part)), printable(text), longest, keeps_end=True)


def fenced(text: str, language: str = "text") -> list[str]:
    """Return the lines of a code block."""
    fence = _fence(text, 3)
    return [fence + language, *text.split("\n"), fence]


def quotation(lines: list[str]) -> str:
    """Return lines as a quotation.

    It ends every block inside it, so that nothing left open can reach what follows
    (https://spec.commonmark.org/0.31.2/#container-blocks-and-leaf-blocks).
    """
    return "\n".join(f"> {line}".rstrip() for line in lines)


def table(*rows: dict[str, str]) -> str:
    """Return a table whose rows have the same cells, by their heading."""
    lines = (list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def details(title: str, content: str, *, is_open: bool = False) -> str:
    """Return a part that folds; the empty lines let GitHub read its content as Markdown.

    Args:
        title: HTML.
        content: Markdown.
    """
    return f"<details{' open' if is_open else ''}>\n<summary>{title}</summary>\n\n{content}\n\n</details>"


def _decoded(match: re.Match[str]) -> str:
    decoded = match[1] or html.unescape(match[0])
    return " " if decoded.isspace() else visible(f".{decoded}.")[1:-1]


def _escaped(text: str) -> str:
    return _SIGN.sub(r"\\\g<0>", inert(text)).translate(_ENTITIES)


def _fence(text: str, shortest: int) -> str:
    return "`" * max(shortest, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
