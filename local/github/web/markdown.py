"""Markdown as the pages show it: HTML is not passed on, but for a handful of harmless tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_COMMENT = re.compile(r"<!--.*?(-->|$)", re.DOTALL)
_HARMLESS = re.compile(r"&lt;(/?(?:details|details open|summary|sub|sup|kbd|br|br/|br /))&gt;")
_TASK = re.compile(r"<li>(?:<p>)?\[([ xX])\] ")


def _html(text: str) -> str:
    """Drop hidden comments, let harmless tags through and show everything else as text."""
    return _HARMLESS.sub(r"<\1>", str(escape(_COMMENT.sub("", text))))


class _Renderer(RendererHTML):
    """Writes raw HTML and images in ways of its own; markdown-it finds the rules by their names."""

    def html_block(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        return _html(tokens[index].content)

    def html_inline(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        return _html(tokens[index].content)

    def image(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        # Nothing is loaded from elsewhere: an image becomes a link to it.
        source, text = escape(str(tokens[index].attrGet("src"))), escape(tokens[index].content or "image")
        return f'<a href="{source}" rel="noreferrer">{text}</a>'


_PARSER = MarkdownIt("commonmark", renderer_cls=_Renderer).enable(["table", "strikethrough"])


def render(text: str | None) -> Markup:
    """Return Markdown as safe HTML."""
    html = _PARSER.render(text or "")
    boxes = _TASK.sub(
        lambda match: f'<li class="task">{"☐" if match[1] == " " else "☑"} ',
        html,
    )
    return Markup(boxes)  # noqa: S704 - every path to here has escaped what people wrote
