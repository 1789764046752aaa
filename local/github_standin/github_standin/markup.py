"""Markdown as GitHub renders it: its own C library, its list of allowed elements, then its additions.

https://github.com/github/markup#github-markup tells the order;
https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/sanitization_filter.rb has the list.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import cmarkgfm
import nh3
from cmarkgfm.cmark import Options

if TYPE_CHECKING:
    from collections.abc import Callable

_EXTENSIONS = ["autolink", "strikethrough", "table", "tagfilter", "tasklist"]
_OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_GITHUB_PRE_LANG
_ELEMENTS = """
a abbr b bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3
h4 h5 h6 hr i img ins kbd li mark ol p picture pre q rp rt ruby s samp small source span strike strong
sub summary sup table tbody td tfoot th thead time tr tt ul var video wbr
"""
_ATTRIBUTES = """
abbr accept accept-charset accesskey action align alt aria-describedby aria-hidden aria-label
aria-labelledby axis border cellpadding cellspacing char charoff charset checked clear color cols colspan
compact coords datetime dir disabled enctype for frame headers height hreflang hspace id ismap itemprop
label lang maxlength media method multiple name nohref noshade nowrap open progress prompt readonly rev
role rows rowspan rules scope selected shape size span start summary tabindex title type usemap valign
value width
"""
_CLEANER = nh3.Cleaner(
    # The last two are what the library itself makes of footnotes and task lists.
    tags={*_ELEMENTS.split(), "section", "input"},
    attributes={
        "*": set(_ATTRIBUTES.split()),
        "a": {"href", "data-footnote-ref", "data-footnote-backref"},
        "section": {"data-footnotes"},
        **{name: {"cite"} for name in ("blockquote", "del", "ins", "q")},
        "div": {"itemscope", "itemtype"},
        "img": {"longdesc", "src"},
        "source": {"srcset"},
    },
    clean_content_tags={"script", "style"},
    url_schemes={"http", "https", "mailto", "irc", "ircs", "xmpp", "git", "ssh"},
    link_rel="nofollow",
)
_TOKEN = re.compile(r"""<(/?)([a-z0-9-]+)(?:[^>"]|"[^"]*")*>|[^<]+""")
_BARE = frozenset({"a", "code", "math-renderer", "pre", "tt"})
_PRE = re.compile(r'<pre lang="([^"]*)"><code>(.*?)</code></pre>', re.DOTALL)
_DRAWN = frozenset({"geojson", "mermaid", "stl", "topojson"})
_SCOPES = {
    **{
        name: f"source-{name}"
        for name in ("css", "diff", "go", "java", "js", "json", "python", "rust", "ts", "yaml")
    },
    **dict.fromkeys(("bash", "sh", "shell"), "source-shell"),
    "html": "text-html-basic",
    "javascript": "source-js",
    "py": "source-python",
    "typescript": "source-ts",
}
_ALERT = re.compile(
    r"<blockquote>\n<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:<br>)?\n(.*?)</blockquote>", re.DOTALL
)
_FOOTNOTES = re.compile(r"<section data-footnotes(?:=\"\")?>\n")
_FOOTNOTES_BEGIN = '<section data-footnotes="" class="footnotes"><h2 class="sr-only">Footnotes</h2>\n'
_MATH = re.compile(r"\$\$[^$]+\$\$|(?<![\w$\\])\$(?![\s$])[^$\n]*[^\s$\\]\$(?![\w$])")
_DISPLAY = re.compile(r"(?<=<p>)\$\$(?:(?!</?p>)[^$])+\$\$(?=</p>)")
_MENTION = re.compile(r"(?<![\w/`])@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))")
_NUMBER = re.compile(r"(?<![\w/&`])#([0-9]+)\b")
_EMOJI = {"+1": "👍", "rocket": "🚀", "smile": "😄", "tada": "🎉", "warning": "⚠️"}
_EMOJI_NAME = re.compile(r":([a-z0-9_+-]+):")


def render(text: str | None, *, breaks: bool = True) -> str:
    """Return what GitHub makes of a text.

    Args:
        text: Markdown.
        breaks: whether a line's end in a paragraph is one on the page, as in issues and comments.
    """
    options = _OPTIONS | (Options.CMARK_OPT_HARDBREAKS if breaks else 0)
    made = cmarkgfm.markdown_to_html_with_extensions(text or "", options, _EXTENSIONS)
    clean = _CLEANER.clean(made)
    clean = _FOOTNOTES.sub(_FOOTNOTES_BEGIN, clean)
    clean = _ALERT.sub(_alert, clean)
    clean = _DISPLAY.sub(lambda match: _formula(match[0].replace("<br>", "")), _PRE.sub(_code, clean))
    return _outside_code(
        clean, lambda words: _MATH.sub(lambda match: _formula(match[0]), _link(words))
    ).strip()


def plain(rendered: str) -> str:
    """Return `body_text`: the rendered text without its elements."""
    return html.unescape(nh3.clean(rendered, tags=set())).strip()


def _outside_code(rendered: str, change: Callable[[str], str]) -> str:
    parts, depth = [], 0
    for token in _TOKEN.finditer(rendered):
        if token[2] in _BARE:
            depth += -1 if token[1] else 1
        parts.append(change(token[0]) if token[2] is None and depth <= 0 else token[0])
    return "".join(parts)


def _link(words: str) -> str:
    words = _MENTION.sub(r'<a class="user-mention notranslate" href="/\1">@\1</a>', words)
    words = _NUMBER.sub(r'<a class="issue-link js-issue-link" href="../issues/\1">#\1</a>', words)
    return _EMOJI_NAME.sub(_emoji, words)


def _emoji(match: re.Match[str]) -> str:
    sign = _EMOJI.get(match[1])
    return match[0] if sign is None else f'<g-emoji class="g-emoji" alias="{match[1]}">{sign}</g-emoji>'


def _formula(source: str) -> str:
    kind, display = ("display", "block") if source.startswith("$$") else ("inline", "inline-block")
    return f'<math-renderer class="js-{kind}-math" style="display: {display}">{source}</math-renderer>'


def _code(match: re.Match[str]) -> str:
    language = html.unescape(match[1]).lower()
    if language in _DRAWN:
        source = html.escape(html.unescape(match[2]))
        return (
            f'<section class="js-render-needs-enrichment render-needs-enrichment" data-type="{language}" '
            f'aria-label="{language} rendered output container"><div class="js-render-enrichment-target" '
            f'data-plain="{source}"><div class="render-plaintext-hidden" dir="auto">'
            f'<pre lang="{language}" aria-label="Raw {language} code">{match[2]}</pre></div></div></section>'
        )
    if language == "math":
        return f'<pre lang="math"><math-renderer class="js-display-math">$${match[2]}$$</math-renderer></pre>'
    if (scope := _SCOPES.get(language)) is not None:
        return f'<div class="highlight highlight-{scope}" dir="auto"><pre>{match[2]}</pre></div>'
    return match[0]


def _alert(match: re.Match[str]) -> str:
    kind = match[1].lower()
    title = f'<p class="markdown-alert-title" dir="auto"><svg><path d="M0"></path></svg>{kind.title()}</p>'
    return f'<div class="markdown-alert markdown-alert-{kind}" dir="auto">{title}<p>{match[2]}</div>'
