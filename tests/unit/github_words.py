"""What GitHub and release tools make of a text: written from their documentation, not from our code.

Markdown is rendered by cmark-gfm, GitHub's own renderer. What GitHub adds to it afterwards is told in its
documentation: mentions and references
(https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls),
alerts, mathematics and footnotes
(https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax).
The patterns here are wider than GitHub's: they do not ask whether an account or a number exists.
"""

from __future__ import annotations

import html.entities
import re
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from hypothesis import strategies as st

_OPTIONS = Options.CMARK_OPT_HARDBREAKS | Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
# What our comments consist of. A link, a picture or a form is none of it.
_ELEMENTS = {
    *(
        "p",
        "br",
        "hr",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "ol",
        "ul",
        "li",
        "input",
        "strong",
        "em",
        "del",
    ),
    *("code", "pre", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "sub"),
}
_ATTRIBUTES = {"lang", "open", "start", "type", "disabled", "checked"}
_BLOCKS = {"p", "br", "li", "blockquote", "h3", "h4", "h5", "h6", "td", "th", "tr", "summary", "pre", "hr"}
_DRAWN = {"mermaid", "math", "geojson", "topojson", "stl", "suggestion"}

# https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_KEYWORD = r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+"
ACTIVE = {
    "mention": re.compile(r"@[\w-]", re.IGNORECASE),
    "reference": re.compile(r"#\d|(?<![^\W_])GH-\d", re.IGNORECASE),
    "closing keyword": re.compile(_KEYWORD + r"(?:\S*#\d|GH-\d|\S*://)", re.IGNORECASE),
    "commit": re.compile(r"\b[0-9a-f]{7,40}\b", re.IGNORECASE),
    "address": re.compile(r"\w://|\bwww\.\w", re.IGNORECASE),
    "command": re.compile(r"^\s*/[a-z]", re.IGNORECASE | re.MULTILINE),
    "alert": re.compile(r"^\s*\[![a-z]+\]", re.IGNORECASE | re.MULTILINE),
    "mathematics": re.compile(r"\$[^\s$](?:[^$]*[^\s$])?\$|\$\$"),
}
# https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs and, for other systems,
# their own documentation (Azure Pipelines, AppVeyor, Travis, Netlify, Vercel, Cloudflare Pages, Amplify).
SKIPPING = re.compile(
    r"\[(?:skip[ -]ci|ci[ -]skip|no[ -]ci|skip actions|actions skip|skip-cd|cf-pages-skip"
    r"|skip (?:appveyor|travis|netlify|vercel|azurepipelines|azp)|(?:travis|vercel|azp) skip)\]"
    r"|\*\*\*NO_CI\*\*\*|^(?:skip|request)-checks\s*:",
    re.IGNORECASE | re.MULTILINE,
)
# GitVersion, github-tag-action, release-please's overrides, git's own prefixes.
RELEASING = re.compile(
    r"\+semver\s*:|#(?:major|minor|patch)\b|BREAKING[ -]CHANGE|release-as\b"
    r"|(?:BEGIN|END)_(?:COMMIT_OVERRIDE|NESTED_COMMIT)|^(?:fixup|squash|amend)!|^[\w ]+(?:\([^)]*\))?!:",
    re.IGNORECASE | re.MULTILINE,
)


def render(markdown: str) -> str:
    """Return the HTML that GitHub's renderer makes of a comment."""
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, _OPTIONS))


class Page(HTMLParser):
    """What a rendered comment consists of.

    Attributes:
        texts: the texts outside of code, one for each block.
    """

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.details = 0
        self.texts = [""]
        self.comments: list[str] = []
        self._code = 0
        self.feed(render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what acts."""
        self.details += tag == "details"
        if tag not in _ELEMENTS or {name for name, _ in attrs} - _ATTRIBUTES or ("lang", "math") in attrs:
            self.problems.append(self.get_starttag_text() or tag)
        self.problems += [f"{tag} {value}" for name, value in attrs if name == "lang" and value in _DRAWN]
        if tag in {"code", "pre"}:
            self._code += 1
        if tag in _BLOCKS:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        """End code and blocks."""
        if tag in {"code", "pre"}:
            self._code -= 1
        if tag in _BLOCKS:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        """Collect what stands outside of code."""
        # Code is no part of a word: nothing is found across it.
        self.texts[-1] += "\x00" if self._code else data

    def handle_comment(self, data: str) -> None:
        """Collect the markers."""
        self.comments.append(data.strip())

    def active(self) -> list[str]:
        """Everything that would do something."""
        found = [
            f"{name}: {text!r}"
            for text in self.texts
            for name, pattern in ACTIVE.items()
            if pattern.search(text)
        ]
        return self.problems + found


_FORMS = [
    *r"""@octocat
@octo/team
#1
octo/r#2
GH-3
gh-4
octo@a5c3785ed8d6a35868bc169f07e40e889087fd2e
https://github.com/octo/r/issues/5
http://github.com/o/r/pull/6#issuecomment-7
www.example.com
https://github.com/o/r/commit/a5c3785
https://github.com/o/r/discussions/8
a@example.com
Fixes #1
closes: GH-2
resolves https://github.com/o/r/issues/3
a5c3785
mailto:a@b.example
<img src=//e.example/x>
![x](https://e.example/x)
[text](https://e.example)
<b>
<!--
-->
</details>
</blockquote>
<details>
<script>
<style>
<a href='//e.example'>
<pre>
&lt;b&gt;
/approve
/stop
- [ ] x
- [x] /lgtm
> [!NOTE]
[!WARNING]
[^1]
[^1]: note
[x]: //e.example
$x$
$$
$`x`$
```mermaid
```math
```
~~~~
`
``
**
*
_
__
~~
|
|-|
[skip ci]
[[skip ci]]
[ci skip]
[no ci]
[skip actions]
***NO_CI***
skip-checks: true
BREAKING CHANGE: x
BREAKING-CHANGE:: x
BREAKING CHANGE x
Release-As: 9.9.9
feat!: x
fixup! x
Signed-off-by:: a <a@b.example>
Co-authored-by: a <a@b.example>
Change-Id: I1
Reviewed-by : x
---
===
&
;
!
(
)
<https://e.example>
<a@e.example>
GH\-6
@&fjlig;ord
&commat;octocat
&#35;1
&#x40;octocat
BEGIN_COMMIT_OVERRIDE
+semver: major
#major
bors r+
@dependabot merge
+semver:breaking""".splitlines(),
    *("# ", "1. ", "- ", "+ ", "    ", "\t", "\n", "\n\n", "\\", "\u200b", "\xa0"),
]
_NAMED = [f"&{name}" for name in html.entities.html5 if name.endswith(";")]


@st.composite
def _disguised(draw: st.DrawFn) -> str:
    """Return a form with some of its characters written as entities or escapes, or split by others."""
    form = draw(st.sampled_from(_FORMS))
    made = []
    for character in form:
        kind = draw(st.integers(0, 19))
        decimal, hexadecimal = f"&#{ord(character)};", f"&#X{ord(character):x};"
        forms = (decimal, hexadecimal, f"\\{character}", f"{character}\u200b", f"`{character}")
        made.append(forms[kind] if kind < len(forms) else character)
    return "".join(made)


words = st.lists(
    st.one_of(
        st.sampled_from(_FORMS),
        _disguised(),
        st.sampled_from(_NAMED),
        st.sampled_from([" ", "\n", "x", "1", "a5"]),
        st.text(max_size=4),
    ),
    max_size=8,
).map("".join)
