"""What others wrote stays text: no page gets an element, an attribute or a link more by it.

Records hold what tasks and people wrote, transcripts what an agent read anywhere. The corpus has what breaks
out of texts, attributes, addresses and scripts (https://cheatsheetseries.owasp.org/cheatsheets/XSS_Filter_Evasion_Cheat_Sheet.html).
"""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright_cli.dashboard import ledger, shown
from pullwright_cli.dashboard.transcript import entries
from tests.unit.cli_kit import cloud
from tests.unit.dashboard_kit import Answer, Dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = (
    "<script>alert(1)</script>",
    "</pre></code></div></main><script src=//attacker.example></script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    '<div hx-get="//attacker.example" hx-trigger="load">',
    "<b hx-on:load=alert(1) data-hx-get=/costs>",
    "</title><base href=//attacker.example>",
    "<meta http-equiv=refresh content='0;url=//attacker.example'>",
    "<style>*{display:none}</style><link rel=stylesheet href=//attacker.example>",
    "<!--", "<![CDATA[", "&lt;script&gt;", "&#60;b&#62;", "{{ 7 * 7 }}{% for x in y %}", "]]>", "<\0b>",
    "<scr\u202eipt>", "\u2028\u2029<p>", "\x1b]0;owned\x07",
    "javascript:alert(1)", "<a href=javascript:alert(1)>",
)  # fmt: skip
HARMLESS = "harmless"
SESSION = "s1"
PAGES = (
    "/",
    f"/sessions/{SESSION}",
    f"/sessions/{SESSION}/files/transcript.jsonl",
    f"/sessions/{SESSION}/files/diff.patch",
    f"/sessions/{SESSION}/log?now=1",
    "/costs?now=1",
    "/events?now=1",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.lists(st.sampled_from((*HOSTILE, "<", ">", '"', "'", "&", "`", "=", " ")), min_size=1, max_size=4).map(
        "".join
    ),
)


def fill(dashboard: Dashboard, text: str) -> None:
    """Put a text wherever others can put one."""
    # A key of an index must not be empty.
    text = text.strip() or "x"
    named: dict[str, Any] = dict.fromkeys(
        ("outcome", "worker", "requested_by", "model", "branch", "error", "sentence"), text
    )
    more: dict[str, Any] = dict.fromkeys(("remedy", "commit", "checks", "egress"), text)
    request = json.dumps({"prompt": text, "repository": text})
    dashboard.cloud.states.executions[SESSION] = ("FAILED", request)
    dashboard.cloud.record(
        SESSION, status="FAILED", repository=text, input=request, pull_request_url=text, **named, **more
    )
    blocks = [
        {"type": "text", "text": text},
        {"type": "tool_use", "name": text, "input": {"command": text}},
        {"type": "tool_result", "content": text, "is_error": True},
    ]
    result = {"type": "result", "subtype": text, "result": text}
    lines = [json.dumps({"message": {"content": blocks}}), json.dumps(result)]
    dashboard.store(SESSION, "transcript.jsonl", "\n".join(lines).encode())
    one_line = text.replace("\n", " ").replace("\r", " ")
    dashboard.store(
        SESSION, "diff.patch", f"diff {one_line}\n+{one_line}\n-{one_line}\n {one_line}\n".encode()
    )
    check = {"name": text, "command": text, "status": "failed", "output": text}
    report = {"session_id": SESSION, "task_arn": text, "outcome": "changed", "exit_code": 0, "summary": text}
    times = {"started_at": "2026-11-27T09:00:00Z", "ended_at": "2026-11-27T09:00:00Z", "checks": [check]}
    dashboard.store(SESSION, "result.json", json.dumps({**report, **times}).encode())
    at = 1_790_000_000_000
    dashboard.logs.groups.clear()
    line = {"message": text, "session_id": SESSION, "level": "ERROR"}
    dashboard.logs.write("agent", at, json.dumps(line))
    delivery = {
        "status_code": 200,
        "status": text,
        "event": text,
        "repository": text,
        "unmatched": {text: text},
    }
    dashboard.logs.write("webhook", at, json.dumps({**line, **delivery}))


