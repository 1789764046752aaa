"""The last lines of a failed preview's task on its pull request: foreign text, shown and without effect."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright import log
from pullwright.comments import LONGEST_BODY
from pullwright.previewing.task_log import MOST_LINES
from pullwright.previewing.texts import failed
from pullwright.reporting.event import StateError, TaskEnd
from pullwright.text import printable
from tests.unit.github_words import Page, render, words
from tests.unit.moto_kit import mock_aws
from tests.unit.preview_kit import MemoryLog, Previews, execution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAILED = StateError(Error="States.TaskFailed")
_BLOCK = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a repository, a listener and a cluster."""
    with mock_aws():
        yield Previews(tmp_path)


def _rendered(lines: list[str] | None) -> str:
    text = failed(why="It failed.", remedy="Push.", preview_id="p", log="/logs s", lines=lines)
    return text.comment("")


def _shown(messages: list[str]) -> str:
    """Return what GitHub's renderer shows in the comment's block of code."""
    memory = MemoryLog()
    memory.messages["t"] = messages
    comment = _rendered(memory.last_lines("t"))
    assert Page(comment).active() == []
    assert Page(comment).details == 2
    [block] = _BLOCK.findall(render(comment))
    return html.unescape(block).rstrip("\n")


@given(st.lists(st.one_of(words, st.text(max_size=30)), min_size=1, max_size=8))
def test_any_line_is_shown_and_does_nothing(messages: list[str]) -> None:
    """GitHub's own renderer (cmark-gfm) leaves all of it in one block of code, as it was written.

    Of characters without a shape and of what a terminal acts upon nothing is left.
    """
    memory = MemoryLog()
    memory.messages["t"] = messages
    lines = memory.last_lines("t")
    assert lines is not None
    if not lines:
        assert "has no lines" in _rendered(lines)
        return
    shown = _shown(messages)
    assert [line.rstrip() for line in shown.split("\n")] == [line.rstrip() for line in lines]
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("\x1b[31merror\x1b[0m: no \x1b]0;title\x07compiler", "error: no compiler"),
        ("10 %\r55 %\r100 %", "100 %"),
        ("done\r", "done"),
        ("a\u202eb\u200bc", "abc"),
        ("```\n</details> @octocat #1 <!-- x -->", "```\n</details> @octocat #1 <!-- x -->"),
        ("x" * 600, "x" * 500 + "… (100 characters left out)"),
        (
            json.dumps({"service": "runner", "message": "the preview failed", "reason": "Exit code 3."}),
            "[pullwright] the preview failed: Exit code 3.",
        ),
        (json.dumps({"service": "shop", "message": "up"}), '{"service": "shop", "message": "up"}'),
    ],
)
def test_a_line_is_as_a_terminal_shows_it(message: str, shown: str) -> None:
    """Colours, titles, overwritten progress and invisible characters are no part of it."""
    assert _shown([message]) == shown


def test_of_very_many_lines_the_last_ones_are_shown() -> None:
    """A comment has room for so much; the end is what tells why."""
    shown = _shown([f"line {number} " + "`" * 480 for number in range(100_000)])
    assert shown.split("\n")[-1].startswith("line 99999")
    assert len(shown.split("\n")) <= MOST_LINES
    memory = MemoryLog()
    memory.messages["t"] = ["`" * 500] * 1_000
    assert len(_rendered(memory.last_lines("t"))) < LONGEST_BODY / 4


def test_a_secret_is_hidden_before_lines_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known to the function, or looks like a secret, is not shown in half either."""
    monkeypatch.setattr(log, "_known", set())
    log.hide("a variable of secrecy")
    shown = _shown(["x" * 490 + "a variable of secrecy", "token ghs_" + "a1" * 20])
    assert "a variable" not in shown
    assert "a1a1" not in shown


def _failed(previews: Previews) -> str:
    """Have a preview's build fail; return the comment."""
    number = previews.pull()
    previews.prepare("p-1", number)
    task = TaskEnd(TaskArn="arn:aws:ecs:eu-central-1:123456789012:task/cluster/t-1", ExitCode=21)
    previews.tasks.ends[execution("p-1")] = task
    assert previews.remove("p-1", FAILED).error == "PreviewBuildFailed"
    return previews.comment(number)


def test_the_comment_of_a_failure_has_the_end_of_its_log(previews: Previews) -> None:
    """That of the task that ran last, and its place for those who may read more."""
    previews.log.messages["t-1"] = ["cc app.c", "no compiler"]
    comment = _failed(previews)
    assert "> no compiler\n" in comment
    assert "`/logs preview/preview/t-1`" in comment


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("", "has no lines"),
        ("AccessDeniedException", "cannot be read"),
        ("ThrottlingException", "cannot be read"),
    ],
)
def test_a_log_that_is_missing_or_cannot_be_read_is_said(previews: Previews, error: str, said: str) -> None:
    """The preview ends as it does with a log."""
    previews.log.error = error
    comment = _failed(previews)
    assert f"Its log {said}" in comment
    assert "The build command failed" in comment
