"""What an agent has found: read from its words, and known again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.reviewing.identity import identified
from pullwright.reviewing.models import MOST_FINDINGS, Remark
from runner.review.answer import AnswerError, findings_of, read_answer
from runner.review.changes import first_added

CODE = ["def f():", "    return 1", "", "def g():", "    return 1"]
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
