"""What an agent has found: read from its words, and known again."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_standin.git.hunks import find_line
from pullwright.github.reviews import ChangedFile
from pullwright.reviewing.identity import identified
from pullwright.reviewing.models import LONGEST_SUMMARY, MOST_FINDINGS, Finding, Remark
from pullwright.reviewing.places import Places
from pullwright.reviewing.texts import render_finding, render_places
from runner.review.answer import AnswerError, Asking, findings_of, read_answer
from runner.review.changes import first_added
from tests.unit import github_words
from tests.unit.github_words import Page, words

CODE = ["def f():", "    return 1", "", "def g():", "    return 1"]
FIELDS = ["findings", "summary", "resolved", "path", "line", "start_line", "side", "text", "suggestion"]
REMARK = {"path": "a.py", "line": 2, "text": "Why one?"}


def answer(*findings: dict[str, Any], **more: Any) -> str:
    """Return an agent's last words."""
    return json.dumps({"findings": findings, **more})


def ids(*remarks: dict[str, Any], code: list[str] = CODE) -> list[str]:
    """Return the ids of remarks in the order of their places."""
    return [found.id for found in identified(map(Remark.model_validate, remarks), lambda *_: code)]


@pytest.mark.parametrize(
    "text",
    [
        answer(REMARK),
        f"Here you are:\n```json\n{answer(REMARK)}\n```\nThat is all.",
        f'I looked at {{"a": 1}} first. {answer(REMARK)}',
        answer({**REMARK, "suggestion": 'x = {"findings": "```"}', "unknown": 1}),
    ],
)
def test_an_answer_is_found_wherever_it_stands(text: str) -> None:
    """Words and fences around it do not matter."""
    [remark] = read_answer(text).findings
    assert (remark.path, remark.line, remark.side, remark.severity) == ("a.py", 2, "RIGHT", "medium")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("It is all fine.", "no JSON object"),
        ('{"findings": [', "it is no JSON"),
        (answer({**REMARK, "line": 0}), "findings.0.line"),
        (answer({**REMARK, "start_line": 3}), "start_line must not be after line"),
        (answer({"path": "a.py", "line": 1}), "findings.0.text"),
        (json.dumps({"findings": "none"}), "findings"),
        ('{"' * 40_000, "it is no JSON"),
        ('{"a":' * 12_000, "it is no JSON"),
    ],
)
def test_a_wrong_answer_is_explained(text: str, problem: str) -> None:
    """The agent is told the field and what is wrong with it."""
    with pytest.raises(AnswerError, match=problem):
        read_answer(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(categories=["L", "Cs", "P"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, derandomize=True)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.text(max_size=5))
def test_whatever_an_agent_says_is_read_or_asked_for_once_more(value: dict[str, Any], before: str) -> None:
    """No answer is an error of ours, and what is kept of it can be stored."""
    words = before + json.dumps({"findings": [], **value})
    asking = Asking(in_words=False)
    first, second = asking.reply(words), asking.reply(words)
    assert second is None
    read, notice = asking.read(words)
    assert (first is None) == (notice is None)
    findings_of(read, lambda *_: CODE, session_id="s", head_commit="0" * 40).model_dump_json()


def test_words_alone_are_an_answer_where_nothing_else_is_asked_for() -> None:
    """They are cut to what can be kept, and lose what is no character."""
    asking = Asking(in_words=True)
    assert asking.reply("It is fine.") is None
    read, notice = asking.read("fine \ud800" + "x" * 100_000)
    assert (read.summary[:7], len(read.summary), notice) == ("fine ?x", LONGEST_SUMMARY, None)


def test_the_gravest_findings_are_kept() -> None:
    """Of more than can be shown, those of high severity stay, and the rest is counted."""
    many = [{**REMARK, "line": line, "severity": "low"} for line in range(1, MOST_FINDINGS + 3)]
    read = read_answer(answer(*many, {**REMARK, "line": 90, "severity": "high"}, resolved=["ab" * 8, "../x"]))
    found = findings_of(read, lambda *_: CODE, session_id="s", head_commit="0" * 40)
    assert (len(found.findings), found.left_out) == (MOST_FINDINGS, 3)
    assert found.findings[-1].line == 90
    assert found.resolved == ("ab" * 8,)


@given(st.lists(st.sampled_from(["", "import os", "# words"]), max_size=20))
def test_an_id_survives_that_lines_move(before: list[str]) -> None:
    """However many lines come before, the same line is the same finding, also in other words."""
    moved = {**REMARK, "line": 2 + len(before), "text": "Another way to say it"}
    assert ids(moved, code=before + CODE) == ids(REMARK)


@pytest.mark.parametrize(
    "other", [{"path": "b.py"}, {"side": "LEFT"}, {"line": 4}, {"start_line": 1}, {"line": 99}]
)
def test_other_places_are_other_findings(other: dict[str, Any]) -> None:
    """Another file, side or content gives another id."""
    assert ids({**REMARK, **other}) != ids(REMARK)


def test_equal_lines_are_told_apart() -> None:
    """Two remarks on lines that read the same have ids of their own."""
    first, second = ids(REMARK, {**REMARK, "line": 5})
    assert first != second
    assert ids(REMARK) == [first]


def test_the_first_added_line_is_found() -> None:
    """Context and removed lines before it count as the difference counts them; none is none."""
    diff = "--- a/a.py\n+++ b/a.py\n@@ -3,3 +4,3 @@ def f\n one\n-two\n+2\n"
    assert first_added(diff) == ("a.py", 5)
    assert first_added("--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n") is None


PATCH = """\
@@ -1,4 +1,5 @@
 a
-b
+B
+C
 c
 d
@@ -20,2 +21,2 @@ def f
-x
+y
 z
\\ No newline at end of file"""


@pytest.mark.parametrize(
    ("place", "fits"),
    [
        ({"line": 2}, {"start_line": None, "suggestion": "new"}),
        ({"line": 5}, {"start_line": None, "suggestion": "new"}),
        ({"line": 3, "start_line": 2}, {"start_line": 2, "suggestion": "new"}),
        ({"line": 3, "start_line": 3}, {"start_line": None, "suggestion": "new"}),
        ({"line": 21, "start_line": 5}, {"start_line": None, "suggestion": None}),
        ({"line": 2, "side": "LEFT"}, {"start_line": None, "suggestion": None}),
        ({"line": 20, "side": "LEFT"}, {"suggestion": None}),
        ({"line": 6}, None),
        ({"line": 23}, None),
        ({"line": 22, "side": "LEFT"}, None),
        ({"line": 1, "path": "binary.png"}, None),
        ({"line": 1, "path": "elsewhere.py"}, None),
    ],
)
def test_comments_stand_where_the_difference_shows_lines(
    place: dict[str, Any], fits: dict[str, Any] | None
) -> None:
    """Lines of context count, a range has to be of one hunk, and only the right side takes suggestions."""
    files = [ChangedFile(filename="a.py", patch=PATCH), ChangedFile(filename="binary.png")]
    finding = a_finding(**{"path": "a.py", "suggestion": "new", **place})
    found = Places(files).fitting(finding)
    assert (found is None) == (fits is None)
    if found is not None and fits is not None:
        assert {name: getattr(found, name) for name in fits} == fits


LINES = st.lists(st.sampled_from(["a", "b", "", "+", "-", "@@ -1 +1 @@", "\\"]), max_size=30)


@settings(max_examples=60, derandomize=True)
@given(LINES, LINES)
def test_no_comment_stands_where_the_stand_in_would_refuse_it(before: list[str], after: list[str]) -> None:
    """Whatever the difference, both read the same lines from it."""
    patch = "\n".join(list(unified_diff(before, after, lineterm=""))[2:])
    places = Places([ChangedFile(filename="a.py", patch=patch)])
    for side in ("LEFT", "RIGHT"):
        for line in range(1, 35):
            fits = places.fitting(a_finding(line=line, side=side)) is not None
            assert fits is (find_line(patch, side, line) is not None), (side, line)


def a_finding(**fields: Any) -> Finding:
    """Return a finding."""
    return Finding.model_validate({"id": "0" * 16, "path": "a.py", "line": 1, "text": "Why?", **fields})


@settings(max_examples=100, derandomize=True)
@given(words.filter(str.strip))
def test_nothing_in_a_finding_acts(text: str) -> None:
    """Neither words nor path have an effect, whether the finding is inline or in the session's comment."""
    finding = a_finding(text=text, path=text)
    summary = render_places(made=0, url="", known=0, resolved=0, elsewhere=[finding] * 3, left_out=0)
    for comment in (render_finding(finding), summary):
        page = Page(comment)
        assert page.active() == [], comment
        assert github_words.render(comment).count("</details>") == page.details
        assert all(line.startswith((">", "<", "*", "🟠")) for line in comment.splitlines() if line), comment


@pytest.mark.parametrize(
    ("suggestion", "is_offered"),
    [
        ("x = 1\n", True),
        ("```python\nx\n```", True),
        ("", True),
        ("a\r\nb", True),
        ("x = 1\u202e", False),
        ("/approve\nx", False),
        ("  /stop", False),
        ("// a comment\n/* another */", True),
    ],
)
def test_a_suggestion_is_what_people_see(suggestion: str, *, is_offered: bool) -> None:
    """It stands as it is, in a block that nothing in it can close, or not at all."""
    comment = render_finding(a_finding(suggestion=suggestion))
    assert ("suggestion" in comment) is is_offered
    if is_offered:
        [code] = Page(comment).texts[-1:]
        assert code.strip("\x00\n") == ""
        html = github_words.render(comment)
        assert html.count('<pre lang="suggestion">') == 1, html
