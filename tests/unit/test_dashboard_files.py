"""Artifacts on the dashboard: in parts, whole lines each, so that none is read as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright_cli.dashboard import windows
from pullwright_cli.dashboard.transcript import entries
from tests.unit.cli_kit import cloud
from tests.unit.dashboard_kit import Dashboard, links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright_cli.session import Session

MEBIBYTE = 1 << 20


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    """Provide a dashboard with one session."""
    with cloud() as made:
        made.record("s1")
        yield Dashboard(made)


def line(*blocks: dict[str, Any], **more: Any) -> bytes:
    """Return a line of a transcript."""
    return json.dumps({"type": "assistant", "message": {"content": list(blocks)}, **more}).encode()


def test_a_transcript_shows_what_was_said_and_done(dashboard: Dashboard) -> None:
    """Tools with their input, what they answered, failures open, and how it ended; the rest is left out."""
    lines = [
        b'{"type":"system","subtype":"init","tools":["a tool of the system"]}',
        line({"type": "text", "text": "I look at it."}),
        line({"type": "tool_use", "name": "Bash", "input": {"command": "make test", "description": "Test"}}),
        line({"type": "tool_result", "content": [{"type": "text", "text": "2 failed"}], "is_error": True}),
        line({"type": "tool_use", "name": "Edit", "input": {"file_path": "a.py", "new_string": "x"}}),
        line({"type": "tool_result", "content": "done"}),
        b"no JSON",
        b'{"type":"pullwright","subtype":"omitted","reason":"a line was too long"}',
        b'{"type":"result","subtype":"success","num_turns":3,"result":"All is well."}',
    ]
    dashboard.store("s1", "transcript.jsonl", b"\n".join(lines) + b"\n")
    answer = dashboard.ask("/sessions/s1/files/transcript.jsonl")
    for words in ("I look at it.", "Bash make test", "2 failed", "Edit a.py", '"new_string": "x"', "done"):
        assert words in answer.words
    for words in (
        "a line that is no JSON object",
        "a line was too long",
        "Ended: success, 3 turns",
        "All is well.",
    ):
        assert words in answer.words
    assert "a tool of the system" not in answer.text
    assert [it.text() for it in answer.tree.css("details[open] > summary")] == ["It failed"]


def test_a_long_transcript_is_not_read_as_a_whole(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many megabytes a page holds a part, the first or the last, with the way to the others."""
    row = line({"type": "text", "text": "x" * 50_000})
    dashboard.store(
        "s1", "transcript.jsonl", b"\n".join([row] * 120 + [line({"type": "text", "text": "The end."})])
    )
    read: list[int] = []
    kept = windows._read

    def noted(session: Session, name: str, part: str) -> windows.Window | None:
        window = kept(session, name, part)
        read.append(len(window.content) if window else 0)
        return window

    monkeypatch.setattr(windows, "_read", noted)
    first = dashboard.ask("/sessions/s1/files/transcript.jsonl")
    last = dashboard.ask("/sessions/s1/files/transcript.jsonl?before=end")
    assert (
        "After \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}" in first.words,
        "The end." in first.words,
    ) == (True, False)
    assert (
        "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK} Before" in last.words,
        "The end." in last.words,
    ) == (True, True)
    assert max(len(first.content), len(last.content), *read) < MEBIBYTE
    assert "of 5.7 MiB" in first.words


def test_what_is_too_long_for_a_page_is_cut(dashboard: Dashboard) -> None:
    """And says where the rest is."""
    dashboard.store("s1", "transcript.jsonl", line({"type": "text", "text": "y" * 900_000}))
    answer = dashboard.ask("/sessions/s1/files/transcript.jsonl")
    assert "880000 characters more: pullwright artifacts s1 transcript.jsonl" in answer.words
    assert len(answer.content) < MEBIBYTE


def test_a_diff_shows_what_is_new_and_what_is_gone(dashboard: Dashboard) -> None:
    """By marks that are read out, and by colour."""
    patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@ def f():\n-old\n+new\n same\n"
    dashboard.store("s1", "diff.patch", patch.encode())
    answer = dashboard.ask("/sessions/s1/files/diff.patch")
    spans = [(it.attributes["class"], it.text()) for it in answer.tree.css(".code span")]
    assert ("add", "+new") in spans
    assert ("del", "-old") in spans
    assert [text for kind, text in spans if kind == "head"] == ["diff --git a/x b/x", "--- a/x", "+++ b/x"]
    assert answer.one(".code").attributes["tabindex"] == "0"


def test_every_artifact_can_be_read(dashboard: Dashboard) -> None:
    """Also one that has bytes which are no text, one that is empty, and one that is not there."""
    dashboard.store("s1", "checks/1.log", b"a\xff\x1b[31mred\x1b[0m\x07\r\nb")
    dashboard.store("s1", "diff.patch", b"")
    assert "a\N{REPLACEMENT CHARACTER}red[U+0007] b" in dashboard.ask("/sessions/s1/files/checks/1.log").words
    assert "Nothing was changed." in dashboard.ask("/sessions/s1/files/diff.patch").words
    assert "has left no usage.json" in dashboard.ask("/sessions/s1/files/usage.json").words


def test_pages_of_a_text_lead_to_each_other(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the beginning to its end, and back."""
    monkeypatch.setattr(windows, "PIECE", 40)
    dashboard.store("s1", "runner.log", b"".join(b"line %d\n" % number for number in range(40)))
    address = "/sessions/s1/files/runner.log"
    pages = [text for text in links(dashboard, address) if "line 0\n" in text or text]
    assert sum(page.count("\nline ") for page in pages) == 40
    back = list(links(dashboard, f"{address}?before=end", "prev"))
    assert sum(page.count("\nline ") for page in back) == 40


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "message", "content", "text", "input", "name", "is_error", "subtype"]
                ),
                inner,
            )
        ),
    )
)
def test_no_line_of_a_transcript_breaks_the_page(value: Any) -> None:
    """A task writes it, and may write anything."""
    for text in (
        json.dumps(value).encode(),
        json.dumps({"type": "result", "message": {"content": [value]}}).encode(),
    ):
        assert all(isinstance(entry.text, str) for entry in entries([text, text[:-1]]))
