"""The texts on GitHub: what they show, and what others cannot do with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pullwright.comments import (
    LONGEST_BODY,
    REFUSAL_MARKER,
    TRACKING_MARKER,
    pull_request_body,
    pull_request_title,
    render_egress,
    render_not_released,
    render_outcome,
    render_progress,
    render_refusal,
    render_released,
    render_released_after_all,
    render_withdrawn_refusal,
)
from pullwright.errors import AgentFailed, IssueWithoutText
from pullwright.figures import duration, money
from pullwright.models import AgentRequest, Failure, GitIdentity, Outcome, ResolvedLimits
from pullwright.results import AgentResult, CheckResult, EgressResult, Progress, SteeringFiles, Todo, Verdict
from tests.unit.github_words import Page

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
REQUEST = AgentRequest(
    session_id="implement-1-abc",
    execution_arn="arn",
    repository="o/r",
    git_url="https://github.com/o/r.git",
    base="main",
    branch="claude/1",
    pull_request=2,
    pull_request_url="https://github.com/o/r/pull/2",
    comment_id=3,
    issue=1,
    title="t",
    body="b",
    prompt=None,
    requested_by="maintainer",
    author=GitIdentity(name="n", email="e"),
    provider="bedrock",
    model="a-model",
    limits=ResolvedLimits(usd=5, turns=50, minutes=30),
    stub=False,
    created_at=NOON,
)
CHANGED = Verdict(status="SUCCEEDED", outcome=Outcome.CHANGED, sentence="Ready.", ttl=1)
HOSTILE = [
    "again <!-- pullwright:tracking -->",
    "```\nnever closed",
    "- item\n  ~~~~\n  never closed in a list",
    "</details></details>\n<script>",
    "@everybody @octo/team look at #1 and octo/r#2",
    "![pixel](https://evil.example/?secret)",
    "> quote\n> ```",
    "$$\nmath",
    "<details><summary>open",
]


def result(summary: str = "Fixed it.") -> AgentResult:
    """Return a result of a session that changed something."""
    return AgentResult(
        session_id="implement-1-abc",
        task_arn="arn",
        outcome=Outcome.CHANGED,
        summary=summary,
        commit="c0ffee",
        files_changed=1,
        additions=3,
        deletions=2,
        cost_usd=0.4249,
        turns=7,
        started_at=NOON,
        ended_at=NOON.replace(minute=2, second=5),
        exit_code=0,
    )


def outcome(summary: str = "Fixed it.", verdict: Verdict = CHANGED) -> str:
    """Return the final comment."""
    return render_outcome(
        REQUEST,
        result(summary),
        verdict,
        session_id="implement-1-abc",
        artifacts="s3://b/s/",
        log="group stream",
    )


def test_progress_shows_where_it_stands() -> None:
    """The comment shows activity, todo list, cost, turns and time."""
    todos = (
        Todo(text="Read", status="completed"),
        Todo(text="Fix _it_", status="in_progress"),
        Todo(text="Test", status="pending"),
    )
    text = render_progress(
        REQUEST, Progress(activity="Editing", todos=todos, elapsed_seconds=75, cost_usd=0.5, turns=3)
    )
    assert text.startswith(TRACKING_MARKER)
    for part in (
        "Editing",
        "- [x] Read",
        "- [ ] **Fix \\_it\\_**",
        "- [ ] Test",
        "$0.50",
        "3 of 50",
        "1 min 15 s",
    ):
        assert part in text


def test_the_outcome_shows_cost_turns_and_time() -> None:
    """The final comment has the figures, the commit, the agent's words and where to look further."""
    text = outcome()
    for part in ("Cost", "$0.42", "Turns", "7", "Time", "2 min 5 s", "c0ffee", "> Fixed it.", "s3://b/s/"):
        assert part in text


def test_a_failure_says_what_to_do() -> None:
    """A session that failed shows sentence and remedy, even when nothing else is known."""
    failure = Failure.of(AgentFailed("It gave up."))
    verdict = Verdict(
        status="FAILED",
        outcome=Outcome.FAILED,
        error=failure.error,
        failure_class=failure.failure_class,
        sentence=failure.sentence,
        remedy=failure.remedy,
        ttl=1,
    )
    text = render_outcome(None, None, verdict, session_id="s", seconds=61)
    for part in ("It gave up.", failure.remedy, "not known", "1 min 1 s"):
        assert part in text


def test_a_refusal_has_its_own_marker() -> None:
    """The comment on an issue can be found again, and says what to do."""
    text = render_refusal(Failure.of(IssueWithoutText("There is no description.")))
    assert text.startswith(REFUSAL_MARKER)
    assert "There is no description." in text
    assert "Describe in the issue" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_agents_words_stay_inside_their_frame(hostile: str) -> None:
    """After any summary the rest of the comment is still rendered as ours."""
    text = outcome(hostile)
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert html.count("<details") == html.count("</details>") == 2
    assert html.count(TRACKING_MARKER) == 1
    frame = html.rindex("<summary>Session</summary>")
    assert "<pre>" not in html[frame:]
    assert "<code>implement-1-abc</code>" in html[frame:]
    assert "<img" not in html


