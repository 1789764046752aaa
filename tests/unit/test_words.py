"""Texts of others do nothing on GitHub but be read: held against GitHub's renderer and release tools."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from local.layout import TOOLS
from pullwright.check_texts import render_checks
from pullwright.comments import (
    LONGEST_BODY,
    TRACKING_MARKER,
    pull_request_body,
    pull_request_title,
    render_outcome,
    render_progress,
    render_refusal,
)
from pullwright.effects import without_effect
from pullwright.errors import FailureClass
from pullwright.markdown import inline, sentence
from pullwright.models import Failure, Outcome
from pullwright.quotation import quote
from pullwright.results import CheckResult, Progress, Todo, Verdict
from runner.git.message import commit_message
from tests.unit import github_words
from tests.unit.github_words import ACTIVE, RELEASING, SKIPPING, Page, words
from tests.unit.test_comments import CHANGED, REQUEST, result


def squashed(title: str, prompt: str) -> str:
    """Return the message of a squashed merge that takes title and description."""
    return (
        f"{pull_request_title(title)}\n\n{pull_request_body(issue=None, prompt=prompt, requested_by=title)}"
    )


def comments_with(text: str) -> dict[str, str]:
    """Return every template that shows others' texts, with this one at each of its places."""
    failed = CheckResult(name=text or "x", command=text, status="failed", output=text)
    left = result(text).model_copy(update={"checks": (failed,), "setup": failed, "notices": (text, text)})
    verdict = Verdict(status="FAILED", outcome=Outcome.FAILED, sentence=text, remedy=text, ttl=1)
    todos = tuple(Todo(text=text, status=status) for status in ("pending", "in_progress", "completed"))
    progress = Progress(activity=text, todos=todos, turns=1)
    failure = Failure(error="x", failure_class=FailureClass.USER, sentence=text, remedy=text)
    return {
        "progress": render_progress(REQUEST, progress),
        "outcome": render_outcome(REQUEST, left, CHANGED, session_id="s", artifacts=text, log=text),
        "failure": render_outcome(None, left, verdict, session_id="s"),
        "refusal": render_refusal(failure),
        "checks": render_checks(left),
        "description": pull_request_body(issue=None, prompt=text, requested_by=text),
    }


PLAIN = {name: Page(comment) for name, comment in comments_with("x").items()}


@settings(max_examples=150, derandomize=True)
@given(words)
@example("GH\\-6 @&fjlig;ord /approve")
@example("a `b|@octocat\n|-|-|")
@example("**GH**-6 @**octocat** #`x`1")
def test_nothing_in_a_comment_acts(text: str) -> None:
    """Rendered by GitHub's renderer, each comment has our elements, and no mention, reference or command."""
    for name, comment in comments_with(text).items():
        page = Page(comment)
        assert page.active() == [], (name, comment)
        assert page.comments == PLAIN[name].comments
        assert page.details <= PLAIN[name].details, (name, comment)
        assert github_words.render(comment).count("</details>") == page.details, (name, comment)
        # Tools take commands from lines of the source, which has no such line of others.
        ours = ("#", "|", ">", "<", "*", "-", "⚠️", "`", "Closes", "Asked", "Pullwright", "…")
        assert all(line.startswith(ours) for line in comment.splitlines() if line), comment
        assert len(comment) < LONGEST_BODY


@settings(max_examples=150, derandomize=True)
@given(words)
def test_making_a_text_harmless_twice_changes_nothing(text: str) -> None:
    """What is harmless is left as it is."""
    title = pull_request_title(text)
    assert pull_request_title(title) == title
    assert without_effect(without_effect(text)) == without_effect(text)
    assert inline(inline(text)) == inline(text)
    quoted = quote(text, 30_000)
    inside = "\n".join(line[2:] for line in quoted.split("\n"))
    assert quote(inside, 30_000) == quoted


@pytest.mark.parametrize("text", ["*" * 60_000, "* " * 30_000, "[" + "no " * 20_000, "[" + "skip " * 12_000])
def test_a_long_text_holds_nothing_up(text: str) -> None:
    """A prompt or an agent's answer of one line: the time that it takes grows with its length alone."""
    assert without_effect(text)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a ***NO_CI*** b", "a NO_CI b"),
        ("a* no ci *b", "a no ci b"),
        ("**no ci", "**no ci"),
        ("* no ci", "* no ci"),
        ("[ci: no] and [none]", "ci: no and [none]"),
    ],
)
def test_words_lose_the_signs_with_which_they_act(text: str, harmless: str) -> None:
    """And only those: what does not act stays as it is."""
    assert without_effect(text) == harmless


@settings(max_examples=150, derandomize=True)
@given(words)
@example("Release-As:: 9.9.9")
@example("[[skip ci]]")
def test_a_title_acts_on_nothing(text: str) -> None:
    """A title is ordinary text, and the first line of a squashed merge."""
    title = pull_request_title(text)
    assert title
    assert len(title) <= 200
    assert not SKIPPING.search(title)
    assert not RELEASING.search(title)
    for name in ("mention", "reference", "closing keyword", "commit", "address"):
        assert not ACTIVE[name].search(title), name


@settings(max_examples=150, derandomize=True)
@given(words)
def test_a_description_acts_on_nothing_as_a_commits_message_either(text: str) -> None:
    """GitHub can take title and description for the message of a squashed merge; code is text there."""
    message = squashed(text, text)
    assert not SKIPPING.search(message)
    assert not RELEASING.search(message)
    for name in ("mention", "reference", "commit", "address"):
        assert not ACTIVE[name].search(message), (name, message)


