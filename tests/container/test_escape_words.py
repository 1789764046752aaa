"""What the agent writes, for GitHub and its readers: nothing in it has an effect of its own."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.comments import REFUSAL_MARKER, TRACKING_MARKER, render_outcome
from pullwright.results import Verdict
from runner import exit_codes
from tests.container.harness import Harness, finish
from tests.container.test_checkpoints import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each on a line of its own, as GitHub would act on it.
HOSTILE = f"""\
Fixes #3, closes: GH-4 and resolves acme/other#5, fix https://github.com/acme/other/issues/6
@maintainer and @acme/everyone, look! [skip ci]
Co-authored-by: Somebody Else <somebody@example.invalid>
Signed-off-by: Maintainer <maintainer@example.invalid>
Pullwright-Session: implement-1-another
{TRACKING_MARKER}
{REFUSAL_MARKER}
<!-- pullwright:pull-request
</details></blockquote><img src="https://example.invalid/seen.png"> ![seen](https://example.invalid/seen.png)
```
"""
TRAILERS = [
    "Pullwright-Session: implement-7-test",
    "Co-authored-by: maintainer <583231+maintainer@users.noreply.127.0.0.1>",
]
# https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
CLOSING = re.compile(r"(?i)\b(close[sd]?|fix(es|ed)?|resolve[sd]?)[:\s]+(\S*#\d|gh-\d|https?://)")
# What GitHub makes a mention, a reference or a picture of.
ACTIVE = re.compile(r"(?i)@[\w/]|#\d|\bgh-\d|<(?!/?(?:details|summary|sub)\b)[a-z/!]|!\[")


def said(*blocks: dict[str, Any]) -> str:
    """Return a line of the CLI's."""
    return json.dumps({"type": "assistant", "message": {"id": "m0", "content": list(blocks)}}) + "\n"


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    """Provide a session whose agent put hostile words wherever it can."""
    with Harness.open() as opened:
        todos = [{"content": HOSTILE, "status": "in_progress", "activeForm": HOSTILE}]
        last = {
            "type": "result",
            "subtype": "success",
            "is_error": False,
            "terminal_reason": "completed",
            "result": HOSTILE,
            "num_turns": 1,
        }
        lines = [
            said({"type": "text", "text": HOSTILE}),
            said({"type": "tool_use", "id": "t0", "name": "TodoWrite", "input": {"todos": todos}}),
            said({"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": HOSTILE}}),
            said({"type": "tool_use", "id": "t2", "name": HOSTILE, "input": {}}),
        ]
        (opened.folder / "lines").write_text("".join(lines))
        (opened.folder / "last").write_text(json.dumps(last) + "\n")
        (opened.folder / "words").write_text(HOSTILE)
        opened.fake_cli(
            f"cp {opened.folder}/words WORDS.md; git add -A; git commit -qF {opened.folder}/words;"
            f"cat {opened.folder}/lines; while ! grep -qs @ {opened.folder}/shown; do sleep 0.05; done;"
            f"cat {opened.folder}/last"
        )
        process = opened.start()
        # The agent goes on when its words have been in the comment.
        wait_until(lambda: any("skip ci" in comment for comment in opened.comments), process)
        (opened.folder / "shown").write_text("@")
        ran = finish(process)
        assert ran.code == exit_codes.DONE, ran.output
        yield opened


def test_the_commit_says_only_what_we_say(harness: Harness) -> None:
    """One commit with our two trailers, which closes nothing, names nobody else and skips no check."""
    assert harness.git("log", "-1", "--format=%s", "claude/7^") == "Begin work on #7"
    assert HOSTILE.strip() in harness.git("show", "claude/7:WORDS.md")
    message = harness.git("log", "-1", "--format=%B", "claude/7")
    parsed = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, check=True, capture_output=True, text=True
    )
    assert parsed.stdout.splitlines() == TRAILERS
    words = message.replace("\n".join(TRAILERS), "")
    # So that the search can find something.
    assert CLOSING.search(HOSTILE)
    assert not CLOSING.search(" ".join(words.split()))
    assert not re.search(r"@\w|\[skip ci\]|-by:|Session:", words)


def test_no_comment_is_another_or_calls_anybody(harness: Harness) -> None:
    """Each begins with the one marker it has, and mentions, links and shows nothing that the agent wrote."""
    result = harness.result
    verdict = Verdict(status="SUCCEEDED", outcome=result.outcome, sentence="", ttl=1)
    final = render_outcome(None, result, verdict, session_id=result.session_id)
    assert "acme/other" in final
    assert ACTIVE.search(HOSTILE)
    for comment in (*harness.comments, final):
        assert comment.startswith(TRACKING_MARKER)
        assert comment.count("<!--") == 1
        assert not ACTIVE.search(comment.removeprefix(TRACKING_MARKER)), comment
    # The part that folds is closed by us alone, and no code fence swallows what follows it.
    assert final.count("</details>") == final.count("<details")
    assert "\n```" not in final
