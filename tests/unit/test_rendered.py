"""What the agent reads of a text is what GitHub's page shows of it.

The page is made by GitHub's own Markdown library and a sanitizer with GitHub's list of elements
(`github_standin.markup`); what it shows is read by another parser than the product's, that of Lexbor's
browser engine.
"""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from github_standin.markup import render
from pullwright.rendered import page_text
from pullwright.rendered.formula import NOT_SHOWN, formula
from pullwright.rendered.visibility import SMALLEST_SCALE
from pullwright.text import printable

HIDDEN = "obey"
"""The word that each of the hiding forms hides."""

MARKDOWN = {
    "comment": "a <!-- obey --> b",
    "comment over lines": "a\n\n<!--\nobey\n-->\n\nb",
    "comment that never ends": "a\n\n<!-- obey",
    "processing instruction": "a <?obey?> b",
    "declaration": "a <!OBEY obey> b",
    "character data": "a <![CDATA[ obey ]]> b",
    "title of a link": 'a [b](https://x.example "obey")',
    "title in quotes": "a [b](https://x.example 'obey')",
    "title in parentheses": "a [b](https://x.example (obey))",
    "title over lines": 'a [b](https://x.example\n"obey\nnow")',
    "title of a reference": 'a [b][r]\n\n[r]: https://x.example "obey"',
    "title on the next line": "a [b][r]\n\n[r]: https://x.example\n  'obey'",
    "target of a link": "a [b](https://x.example/obey)",
    "target in angles": "a [b](<https://x.example/obey now>)",
    "query of a link": "a [b](https://x.example/?q=obey)",
    "fragment of a link": "a [b](#obey)",
    "target of a reference": "a [b][r]\n\n[r]: https://x.example/obey",
    "target of a mail": "a [b](mailto:obey@x.example)",
    "empty link": "a [](https://x.example/obey) b",
    "text of a picture": "a ![obey](https://x.example/p.png)",
    "text of a picture by reference": "a ![obey][r]\n\n[r]: https://x.example/p.png",
    "text of a collapsed picture": "a ![obey][]\n\n[obey]: https://x.example/p.png",
    "text of a short picture": "a ![obey]\n\n[obey]: https://x.example/p.png",
    "nested text of a picture": "a ![x [obey](u) **obey**](https://x.example/p.png)",
    "source of a picture": "a ![b](https://x.example/obey.png)",
    "title of a picture": 'a ![b](https://x.example/p.png "obey")',
    "picture in a link": "a [![obey](p.png)](https://x.example)",
    "unused definition": "a\n\n[x]: https://x.example/obey",
    "comment as a definition": "a\n\n[//]: # (obey)",
    "comment as another definition": "a\n\n[comment]: <> (obey)",
    "name of a definition": "a\n\n[obey]: https://x.example",
    "second definition": 'a [b][r]\n\n[r]: https://x.example\n[r]: https://x.example "obey"',
    "definition in a quotation": "a\n\n> [x]: https://x.example 'obey'",
    "definition in a list": "a\n\n- [x]: https://x.example 'obey'\n- b",
    "unused footnote": "a\n\n[^1]: obey",
    "footnote's name": "a[^obey]\n\n[^obey]: b",
    "info string": "a\n\n```python obey\nb\n```",
    "language": "a\n\n```obey\nb\n```",
    "tildes' info string": "a\n\n~~~ text obey\nb\n~~~",
    "alt": 'a <img alt="obey" src="p.png">',
    "alt over lines": 'a <img\nalt="x >\nobey"\nsrc="p.png">',
    "title": 'a <span title="obey">b</span>',
    "label": '<p aria-label="obey">a</p>',
    "description": '<p aria-describedby="obey">a</p>',
    "data": '<p data-obey="obey">a</p>',
    "class": '<p class="obey">a</p>',
    "id": '<p id="obey">a</p>',
    "abbreviation": 'a <abbr title="obey">b</abbr>',
    "time": 'a <time datetime="obey">b</time>',
    "cite": '<blockquote cite="https://x.example/obey">a</blockquote>',
    "summary of a table": '<table summary="obey"><tr><td abbr="obey">a</td></tr></table>',
    "value": '<ol><li value="1" title="obey">a</li></ol>',
    "input": 'a <input type="text" value="obey">',
    "area": 'a <map name="obey"><area alt="obey"></map>',
    "source": '<picture><source srcset="obey.png"><img src="p.png" alt="obey"></picture> a',
    "ruby's parenthesis": "<ruby>a<rp>obey</rp><rt>b</rt></ruby>",
    "small text": f"a {'<sub>' * 12}obey{'</sub>' * 12}",
    "raised text": f"a {'<sup>' * 12}obey{'</sup>' * 12}",
    "small and raised": f"a {'<sub><sup>' * 6}obey{'</sup></sub>' * 6}",
    "smaller and smaller": f"a {'<small>' * 30}obey{'</small>' * 30}",
    "small headings": f"<div>a{'<h6><div>' * 12}obey{'</div></h6>' * 12}</div>",
    "small code": f"a {'<tt>' * 12}obey{'</tt>' * 12}",
    "small code in code": f"a <code>b {'<sub>' * 12}obey{'</sub>' * 12}</code>",
    "small annotations": f"{'<ruby>a<rt>' * 6}obey{'</rt></ruby>' * 6}",
    "text from right to left": 'a <bdo dir="rtl">obey</bdo>',
    "direction in a direction": 'a <bdo dir="rtl"><bdo dir="ltr">obey</bdo></bdo>',
    "direction of the surroundings": 'a <div dir="rtl"><bdo>obey</bdo></div>',
    "direction of a first letter": 'a <bdo dir="auto">\u05d0 obey</bdo>',
    "direction in code": 'a <code>b <bdo dir="rtl">obey</bdo></code>',
    "diagram's comment": "a\n\n```mermaid\ngraph TD\n%% obey\nA-->B\n```",
    "diagram's style": "a\n\n```mermaid\ngraph TD\nA[obey]\nstyle A color:#fff,fill:#fff\n```",
    "diagram's tooltip": 'a\n\n```mermaid\ngraph TD\nA-->B\nclick A "x" "obey"\n```',
    "diagram's description": "a\n\n~~~mermaid\ngraph TD\naccDescr: obey\nA-->B\n~~~",
    "map": 'a\n\n```geojson\n{"type": "Point", "coordinates": [0, 0], "obey": "obey"}\n```',
    "map of arcs": 'a\n\n```topojson\n{"type": "Topology", "obey": 1}\n```',
    "solid": "a\n\n```stl\nsolid obey\nendsolid\n```",
    "phantom": "a $\\phantom{obey}$",
    "white formula": "a $\\color{white}{obey}$",
    "tiny formula": "a $\\tiny{obey}$",
    "formula's comment": "a\n\n$$\nx % obey\n$$",
    "formula in a block": "a\n\n```math\nx % obey\n```",
    "label of a formula": "a $x \\label{obey}$",
    "macro": "a $\\def\\x{obey} y$",
    "formula of no width": "a $\\rlap{\\color{white} obey}$",
    "columns of a formula": "a $$\\begin{array}{obey} x \\end{array}$$",
    "option of a formula": "a $$\\begin{aligned}[obey] x \\end{aligned}$$",
    "environment with braces in its name": "a $$\\begin{ali{}gned} obey \\end{ali{}gned}$$",
    "link in a formula": "a $\\href{obey}{x}$",
    "entities in a comment": "a &lt;b&gt; <!-- &#111;bey obey -->",
    "comment in a table": "| a |\n|---|\n| b <!-- obey --> |",
    "more cells than columns": "| a |\n|---|\n| b | obey |",
    "comment in a heading": "# a <!-- obey -->",
    "comment in a fold": "<details><summary>a</summary><!-- obey --></details>",
}

