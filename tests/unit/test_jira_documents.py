"""What the agent reads of a text in Jira is what people see of it; what we write there is well-formed.

Oracle: Atlassian's own schema of its document format, see `tests.jira_truth`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.errors import FailureClass
from pullwright.jira.adf import HIDDEN, document_text
from pullwright.jira.colours import is_readable
from pullwright.jira.texts import ended, refused, started
from pullwright.models import Failure, Outcome
from pullwright.results import AgentResult, CheckResult, Verdict
from tests.jira_truth.documents import VALIDATOR, documents, kinds, nodes, words


def doc(*content: dict[str, Any]) -> dict[str, Any]:
    """Return a document."""
    return {"type": "doc", "version": 1, "content": list(content)}


def text(value: str, *marks: dict[str, Any]) -> dict[str, Any]:
    """Return a text."""
    return {"type": "text", "text": value, **({"marks": list(marks)} if marks else {})}


def node(kind: str, *content: dict[str, Any], **attrs: Any) -> dict[str, Any]:
    """Return a node."""
    made: dict[str, Any] = {"type": kind}
    return made | ({"attrs": attrs} if attrs else {}) | ({"content": list(content)} if content else {})


def paragraph(*content: dict[str, Any]) -> dict[str, Any]:
    """Return a paragraph."""
    return node("paragraph", *content)


def expect_words(made: dict[str, Any]) -> None:
    """Look for each word of a node, in its order, or for the sign that it cannot be seen."""
    read, at = document_text(made), 0
    for word, _ in words(made):
        here = read.find(f"w{word}x", at)
        if here < 0:
            here = read.find(HIDDEN, at)
            assert here >= 0, (word, read)
            at = here + len(HIDDEN)
        else:
            at = here


@settings(max_examples=60)
@given(documents())
def test_no_text_of_a_document_is_lost(made: dict[str, Any]) -> None:
    """Whatever Atlassian's schema allows, each text is read, in its order."""
    assert VALIDATOR.is_valid(made), list(VALIDATOR.iter_errors(made))[:2]
    expect_words(made)


@settings(max_examples=3)
@given(st.data())
def test_each_kind_of_node_is_read(data: st.DataObject) -> None:
    """No kind of node that the schema knows makes reading fail or loses a text."""
    for kind in kinds():
        expect_words(doc(data.draw(nodes(kind))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("type", "text", "attrs", "content", "marks", "level", "order", "state", "timestamp")
            ),
            inner | st.sampled_from(kinds()).map(lambda name: name.removesuffix("_node")),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=100)
@given(JSON)
def test_whatever_comes_is_read(made: Any) -> None:
    """A document that no schema allows is read too."""
    document_text(doc({"type": "doc", "content": made}))
    document_text(made)


def test_a_document_nested_thousands_deep_is_read() -> None:
    """Depth is no way to make it fail."""
    made = paragraph(text("inside"))
    for _ in range(20_000):
        made = node("blockquote", made)
    assert document_text(doc(made)).endswith("inside")


READ = {
    "paragraphs": (doc(paragraph(text("a")), paragraph(text("b"))), "a\n\nb"),
    "line break": (doc(paragraph(text("a"), node("hardBreak"), text("b"))), "a\nb"),
    "heading": (doc(node("heading", text("a"), level=3), paragraph(text("b"))), "### a\n\nb"),
    "list": (
        doc(
            node(
                "bulletList",
                node(
                    "listItem",
                    paragraph(text("a")),
                    node("orderedList", node("listItem", paragraph(text("b"))), order=3),
                ),
                node("listItem", paragraph(text("c"))),
            )
        ),
        "- a\n  3. b\n- c",
    ),
    "tasks": (
        doc(
            node(
                "taskList",
                node("taskItem", text("a"), localId="1", state="DONE"),
                node("taskItem", text("b"), localId="2", state="TODO"),
                localId="0",
            )
        ),
        "[x] a\n[ ] b",
    ),
    "table": (
        doc(
            node(
                "table",
                node(
                    "tableRow",
                    node("tableHeader", paragraph(text("a"))),
                    node("tableHeader", paragraph(text("b"))),
                ),
                node(
                    "tableRow",
                    node("tableCell", paragraph(text("1"))),
                    node("tableCell", paragraph(text("2")), paragraph(text("3"))),
                ),
            )
        ),
        "| a | b |\n|---|---|\n| 1 | 2 3 |",
    ),
    "panel": (doc(node("panel", paragraph(text("a")), panelType="info")), "> a"),
    "code": (doc(node("codeBlock", text("a\n  ```"), language="python")), "````python\na\n  ```\n````"),
    "code in a line": (doc(paragraph(text("a"), text("b`c", {"type": "code"}))), "a``b`c``"),
    "folded": (doc(node("expand", paragraph(text("a")), title="More")), "▸ More\n\n  a"),
    "mention": (
        doc(
            paragraph(node("mention", id="1", text="@Mia"), text(" and "), node("mention", id="2", text="Ed"))
        ),
        "@Mia and @Ed",
    ),
    "date": (doc(paragraph(node("date", timestamp="1700000000000"))), "2023-11-14"),
    "status and emoji": (
        doc(paragraph(node("status", text="OPEN", color="red"), node("emoji", shortName=":x:", text="❌"))),
        "OPEN❌",
    ),
    "media": (
        doc(
            node(
                "mediaSingle",
                node("media", type="file", id="1", collection="c", alt="obey"),
                node("caption", text("a")),
                layout="center",
            )
        ),
        "[image]\n\na",
    ),
    "card": (doc(paragraph(node("inlineCard", url="https://x.example/y"))), "https://x.example/y"),
    "link": (doc(paragraph(text("a", {"type": "link", "attrs": {"href": "https://x.example/obey"}}))), "a"),
    "kind to come": (
        doc(node("hologram", paragraph(text("a")), depth=3), {"type": "spell", "text": "b"}),
        "a\n\nb",
    ),
    "extension": (doc(node("extension", extensionType="t", extensionKey="k", text="chart")), "chart"),
    "plain text of the older interface": ("a\r\nb\u200b", "a\nb"),
    "nothing": (None, ""),
}