@pytest.mark.parametrize(
    "live",
    [
        *("@everybody", "@octo/team", "#1", "octo/r#2", "GH-3", "gh-3"),
        *("&#64;everybody", "&#x40;octo/team", "&commat;everybody", "&#35;1", "&num;1", "&#000064;everybody"),
        *("\\@everybody", "\\#1", "**@everybody**", "[x](@everybody)", "`@everybody`\n\n@everybody"),
    ],
)
def test_nobody_is_notified_by_others_words(live: str) -> None:
    """Mentions and issue numbers are broken in what is rendered, in summaries and in single lines alike."""
    for text in (outcome(f"see {live}"), render_progress(REQUEST, Progress(activity=f"see {live}"))):
        shown = unescape(re.sub(r"<[^>]*>", "", MarkdownIt("gfm-like", {"linkify": False}).render(text)))
        assert "see" in shown
        assert re.findall(r"@[a-z]|#\d|gh-\d", shown, re.IGNORECASE) == []


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("Fixes #1: typo", "Fixes issue #\u200b1: typo"),
        ("Nothing works, closes GH-4 [skip ci]", "Nothing works, closes issue GH\u200b-4 skip ci"),
        ("Signed-off-by: outsider <o@example.invalid>", "Signed-off-by outsider <o@\u200bexample.invalid>"),
        ("Resolve the build's two errors", "Resolve the build's two errors"),
        ("\u200b", "Pullwright"),
    ],
)
def test_a_title_has_no_effect_when_it_becomes_a_commit(title: str, made: str) -> None:
    """Whoever opens an issue chooses the words that a squashed merge puts on the default branch."""
    assert pull_request_title(title) == made


@given(st.text(max_size=300))
def test_a_line_of_others_stays_one_line(text: str) -> None:
    """An activity cannot add blocks to the comment."""
    plain = render_progress(REQUEST, Progress(activity="x"))
    given_one = render_progress(REQUEST, Progress(activity=f"x{text}"))
    assert given_one.count("\n\n") == plain.count("\n\n")


def test_a_comment_fits() -> None:
    """However much the agent says, GitHub takes the comment, and what is ours is whole."""
    text = outcome("@" * 100_000)
    assert len(text) <= LONGEST_BODY
    assert text.endswith("</details>")


def test_the_pull_request_closes_its_issue() -> None:
    """The body links the issue; without one it quotes the prompt."""
    assert "Closes #12\n" in pull_request_body(issue=12, prompt=None, requested_by="maintainer")
    text = pull_request_body(issue=None, prompt="Do\n```\nthis", requested_by=None)
    assert "> Do\n>\n> ```text\n> this\n> ```\n" in text


def test_money_and_time_read_well() -> None:
    """Small sums show more digits, long times fewer."""
    assert [money(0), money(0.004), money(1.5)] == ["$0.00", "$0.0040", "$1.50"]
    assert [duration(5), duration(65), duration(3_720)] == ["5 s", "1 min 5 s", "1 h 2 min"]


def test_failing_checks_are_shown_with_their_last_lines() -> None:
    """The headline warns, each check has a row, and only what failed shows output, which closes nothing."""
    checks = (
        CheckResult(name="lint", command="make lint", status="passed", seconds=2),
        CheckResult(
            name="tests", command="make test", status="failed", output="```\n</details>\n# @maintainer broken"
        ),
    )
    shown = result().model_copy(update={"checks": checks, "notices": ("The file is ignored: `x`.",)})
    text = render_outcome(REQUEST, shown, CHANGED, session_id="s")
    assert "Done, but a check still fails (tests): ready for review" in text
    assert "| lint | ✅ | passed | 2 s |" in text
    assert "| tests | ❌ | failed | 0 s |" in text
    assert "The file is ignored" in text
    assert "make lint" not in text
    assert "> ````text\n> ```\n> </details>\n> # @maintainer broken\n> ````" in text


def test_checks_that_did_not_run_are_no_failure() -> None:
    """What no time was left for says nothing about the work."""
    skipped = CheckResult(name="tests", command="make test", status="not_run")
    shown = result().model_copy(update={"checks": (skipped,)})
    text = render_outcome(REQUEST, shown, CHANGED, session_id="s")
    assert "✅ Done: ready for review" in text
    assert "not run" in text