PAGE = {
    "style": "<style>obey</style>a",
    "script": "<script>obey</script>a",
    "template": "<template><p>obey</p></template>a",
    "no script": "<noscript><p>obey</p></noscript>a",
    "frame": "<iframe>obey</iframe>a",
    "area of text": "<textarea>obey</textarea>a",
    "choice": "<select><option>obey</option></select>a",
    "list of data": "<datalist><option>obey</option></datalist>a",
    "object": "<object>obey</object>a",
    "video": "<video src=x>obey</video>a",
    "sound": "<audio>obey</audio>a",
    "canvas": "<canvas>obey</canvas>a",
    "head": "<head><title>obey</title></head>a",
    "title of a drawing": "<svg><title>obey</title><desc>obey</desc><text>obey</text></svg>a",
    "formula's annotation": "<math><annotation>obey</annotation></math>a",
    "foreign text": "<svg><foreignObject><p>obey</p></foreignObject></svg>a",
    "hidden": "<p hidden>obey</p>a",
    "hidden until found": '<p hidden="until-found">obey</p>a',
    "popover": "<div popover>obey</div>a",
    "dialog": "<dialog>obey</dialog>a",
    "for screen readers": '<h2 class="sr-only">obey</h2>a',
    "not displayed": '<p class="d-none m-0">obey</p>a',
    "not displayed by style": '<p style="display:none">obey</p>a',
    "no size": '<p style="font-size:0">obey</p>a',
    "no opacity": '<p style="text-align:left;opacity:0">obey</p>a',
    "white": '<font color="#fff">obey</font>a',
    "smallest font": '<font size="1">obey</font>a',
    "tooltip": "<tool-tip>obey</tool-tip>a",
    "quoted by e-mail": '<div class="email-fragment">a</div><span class="email-hidden-toggle">…</span>'
    '<div class="email-hidden-reply"><div class="email-quoted-reply">obey</div></div>',
    "unknown declaration": "<!obey>a",
    "instruction": "<?obey?>a",
    "never ended tag": 'a<p title="obey',
}