def skeleton(answer: Answer) -> list[tuple[str, tuple[str, ...]]]:
    """Return a page's elements with the names of their attributes, and where its links lead without us."""
    return [(str(node.tag), tuple(sorted(node.attributes))) for node in answer.tree.css("*")] + [
        ("link", (str(node.attributes["href"]),))
        for node in answer.tree.css("[href]")
        if _leads_out(node.attributes["href"])
    ]


def _leads_out(address: str | None) -> bool:
    return not (address or "").startswith(("/", "?", "#")) or (address or "").startswith("//")


@pytest.fixture(scope="module", autouse=True)
def _filled() -> Iterator[None]:
    with cloud() as made, pytest.MonkeyPatch.context() as patch:
        # Each page is of the text that was put in last.
        patch.setattr(ledger, "_KEPT_SECONDS", -1.0)
        SHARED.dashboard = Dashboard(made)
        fill(SHARED.dashboard, HARMLESS)
        SHARED.expected = {page: skeleton(SHARED.dashboard.ask(page)) for page in PAGES}
        yield


class SHARED:
    """The dashboard, for properties, which take no fixture of another scope."""

    dashboard: Dashboard
    expected: dict[str, list[tuple[str, tuple[str, ...]]]]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_hold_what_is_put_in(page: str) -> None:
    """Otherwise the properties below would say nothing."""
    assert SHARED.dashboard.ask(page).words.count(HARMLESS) >= 2


@settings(max_examples=10)
@given(TEXTS)
def test_no_text_adds_to_a_page(text: str) -> None:
    """Elements, attributes, and links that lead elsewhere are those of a page with harmless text."""
    same_structure(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_breaks_out_elsewhere_stays_text(text: str) -> None:
    """As the property says, for each text of the corpus; and it can be read as it is."""
    same_structure(text)
    expected = " ".join(shown.visible(text.strip()).split())
    assert expected in SHARED.dashboard.ask(f"/sessions/{SESSION}/files/transcript.jsonl").words


@settings(max_examples=10)
@given(TEXTS)
def test_an_address_adds_nothing_to_its_page(text: str) -> None:
    """What somebody else puts into a link to the list comes back as text, in the form and in the message."""
    for name in ("worker", "repo", "status", "since", "after", "known", "x"):
        answer = SHARED.dashboard.ask(f"/?{urlencode({name: text + '!'})}")
        plain = SHARED.dashboard.ask(f"/?{urlencode({name: '-'})}")
        assert answer.status in {200, 400}
        assert answer.status != plain.status or skeleton(answer) == skeleton(plain)


def same_structure(text: str) -> None:
    """Assert that pages with a text are built as those with harmless text."""
    fill(SHARED.dashboard, text)
    for page in PAGES:
        answer = SHARED.dashboard.ask(page)
        assert answer.status == 200
        assert skeleton(answer) == SHARED.expected[page], page


@given(st.one_of(st.text(), st.sampled_from(HOSTILE), st.from_regex(r"[a-z+.-]{0,12}:[/\\]{0,3}\S{0,20}")))
def test_links_lead_to_the_web_or_nowhere(text: str) -> None:
    """Whatever stands in the record of a session."""
    found = shown.link(text)
    assert found in {"", text}
    assert not found or found.lower().startswith(("https://", "http://"))


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", " https://a.example", "https://a@b.example", "data:text/html,x", "//a.example", "https://",
     "https:///x", "http://[", "https://a.example/\n", "/x", "https://a.example/" + "x" * 2_000],
)  # fmt: skip
def test_other_addresses_are_no_links(text: str) -> None:
    """Least of all those that run something, or hide where they lead."""
    assert shown.link(text) == ""
    assert shown.link("http://127.0.0.1:8080/o/r/pull/1") == "http://127.0.0.1:8080/o/r/pull/1"


@given(st.text())
def test_invisible_characters_show(text: str) -> None:
    """None is left that is drawn as nothing or turns a line around; all others stay as they are."""
    found = shown.visible(text)
    kinds = {unicodedata.category(char) for char in found if char not in "\n\t"}
    assert not kinds & {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
    if text.isprintable():
        assert found == text


def test_titles_of_steps_are_of_one_line() -> None:
    """What a tool is used on may be a program of many lines."""
    line = json.dumps(
        {"message": {"content": [{"type": "tool_use", "name": "Bash", "input": {"command": "a\nb" * 99}}]}}
    )
    [entry] = entries([line.encode()])
    assert "\n" not in entry.title
    assert len(entry.title) < 170