@pytest.mark.parametrize("name", READ)
def test_a_document_reads_like_markdown(name: str) -> None:
    """Structure stays, as far as Markdown has signs for it."""
    made, expected = READ[name]
    assert document_text(made) == expected


HIDDEN_FORMS = {
    "invisible characters": (text("a\u200b\U000e006f\u202eb"), "ab"),
    "white on white": (text("obey", {"type": "textColor", "attrs": {"color": "#FFFFFF"}}), HIDDEN),
    "nearly white": (text("obey", {"type": "textColor", "attrs": {"color": "#f9f9f9"}}), HIDDEN),
    "colour of its own ground": (
        text(
            "obey",
            {"type": "textColor", "attrs": {"color": "#202020"}},
            {"type": "backgroundColor", "attrs": {"color": "#202021"}},
        ),
        HIDDEN,
    ),
    "white on a colour": (
        text(
            "seen",
            {"type": "textColor", "attrs": {"color": "#ffffff"}},
            {"type": "backgroundColor", "attrs": {"color": "#4c9aff"}},
        ),
        "seen",
    ),
    "placeholder": (node("placeholder", text="obey"), ""),
}


@pytest.mark.parametrize("name", HIDDEN_FORMS)
def test_what_nobody_sees_is_not_read(name: str) -> None:
    """What hides on the page is left out, and said to be there where letters were."""
    made, expected = HIDDEN_FORMS[name]
    assert document_text(doc(paragraph(made))) == expected


def test_white_text_in_a_dark_cell_is_seen() -> None:
    """A cell's colour is what its text stands on, and ends with it."""
    white = text("a", {"type": "textColor", "attrs": {"color": "#ffffff"}})
    cells = node("tableCell", paragraph(white), background="#0747a6"), node("tableCell", paragraph(white))
    assert document_text(doc(node("table", node("tableRow", *cells)))) == f"| a | {HIDDEN} |"


@given(st.sampled_from(("#fff0b3", "#eae6ff", "#97a0af", "#000000", "var(--ds-text)", "red", "")))
def test_colours_of_the_editor_are_read(colour: str) -> None:
    """Text in a colour that Atlassian's editor offers is no hidden text."""
    assert is_readable(colour, "")


NOW = datetime(2026, 11, 1, tzinfo=UTC)
URL = "https://github.example/octo/widgets/pull/3"
WORDS = st.text(max_size=50)


def result(cost: float, *, is_red: bool = False) -> AgentResult:
    """Return what a runner leaves."""
    check = CheckResult(name="tests", command="make test", status="failed" if is_red else "passed")
    return AgentResult(
        session_id="s",
        task_arn="t",
        outcome=Outcome.CHANGED,
        cost_usd=cost,
        turns=7,
        exit_code=0,
        checks=(check,),
        started_at=NOW,
        ended_at=NOW + timedelta(minutes=2),
    )


@given(
    st.sampled_from(Outcome),
    WORDS,
    WORDS,
    st.none() | st.builds(result, st.floats(0, 99), is_red=st.booleans()),
)
def test_what_we_write_is_well_formed(
    outcome: Outcome, sentence: str, remedy: str, left: AgentResult | None
) -> None:
    """Each comment is a document by Atlassian's schema, whatever words it is made of."""
    verdict = Verdict(status="SUCCEEDED", outcome=outcome, sentence=sentence, remedy=remedy, ttl=1)
    failure = Failure(error="E", failure_class=FailureClass.USER, sentence=sentence, remedy=remedy)
    for made in (started(URL), refused(failure), ended(verdict, left, URL)):
        assert not list(VALIDATOR.iter_errors(made)), made


def test_the_outcome_says_cost_and_pull_request() -> None:
    """Who asked in Jira reads there what came of it, what it cost, and where the work is."""
    verdict = Verdict(status="SUCCEEDED", outcome=Outcome.CHANGED, sentence="Ready.", ttl=1)
    assert document_text(ended(verdict, result(0.42), URL)) == (
        f"✅ Done: ready for review. {URL}\n\nCost: $0.42 · Turns: 7 · Time: 2 min 0 s"
    )
    failed = Verdict(
        status="FAILED",
        outcome=Outcome.FAILED,
        failure_class="limit",
        sentence="Too long.",
        remedy="Split it.",
        ttl=1,
    )
    assert document_text(ended(failed, None, URL)) == (
        f"💥 Not finished. {URL}\n\nToo long.\n\nWhat you can do: Split it."
    )