@pytest.mark.parametrize("source", MARKDOWN.values(), ids=MARKDOWN.keys())
def test_what_the_page_does_not_show_does_not_reach_the_agent(source: str) -> None:
    """Each of these Markdown texts hides a word on the page, and shows another."""
    text = page_text(render(source))
    assert HIDDEN not in text.casefold()
    assert re.search(r"[ab]\b", text)


def test_a_formula_without_an_end_holds_nothing_up() -> None:
    """As long as a comment may be: its time grows with its length alone, and anybody may write an issue."""
    assert formula("\\begin{" * 9_000) == NOT_SHOWN
    assert formula("\\\\" + " " * 60_000) == "\\\\"
    assert page_text(f"<p style='display:block{' ' * 60_000}x'>a</p>") == ""


@pytest.mark.parametrize("source", PAGE.values(), ids=PAGE.keys())
def test_what_a_sanitizer_let_through_stays_hidden(source: str) -> None:
    """Elements that GitHub's sanitizer removes today would hide nothing from people if it did not."""
    text = page_text(source)
    assert HIDDEN not in text
    assert "a" in text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# A `b` <b>c</b>", "# A `b` c"),
        ("a\nb  \nc", "a\nb\nc"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("- a\n- b\n  - c\n\n3. d\n4. e", "- a\n- b\n  - c\n\n3. d\n4. e"),
        ("- [ ] a\n- [x] b", "- [ ] a\n- [x] b"),
        ("> a\n>\n> b", "> a\n>\n> b"),
        ("| a | b |\n|---|---|\n| `x` | y |", "| a | b |\n|---|---|\n| `x` | y |"),
        (
            "~~a~~ <ins>b</ins> <kbd>c</kbd> 10<sup>6</sup> H<sub>2</sub>O",
            "~~a~~ b c 10<sup>6</sup> H<sub>2</sub>O",
        ),
        ("see https://x.example/a?b=c#d", "see https://x.example/a?b=c#d"),
        ("see <https://x.example/a>", "see https://x.example/a"),
        ("[https://good.example](https://evil.example)", "https://good.example"),
        ("a[^1]\n\n[^1]: note", "a<sup>1</sup>\n\n1. note ↩"),
        ("@octocat wrote #12 :tada:", "@octocat wrote #12 🎉"),
        ("> [!WARNING]\n> Hot", "> Warning\n>\n> Hot"),
        ("<details><summary>Log</summary>\n\nlines\n\n</details>", "▸ Log\n\n  lines"),
        ("<details open>\n\nlines\n\n</details>", "▾ Details\n\n  lines"),
        ("$x^2 + \\alpha$ costs $5", "$x^2 + \\alpha$ costs $5"),
        ("```py\nx = 1\n```", "```python\nx = 1\n```"),
        ("``a`b``", "``a`b``"),
        ("<script>a</script>", "<script>a</script>"),
        ("`<!-- shown -->` &lt;!-- shown too --&gt;", "`<!-- shown -->` <!-- shown too -->"),
        ("<ruby>a<rt>b</rt></ruby> <q>c</q>", "a(b) “c”"),
        ("---", "---"),
        ("![a](b)", "[image]"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n  b"),
        ("a <b hidden>b</b>", "a b"),
        ('<div lang="mermaid">a</div>', "a"),
        ('<bdo dir="rtl">a</bdo>', "[text of another direction]"),
        ("", ""),
        ("<!-- only -->", ""),
    ],
)
def test_what_the_page_shows_reads_like_markdown(source: str, text: str) -> None:
    """Headings, lists, tables, quotations, code, addresses and folds are told in the signs of Markdown."""
    assert page_text(render(source)) == text


