"""Git over HTTP with a token that GitHub does not know everywhere yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import GitHubUnavailable
from runner.git import remote
from runner.git.command import Done, GitError
from runner.git.remote import Remote

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
