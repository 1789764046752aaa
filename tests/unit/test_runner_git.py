"""What may be pushed, under which message, and what GitHub's answers mean."""

from __future__ import annotations

import pytest

from pullwright.errors import InternalError
from runner.git.command import network_environment
from runner.git.message import commit_message
from runner.git.push import Rejection, parse_porcelain
from runner.git.tree import parse_changes, parse_numstat
from tests.unit.runner_kit import a_request

REF = "refs/heads/claude/7"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (" \tabc:refs/heads/claude/7\tabc..def", None),
        ("*\tabc:refs/heads/claude/7\t[new branch]", None),
        ("=\tabc:refs/heads/claude/7\t[up to date]", None),
        ("!\tabc:refs/heads/claude/7\t[rejected] (fetch first)", "PushRefused"),
        ("!\tabc:refs/heads/claude/7\t[rejected] (non-fast-forward)", "PushRefused"),
        ("!\tabc:refs/heads/claude/7\t[remote rejected] (protected branch hook declined)", "BranchProtected"),
        (
            "!\tabc:refs/heads/claude/7\t[remote rejected] (push declined due to repository rule violations)",
            "BranchProtected",
        ),
        ("!\tabc:refs/heads/claude/7\t[remote rejected] (pre-receive hook declined)", "PushRefused"),
        ("!\tabc:refs/heads/claude/7\t[remote failure] (x)", "PushRefused"),
        ("!\tabc:refs/heads/other\t[remote rejected] (x)", None),
    ],
)
def test_a_push_is_understood_by_its_fields(line: str, error: str | None) -> None:
    """Flag, ref and the protocol's reason tell an accepted push from each kind of rejection."""
    found = parse_porcelain(f"To https://github.com/acme/shop.git\n{line}\nDone\n", REF)
    assert (type(found.failure("claude/7")).__name__ if found else None) == error


def test_a_branch_that_moved_is_no_fault_of_github() -> None:
    """A push that is no fast-forward says that somebody else pushed."""
    found = parse_porcelain(f"!\tabc:{REF}\t[rejected] (fetch first)", REF)
    assert found == Rejection(by_remote=False, reason="fetch first")
    assert "Somebody else" in found.failure("claude/7").sentence


def test_changes_are_read_with_any_path() -> None:
    """Tabs, line breaks and bytes that are no UTF-8 in a path confuse nothing."""
    raw = (
        b":000000 100644 " + b"0" * 40 + b" " + b"a" * 40 + b" A\0a\tb\nc\0"
        b":100644 000000 " + b"b" * 40 + b" " + b"0" * 40 + b" D\0\xff\0"
    )
    changes = parse_changes(raw)
    assert [(change.path, change.mode) for change in changes] == [("a\tb\nc", "100644"), ("\udcff", "000000")]
    assert parse_changes(b"") == []


def test_lines_are_counted_without_binary_files() -> None:
    """Binary files have no lines."""
    assert parse_numstat(b"3\t1\ta.py\0-\t-\tb.png\x0010\t0\tc\td\0") == (13, 1)


def test_the_message_names_session_and_people() -> None:
    """Subject from the issue, body from the agent, trailers from us."""
    message = commit_message(
        a_request(), "## Done\n\nThe greeting is spelt `hello` now.\n\nSigned-off-by: Outsider"
    )
    assert message == (
        "The greeting is misspelt\n\nDone\n\n"
        "Pullwright-Session: implement-7-x\n"
        "Co-authored-by: maintainer <maintainer@users.noreply.github.com>\n"
    )


@pytest.mark.parametrize(
    ("summary", "present", "absent"),
    [
        (
            "Fixes #12 and closes acme/other#3",
            "Fixes issue #\u200b12 and closes issue acme/other#\u200b3",
            "Fixes #12",
        ),
        ("Closes: GH-3, resolved:#4", "Closes issue GH\u200b-3, resolved issue #\u200b4", ":#4"),
        ("fix https://github.com/a/b/pull/9", "fix issue https:\u200b//", "fix https"),
        ("Signed-off-by: Maintainer", "Signed-off-by Maintainer", "Signed-off-by:"),
        ("Pullwright-Session : x", "Pullwright-Session x", "Session :"),
        ("Done [skip ci] [CI SKIP] [no ci]", "Done skip ci CI SKIP no ci", "[skip"),
        ("Thanks @maintainer", "Thanks @\u200bmaintainer", "@maintainer"),
        ("BREAKING CHANGE: all", "BREAKING\u200b CHANGE all", "CHANGE:"),
        ("fixes#7", "fixes issue #\u200b7", "fixes#"),
        ("a\x1b[31mb\x00c", "a[31mbc", "\x1b"),
        ("Done <!-- a\n\nb --> here", "Done here", "<!--"),
    ],
)
def test_the_agents_words_cause_nothing_on_github(summary: str, present: str, absent: str) -> None:
    """No issue is closed, nobody notified and no check skipped by what the agent wrote."""
    message = commit_message(a_request(requested_by=None), summary)
    assert present in message
    assert absent not in message


def test_a_subject_fits_on_a_line() -> None:
    """Long and hostile titles become one short line, and an empty one has a stand-in."""
    subject = commit_message(a_request(title="word " * 50 + "\n\nCloses #1"), "").split("\n")[0]
    assert len(subject) <= 72
    assert commit_message(a_request(title=" "), "").startswith("Work of the agent\n")


def test_a_login_that_is_none_stands_in_no_trailer() -> None:
    """Only what can be a login is written as a co-author."""
    assert "Co-authored-by" not in commit_message(a_request(requested_by="a <b@c>\nX: y"), "")


def test_a_token_goes_to_its_origin_only() -> None:
    """The header is bound to scheme, host and port, and only that protocol is allowed."""
    variables = network_environment("https://ghe.example:8443/a/b.git", "ghs_x")
    headers = [value for key, value in variables.items() if "extraHeader" in value and "KEY" in key]
    assert headers == ["http.https://ghe.example:8443/.extraHeader"]
    assert variables["GIT_ALLOW_PROTOCOL"] == "https"
    assert "ghs_x" not in str(variables)


@pytest.mark.parametrize(
    "url", ["git@github.com:a/b.git", "ssh://github.com/a", "file:///x", "https://t@h/x", "ext::sh"]
)
def test_a_token_is_sent_to_no_odd_address(url: str) -> None:
    """Anything but a plain http(s) address is a defect, not a place for a token."""
    with pytest.raises(InternalError):
        network_environment(url, "ghs_x")