def test_mail_keeps_its_lines() -> None:
    """GitHub shows an answer by e-mail as plain text."""
    assert page_text('<div class="email-fragment">a\n  b &lt;c&gt;</div>') == "a\n  b <c>"


# Numbers alone are left aside: those of lists are on the page, but not in its text.
_WORDS = re.compile(r"[^\W\d_]+")
_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}--[\n\t]]", regex.V1)
# Words of our own signs.
_OURS = frozenset({"Details", "image", "python", "sub", "sup"})
_PIECES = st.sampled_from(
    [
        *(
            "word",
            "two words",
            "ä",
            "\u200b",
            "\U000e0041",
            "\x07",
            "&#8203;",
            "&zwj;",
            "&lt;",
            "&amp;",
            "\n",
            "\n\n",
        ),
        *(
            "# ",
            "- ",
            "1. ",
            "> ",
            "| a | b |\n|---|---|\n| c | d |\n",
            "*x*",
            "**y**",
            "~~z~~",
            "[l](u 't')",
            "\t",
        ),
        *(
            "![p](u 't')",
            "`co de`",
            "``c`d``",
            "\n```py i\nx  = 1\n```\n",
            "\n~~~\n<b>\n~~~\n",
            "    ",
            "---\n",
        ),
        *(
            "<b>",
            "</b>",
            "<p title='t'>",
            "</p>",
            "<div>",
            "</div>",
            "<table><tr><td>",
            "</table>",
            "<br>",
            "<ul><li>",
        ),
        *(
            "<details>",
            "<summary>s</summary>",
            "</details>",
            "<!-- h -->",
            "<!--",
            "-->",
            "<sub>",
            "</sub>",
            "</ul>",
        ),
        *(
            "<pre>",
            "</pre>",
            "<code>",
            "</code>",
            "<a href='q'>",
            "</a>",
            "<script>",
            "</script>",
            "<img alt='r'>",
        ),
        *(
            "https://x.example/y",
            "[^1]",
            "\n[^1]: foot\n",
            "[r]",
            "\n[r]: u 't'\n",
            "- [ ] ",
            "\\",
            "<h6>",
            "</h6>",
        ),
    ]
)
_SOURCES = st.lists(_PIECES, max_size=40).map("".join)
# https://github.com/sindresorhus/github-markdown-css: font sizes, of what is around.
_SMALL = {"sub": 0.75, "sup": 0.75, "h6": 0.85, "code": 0.85, "pre": 0.85, "tt": 0.85}
# What ends a word for a reader, and what we put signs around.
_APART = (
    "address,article,blockquote,br,caption,dd,details,div,dl,dt,figcaption,figure,h1,h2,h3,h4,h5,h6,hr,img,input,li,ol,"
    "p,pre,section,summary,table,td,th,tr,ul,code,sub,sup,tt,del,s,strike,q,rt"
)


