"""Git over HTTP with a token that GitHub does not know everywhere yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pullwright.comments import render_refusal
from pullwright.errors import AppNotInstalled, GitHubUnavailable, PullwrightError, RepositoryArchived
from pullwright.models import Failure
from runner.git import remote
from runner.git.checkpoint import CheckpointRef
from runner.git.command import Done, GitError
from runner.git.remote import Remote
from runner.git.store import Head, Store

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://github.com/o/r.git"
REF = "refs/heads/claude/1"
# What git 2.47 writes for 401, 403 and 404 of info/refs, and what GitHub adds.
WORDS = [
    f"remote: Invalid username or token.\nfatal: Authentication failed for '{URL}/'",
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    f"fatal: unable to access '{URL}/': The requested URL returned error: 403",
    f"remote: Repository not found.\nfatal: repository '{URL}/' not found",
    f"remote: Permission to o/r.git denied to wright[bot].\nfatal: unable to access '{URL}/'",
]


class Git:
    """Fails so many times, then lists one ref."""

    def __init__(self, words: str, times: int) -> None:
        self.words = words
        self.times = times

    def __call__(self, *arguments: str, **_options: Any) -> Done:
        """See `run`."""
        self.times -= 1
        if self.times >= 0:
            raise GitError(arguments[0], 128, self.words)
        return Done(0, b"abc\t" + REF.encode() + b"\n", "")


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_git_waits_for_a_young_token_and_keeps_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, times: int
) -> None:
    """A refused young token is waited for, not replaced by one that would be as new."""
    monkeypatch.setattr(remote, "run", Git(words, times))
    waits: list[float] = []
    forgotten: list[str] = []
    made = Remote(
        URL, "claude/1", lambda: "t", forget=forgotten.append, token_age=lambda: 0.0, sleep=waits.append
    )
    assert made.find(tmp_path, REF) == "abc"
    assert waits == [3.0, 10.0, 30.0][:times]
    assert forgotten == []


@pytest.mark.parametrize(
    ("words", "age"), [(WORDS[0], 61.0), ("fatal: the remote end hung up unexpectedly", 0.0)]
)
def test_git_replaces_a_token_that_is_old_or_not_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, age: float
) -> None:
    """Any other failure is met with a new token, and with short pauses."""
    monkeypatch.setattr(remote, "run", Git(words, 99))
    forgotten: list[str] = []
    waits: list[float] = []
    made = Remote(
        URL, "claude/1", lambda: "t", forget=forgotten.append, token_age=lambda: age, sleep=waits.append
    )
    with pytest.raises(GitHubUnavailable):
        made.find(tmp_path, REF)
    assert forgotten == ["t"] * 3
    assert max(waits) <= 4


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("This repository was archived so it is read-only.", RepositoryArchived),
        ("This installation has been suspended", AppNotInstalled),
    ],
)
@pytest.mark.parametrize("age", [0.0, 61.0])
def test_a_setting_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, error: type[PullwrightError], age: float
) -> None:
    """What GitHub names itself passes with no token's age, and no further attempt is made."""
    monkeypatch.setattr(remote, "run", Git(f"remote: {words}\n{WORDS[2]}", 99))
    waits: list[float] = []
    made = Remote(URL, "claude/1", lambda: "t", token_age=lambda: age, sleep=waits.append)
    for command in (
        lambda: made.push(Store(tmp_path), "abc", REF),
        lambda: made.find(tmp_path, REF),
        lambda: made.clone(tmp_path / "clone"),
    ):
        with pytest.raises(error):
            command()
    assert waits == []


def test_githubs_words_reach_the_comment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What GitHub said to the last attempt is told as text: bounded, and neither markup nor a mention."""
    says = "Your <b>push</b> waits for [us](http://evil.test), @octocat. " + "More. " * 400
    words = f"remote: {says}\nfatal: the remote end hung up unexpectedly"
    monkeypatch.setattr(remote, "run", Git(words, 99))
    made = Remote(URL, "claude/1", lambda: "t", sleep=lambda _seconds: None)
    with pytest.raises(GitHubUnavailable, match="GitHub did not take the push: Your ") as caught:
        made.push(Store(tmp_path), "abc", REF)
    assert len(caught.value.sentence) < 500
    shown = render_refusal(Failure.of(caught.value))
    assert "push" in shown
    assert "<b>" not in shown
    assert "](http" not in shown
    assert "@octocat" not in shown


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_checkpoint_that_another_task_deletes_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_gone: bool
) -> None:
    """Between the look and the fetch its work came onto the branch; one that is still there is wanted."""
    checkpoints = CheckpointRef(Remote(URL, "claude/1", lambda: "t", sleep=lambda _seconds: None))
    listed = b"abc\t" + checkpoints.name.encode() + b"\n"
    answers = [listed, b"" if is_gone else listed]

    def git(*arguments: str, **_options: Any) -> Done:
        if arguments[0] == "ls-remote":
            return Done(0, answers.pop(0), "")
        raise GitError(arguments[0], 128, f"fatal: couldn't find remote ref {checkpoints.name}")

    monkeypatch.setattr(remote, "run", git)
    assert checkpoints.find(tmp_path)
    head = Head("c" * 40, "t" * 40)
    if is_gone:
        assert checkpoints.fetch(Store(tmp_path), head) is None
    else:
        with pytest.raises(GitHubUnavailable, match="GitHub did not give refs/pullwright/claude/1"):
            checkpoints.fetch(Store(tmp_path), head)