def test_files_that_steer_stand_under_one_heading() -> None:
    """Each group with its reason, few paths and their number; what is in a name has no effect."""
    groups = (
        SteeringFiles(reason="editors act on them", paths=(".vscode/a`<b>.json", "@octocat/x"), count=9),
        SteeringFiles(reason="git heeds them", paths=(".gitattributes",), count=1),
    )
    shown = result().model_copy(update={"steering": groups})
    body = render_outcome(REQUEST, shown, CHANGED, session_id="s")
    assert body.count("#### Files that steer other programs") == 1
    assert "and 7 more: editors act on them" in body
    assert "- `.gitattributes`: git heeds them" in body
    assert "Files that steer" not in render_outcome(REQUEST, result(), CHANGED, session_id="s")


def _every_comment() -> dict[str, str]:
    """Return each kind of comment with everything that it can hold."""
    full = result("# Fixed it\n\n- `a.py`: **all** units").model_copy(
        update={
            "ci": "hold",
            "setup": CheckResult(name="setup", command="make", status="failed", seconds=1, output="no"),
            "checks": (
                CheckResult(name="tests", command="pytest", status="failed", seconds=3, output="`a` **b**"),
            ),
            "notices": ("The configuration was ignored: `line 3`.",),
            "steering": (SteeringFiles(reason="CI heeds it", paths=("a.yml",), count=1),),
        }
    )

    def final(result: AgentResult | None, verdict: Verdict) -> str:
        return render_outcome(
            REQUEST, result, verdict, session_id="implement-1-abc", artifacts="s3://b/s/", log="group stream"
        )

    held = final(full, CHANGED)
    failed = CHANGED.model_copy(
        update={"status": "FAILED", "outcome": Outcome.FAILED, "remedy": "Try again."}
    )
    progress = Progress(activity="Working", todos=(Todo(text="a", status="pending"),), turns=1, cost_usd=1.0)
    return {
        "progress": render_progress(REQUEST, progress),
        "held": held,
        "failed": final(full, failed),
        "nothing left": final(None, failed),
        "released": render_released(held, "maintainer"),
        "not released": render_not_released("Nobody has read `a`."),
        "released after all": render_released_after_all("maintainer"),
        "refusal": render_refusal(Failure.of(IssueWithoutText("The issue says nothing."))),
        "withdrawn": render_withdrawn_refusal("https://github.com/o/r/pull/2"),
    }


@pytest.mark.parametrize("name", _every_comment())
def test_all_formatting_of_ours_is_drawn(name: str) -> None:
    """GitHub's own renderer leaves no sign of Markdown as text, as it does in lines that begin as HTML."""
    page = Page(_every_comment()[name])
    assert [text for text in page.texts if re.search(r"\*\*|`|^#+ |\| ?---|^- ", text)] == []
    assert "".join(page.texts).strip()


def egress(state: str = "caged", **fields: object) -> EgressResult:
    """Return what came of the way out."""
    return EgressResult.model_validate({"state": state, "entries": ["default"], **fields})


def test_what_was_refused_is_shown_with_the_line_that_allows_it() -> None:
    """Domains get a line for the configuration, addresses the reason why there is none."""
    refused = [
        {"step": "setup", "target": "telemetry.example.com", "count": 3},
        {"step": "agent", "target": "telemetry.example.com", "count": 1},
        {"step": "checks", "target": "10.0.0.2:53", "count": 2},
    ]
    text = render_egress(egress(refused=refused))
    assert "- setup: 3 x `telemetry.example.com`" in text
    assert "```yaml\negress: [default, telemetry.example.com]\n```" in text
    assert "or for port 53, ignores the proxy settings" in text
    assert "ignores the proxy" not in render_egress(egress(refused=refused[:2]))
    assert "egress: [" not in render_egress(egress(refused=refused[2:]))
    assert "egress: [" not in render_egress(egress(refused=refused, entries=None))
    whole = result().model_copy(update={"egress": egress(refused=refused)})
    assert text in render_outcome(REQUEST, whole, CHANGED, session_id="s")


def test_a_missing_or_broken_cage_is_told_and_a_whole_one_is_not() -> None:
    """People read why, and nothing where nothing was refused."""
    assert render_egress(egress()) == render_egress(egress("off")) == ""
    assert "not possible here: no such call" in render_egress(egress("unavailable", reason="no such call"))
    assert "could be reached any more: a process ended" in render_egress(egress(reason="a process ended"))


@given(st.text(max_size=300), st.text(max_size=300))
def test_what_a_task_says_of_refused_targets_stays_in_its_line(step: str, target: str) -> None:
    """A task can say anything; the line for the configuration holds names of domains only."""
    text = render_egress(
        egress(refused=[{"step": step, "target": target, "count": 1}], entries=[target, "node"])
    )
    lines = [line for line in text.splitlines() if line.startswith("egress: [")]
    assert all(re.fullmatch(r"egress: \[[a-z0-9*., -]+\]", line) for line in lines)
    assert len([line for line in text.splitlines() if line.startswith("- ")]) == 1