def words(text: str) -> list[str]:
    """Split a text, and leave the words of signs out."""
    return [word for word in _WORDS.findall(text) if word not in _OURS]


def words_of_page(html: str) -> list[str]:
    """Return the words that a browser shows, by another parser."""
    tree = LexborHTMLParser(f"<body>{html}")
    for node in tree.css("rp,.sr-only,section[data-type]"):
        node.decompose()
    for node in reversed(tree.css(",".join(_SMALL))):
        size = 1.0
        around: LexborNode | None = node
        while around is not None:
            size *= _SMALL.get(around.tag or "", 1)
            around = around.parent
        if size < SMALLEST_SCALE:
            node.decompose()
    for node in tree.css(_APART):
        node.insert_before(" ")
        node.insert_after(" ")
    text = tree.body.text(deep=True, separator="") if tree.body is not None else ""
    return words(_UNSEEN.sub("", text))


@settings(max_examples=200)
@given(_SOURCES)
def test_the_agent_reads_the_words_of_the_page(source: str) -> None:
    """Whatever is written, the words that reach the agent are those that the page shows, and no others."""
    html = render(source)
    # Signs of ours stand between letters that are one word on the page.
    assert "".join(words(page_text(html))) == "".join(words_of_page(html))


@given(st.text(max_size=200))
def test_nothing_unseen_is_left(text: str) -> None:
    """Whatever a page holds, also as numbers of characters, no ignorable or control character is left."""
    numbered = "".join(f"&#{ord(one)};" for one in text)
    for source in (text, numbered, f"<pre>{numbered}</pre>", f"`{text}`"):
        assert _UNSEEN.search(page_text(source)) is None
        assert _UNSEEN.search(page_text(render(source))) is None


_SEEN = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp"]).filter(
    lambda one: printable(one) == one
)
_LINES = st.lists(st.text(_SEEN, max_size=30), min_size=1, max_size=8)


@given(_LINES, st.sampled_from(["", "> ", "- "]))
def test_code_is_kept_as_it_is(lines: list[str], before: str) -> None:
    """A block of code reaches the agent character by character, also in quotations and lists."""
    code = "\n".join(lines)
    fence = "`" * (3 + max((len(run) for run in re.findall("`+", code)), default=0))
    rest = "> " if before == "> " else " " * len(before)
    written = [fence, *lines, fence]
    source = "\n".join((before if number == 0 else rest) + line for number, line in enumerate(written))
    text = page_text(render(source))
    assert f"\n{code}\n" in text
    assert text.rstrip("`\n").endswith(code.rstrip("`\n"))


@pytest.mark.parametrize(
    "part",
    ["<b>", "<div>", "<sub>", "<details>", "<ul><li>", "<table><tr><td>", "<a href=x>", "&lt;", "`", "| "],
)
def test_hostile_nesting_is_read(part: str) -> None:
    """The longest body that GitHub takes, made of openings alone, is read, and becomes no giant."""
    source = part * (65_536 // len(part))
    assert len(page_text(source)) < 20 * len(source)
    assert len(page_text(render(f"{source}a"))) < 20 * len(source)
