"""Puts other people's text into our comments so that it can do nothing but be read.

It cannot forge our hidden markers, notify people, link issues, load pictures, or swallow what follows it.
"""

import re

from pullwright.text import one_line, visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()!|~])")
_ZERO_WIDTH = "\u200b"
# What GitHub would act upon, each broken by an invisible character after its beginning. It looks for mentions
# and numbers in what is rendered: `&#64;` is an `@` by then.
_ACTIVE = re.compile(
    r"@(?=[\w/])|#(?=\d)|\bGH(?=-\d)|<(?=[A-Za-z/!?])|!(?=\[)|&(?=#|(?:commat|num);)", re.IGNORECASE
)
_CUT = "\n\n… (shortened)"


def inert(text: str) -> str:
    """Takes the effect out of mentions, issue numbers, HTML and pictures; formatting stays."""
    return _ACTIVE.sub(lambda match: match[0] + _ZERO_WIDTH, text)


def inline(text: str, longest: int = 200) -> str:
    """A text as plain words on one line, without any formatting of its own."""
    return inert(_SPECIAL.sub(r"\\\1", one_line(text, longest)))


def sentence(text: str, longest: int = 1_000) -> str:
    """A sentence of ours that may quote others; addresses in it stay links."""
    return inert(one_line(text, longest))


def quote(text: str, longest: int) -> str:
    """Somebody's Markdown, shortened, as a quotation.

    A quotation ends every block inside it, so that a code fence or a list left open cannot reach what
    follows (https://spec.commonmark.org/0.31.2/#container-blocks-and-leaf-blocks).
    """
    text = inert(visible(text))
    if len(text) > longest:
        text = text[: longest - len(_CUT)].rstrip() + _CUT
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text else ""


def code(text: str) -> str:
    """A name as inline code."""
    return f"`{one_line(text, 300).replace('`', '')}`"


def block(text: str, longest: int) -> str:
    """The end of a text as a code block that nothing in it can close."""
    text = visible(text)
    text = text if len(text) <= longest else "…" + text[-longest:]
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def table(*rows: dict[str, str]) -> str:
    """A table whose rows have the same cells, by their heading."""
    lines = (list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def details(title: str, content: str, *, is_open: bool = False) -> str:
    """A part that folds; the empty lines make GitHub read its content as Markdown."""
    return f"<details{' open' if is_open else ''}>\n<summary>{title}</summary>\n\n{content}\n\n</details>"