def trailers(message: str) -> list[str]:
    """Return what git takes for a message's trailers."""
    command = ["git", "interpret-trailers", "--parse"]
    parsed = subprocess.run(command, input=message, check=True, capture_output=True, text=True)
    return parsed.stdout.splitlines()


OWN_TRAILERS = trailers(commit_message(REQUEST, "x"))


@settings(max_examples=60, derandomize=True)
@given(words, words)
@example("x", f"{'word ' * 14}Signed-off-by: a <a@b.example>\n\n---\n")
@example("x", f"{'word ' * 14}--- x")
def test_git_reads_our_trailers_alone(title: str, summary: str) -> None:
    """`git interpret-trailers` finds what we wrote and nothing else; no word skips checks."""
    message = commit_message(REQUEST.model_copy(update={"title": title}), summary)
    assert trailers(message) == OWN_TRAILERS
    assert not SKIPPING.search(message)
    others = message.removesuffix("\n".join(OWN_TRAILERS) + "\n")
    assert not RELEASING.search(others)
    for name in ("mention", "reference", "closing keyword", "commit", "address"):
        assert not ACTIVE[name].search(others), (name, others)


@settings(max_examples=4, derandomize=True, phases=[Phase.generate])
@given(st.lists(st.tuples(words, words), min_size=50, max_size=100))
def test_release_tools_see_no_release(texts: list[tuple[str, str]]) -> None:
    """Neither conventional-commits-parser nor release-please's parser finds anything."""
    hostile = "feat!: x\n\nBREAKING CHANGE: x\nRelease-As: 9.9.9"
    messages = [
        hostile,
        *(commit_message(REQUEST.model_copy(update={"title": title}), summary) for title, summary in texts),
        *(
            f"{pull_request_title(a)}\n\n{pull_request_body(issue=None, prompt=b, requested_by=a)}"
            for a, b in texts
        ),
    ]
    caught, *found = _parsed(messages)
    assert caught["notes"]
    assert "Release-As" in str(caught["tokens"])
    for message, one in zip(messages[1:], found, strict=True):
        assert one["notes"] == [], message
        assert one["references"] == [], message
        assert "breaking-change" not in str(one["tokens"]).lower(), message
        assert "release-as" not in str(one["tokens"]).lower(), message


def _parsed(messages: list[str]) -> list[dict[str, Any]]:
    command = ["node", str(Path(__file__).with_name("release_tools.mjs")), str(TOOLS / "node")]
    done = subprocess.run(command, input=json.dumps(messages), check=True, capture_output=True, text=True)
    answer: list[dict[str, Any]] = json.loads(done.stdout)
    return answer


@settings(max_examples=25, derandomize=True)
@given(
    st.sampled_from(
        ["x", "`", "& ", "_", "\n", "$a ", "|", "<", "a\n", "@a ", "```\n", "\\", "😀", "a5c3785 "]
    ),
    st.integers(0, 120_000),
    st.integers(0, 200),
    st.integers(0, 30),
)
def test_ours_is_whole_however_long_others_are(unit: str, length: int, notices: int, checks: int) -> None:
    """Headline, failure, remedy, figures and the session's part are there, and GitHub takes the comment."""
    text = unit * (length // len(unit))
    failed = CheckResult(name=text or "x", command=text, status="failed", output=text)
    left = result(text).model_copy(update={"checks": (failed,) * checks, "notices": (text,) * notices})
    verdict = Verdict(
        status="FAILED", outcome=Outcome.FAILED, sentence=f"Oh: {text}", remedy=f"Do: {text}", ttl=1
    )
    comment = render_outcome(REQUEST, left, verdict, session_id="the-session", artifacts=text, log=text)
    assert len(comment) <= LONGEST_BODY
    assert comment.startswith(TRACKING_MARKER)
    for part in (
        "### 💥 Not finished",
        "**What happened:** Oh:",
        "**What you can do:** Do:",
        "$0.42",
        "`the-session`",
    ):
        assert part in comment
    assert comment.endswith("\n\n</details>")
    page = Page(comment)
    assert page.active() == []
    assert github_words.render(comment).count("</details>") == page.details
    assert len(render_checks(left)) < LONGEST_BODY


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Added `@types/node` 20, see `src/a.py`.", "Added `@types/node` 20, see `src/a.py`."),
        ("It's done (all 12 tests pass); 3.5 % faster!", "It's done (all 12 tests pass); 3.5 % faster!"),
        ("and/or, a.b-c, 10:30, C++", "and/or, a.b-c, 10:30, C++"),
    ],
)
def test_ordinary_text_stays_as_it_is(text: str, made: str) -> None:
    """Prose and code are for reading."""
    assert inline(text) == sentence(text) == made
    assert quote(text, 1_000) == f"> {made}"


def test_a_summary_keeps_its_form() -> None:
    """Headings, lists, code and emphasis stay; a table becomes code, a link words and address."""
    summary = """\
## Done

- **Fixed** the *parser* ([docs](https://docs.example/a))
  1. nested `a|b`
- [x] tested

| a | b |
|---|---|

```python
def f(): return "@types/node"
```
"""
    shown = github_words.render(quote(summary, 5_000))
    for part in (
        *(
            "<h4>Done</h4>",
            "<strong>Fixed</strong>",
            "<em>parser</em>",
            "<code>https://docs.example/a</code>",
        ),
        *(
            "<code>a|b</code>",
            "<ol>",
            "☑ tested",
            "| a | b |",
            '<pre lang="python"><code>def f()',
            "@types/node",
        ),
    ):
        assert part in shown
