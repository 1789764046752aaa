"""Files of pull requests on the GitHub stand-in, and where comments on their lines are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_standin.git.diffs import changed_files
from github_standin.git.hunks import diff_lines, moved
from tests.unit.github_kit import REPO, StandIn
from tests.unit.pulls_kit import (
    TEN_LINES,
    comments,
    fresh,
    open_pulls,
    payloads,
    review,
    threads,
    with_line,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github_standin.git.repository import GitRepository

NOT_IN_DIFF = (
    "Pull request review thread line must be part of the diff and Pull request review thread diff hunk can't "
    "be blank"
)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module."""
    yield from open_pulls(tmp_path_factory.mktemp("reviews"))


@pytest.fixture
def number(standin: StandIn) -> int:
    """Provide the maintainer's pull request, which changes line 5 of ten and adds a file."""
    fresh(standin)
    write(standin, {"a.txt": with_line(5, "LINE 5\n"), "new.txt": "one\ntwo\n"})
    opened = standin.pull()
    assert opened.status == 201, opened.body
    return int(opened.body["number"])


def test_changed_files_are_listed_with_their_hunks(standin: StandIn, number: int) -> None:
    """`patch` begins with the hunk's header; pages follow GitHub's `Link`."""
    reply = standin.ask("GET", f"{REPO}/pulls/{number}/files", per_page="1")
    [first] = reply.body
    assert (first["filename"], first["status"], first["additions"], first["deletions"]) == (
        *("a.txt", "modified"),
        *(1, 1),
    )
    assert first["patch"].startswith("@@ -2,7 +2,7 @@ line 1\n line 2\n")
    assert 'rel="next"' in reply.headers["Link"]
    [second] = standin.ask("GET", f"{REPO}/pulls/{number}/files", per_page="1", page="2").body
    assert (second["filename"], second["patch"]) == ("new.txt", "@@ -0,0 +1,2 @@\n+one\n+two")


def test_files_beyond_a_page_s_limit_of_lines_look_unchanged(standin: StandIn) -> None:
    """Past 20,000 lines of hunks in one answer a file has no patch and zeros, as users report.

    https://github.com/orgs/community/discussions/213491; one page later it has them.
    """
    fresh(standin)
    write(standin, {"b.txt": "x\n" * 19_990, "c.txt": "y\n" * 30})
    number = standin.pull().body["number"]
    files = {it["filename"]: it for it in standin.get(f"{REPO}/pulls/{number}/files")}
    assert (files["b.txt"]["additions"], "patch" in files["b.txt"]) == (19_990, True)
    assert (files["c.txt"]["changes"], "patch" in files["c.txt"]) == (0, False)
    [alone] = standin.ask("GET", f"{REPO}/pulls/{number}/files", per_page="1", page="2").body
    assert (alone["changes"], "patch" in alone) == (30, True)


def test_a_file_s_hunks_beyond_its_own_limit_are_left_out(standin: StandIn) -> None:
    """More than 500 KB of one file's difference: the counts are there, the patch is not.

    https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits#diff-limits
    """
    fresh(standin)
    write(standin, {"big.txt": ("z" * 600 + "\n") * 900})
    number = standin.pull().body["number"]
    [big] = standin.get(f"{REPO}/pulls/{number}/files")
    assert (big["additions"], "patch" in big) == (900, False)


def test_a_whole_diff_of_many_files_is_refused(standin: StandIn) -> None:
    """More than 300 files as one diff get 406: https://github.com/danger/danger-js/pull/1440."""
    fresh(standin)
    write(standin, {f"f{index}.txt": "x\n" for index in range(301)})
    number = standin.pull().body["number"]
    refused = standin.diff(f"{REPO}/pulls/{number}")
    assert (refused.status, refused.body["errors"][0]["code"]) == (406, "too_large")
    assert len(standin.ask("GET", f"{REPO}/pulls/{number}/files", per_page="100", page="4").body) == 1


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ({"path": "a.txt", "line": 1}, NOT_IN_DIFF),
        ({"path": "a.txt", "line": 5, "side": "LEFT", "start_line": 1}, "same hunk as the line."),
        ({"path": "a.txt", "line": 99, "start_line": 98}, "start line must be part of the same hunk"),
        ({"path": "a.txt", "line": 5, "start_line": 6}, "start line must precede the end line."),
        ({"path": "new.txt", "line": 1, "side": "LEFT"}, NOT_IN_DIFF),
        ({"path": "nowhere.txt", "line": 1}, "Pull request review thread path is invalid"),
        ({"path": "a.txt", "position": 40}, "Pull request review thread position is invalid"),
        ({"path": "a.txt"}, NOT_IN_DIFF),
    ],
)
def test_comments_outside_of_the_difference_are_refused(
    standin: StandIn, number: int, comment: dict[str, Any], words: str
) -> None:
    """Nothing of the review is kept; the words are those of reports such as parkerbxyz/suggest-changes#64."""
    good = {"path": "a.txt", "line": 5, "body": "Good"}
    drafts = [good, {**comment, "body": "Bad"}]
    refused = review(standin, number, event="COMMENT", body="Text", comments=drafts)
    assert (refused.status, refused.body["message"]) == (422, "Unprocessable Entity")
    assert words in refused.body["errors"][0]
    assert standin.get(f"{REPO}/pulls/{number}/reviews") == []
    assert comments(standin, number) == []


def test_a_review_places_its_comments(standin: StandIn, number: int) -> None:
    """Added, removed and unchanged lines of a hunk, several lines at once, and positions."""
    drafts = [
        {"path": "a.txt", "line": 5, "body": "added"},
        {"path": "a.txt", "line": 5, "side": "LEFT", "body": "removed"},
        {"path": "a.txt", "line": 7, "start_line": 5, "body": "several"},
        {"path": "new.txt", "position": 2, "body": "by position"},
    ]
    made = review(standin, number, event="COMMENT", body="Text", comments=drafts)
    assert (made.status, made.body["state"]) == (200, "COMMENTED")
    fields = ("path", "line", "side", "start_line", "start_side", "position")
    assert [tuple(it[name] for name in fields) for it in comments(standin, number)] == [
        ("a.txt", 5, "RIGHT", None, None, 5),
        ("a.txt", 5, "LEFT", None, None, 4),
        ("a.txt", 7, "RIGHT", 5, "RIGHT", 7),
        ("new.txt", 2, "RIGHT", None, None, 2),
    ]
    first = comments(standin, number)[0]
    assert first["diff_hunk"].endswith("-line 5\n+LINE 5")
    listed = standin.get(f"{REPO}/pulls/{number}/reviews/{made.body['id']}/comments")
    assert [it["body"] for it in listed] == ["added", "removed", "several", "by position"]
    # As GitHub documents that list: positions, no lines.
    assert "line" not in listed[0]
    assert standin.get(f"{REPO}/pulls/{number}")["review_comments"] == 4
    [told] = payloads(standin, "pull_request_review")
    assert (told["action"], told["review"]["state"], told["review"]["id"]) == (
        *("submitted", "commented"),
        made.body["id"],
    )
    assert [it["comment"]["body"] for it in payloads(standin, "pull_request_review_comment")] == [
        it["body"] for it in drafts
    ]


def test_comments_follow_their_lines_and_become_outdated(standin: StandIn, number: int) -> None:
    """Lines above move a comment; a change of its own line makes `position` and `line` null."""
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    old = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    review(standin, number, event="COMMENT", body="Text", comments=[draft])
    moved_on = write(standin, {"a.txt": "above\n" + with_line(5, "LINE 5\n")})
    [comment] = comments(standin, number)
    assert (comment["line"], comment["original_line"], comment["commit_id"]) == (6, 5, moved_on)
    assert comment["original_commit_id"] == old
    write(standin, {"a.txt": with_line(5, "Line 5\n")})
    [comment] = comments(standin, number)
    assert (comment["line"], comment["position"], comment["original_position"]) == (None, None, 5)
    [thread] = threads(standin, number)["nodes"]
    assert (thread["isOutdated"], thread["line"], thread["originalLine"]) == (True, None, 5)
    # Back as it was, which leaves the line in no hunk at all.
    write(standin, {"a.txt": TEN_LINES})
    assert comments(standin, number)[0]["line"] is None


@given(
    before=st.lists(st.sampled_from("abc"), max_size=8),
    after=st.lists(st.sampled_from("abc"), max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_a_line_that_moved_is_the_same_line(standin: StandIn, before: list[str], after: list[str]) -> None:
    """Wherever a line is found in another version, the same text stands there; and it moves to one place."""
    git = standin.world.git_store.create("octo", "moves")
    old, new = (_commit(git, "".join(f"{text}\n" for text in texts)) for texts in (before, after))
    found = {line: moved(git, "f", line, old, new) for line in range(1, len(before) + 1)}
    places = [place for place in found.values() if place is not None]
    assert len(set(places)) == len(places)
    assert all(before[line - 1] == after[place - 1] for line, place in found.items() if place is not None)
    for change in changed_files(git, old, new):
        for line in diff_lines(change.patch):
            assert line.left is None or line.right is None or found[line.left] == line.right


def _commit(git: GitRepository, text: str) -> str:
    from github_standin.git.repository import Signature, TreeChange  # noqa: PLC0415 - only used here

    who = Signature("a", "a@b.c", "2026-01-01T00:00:00Z")
    tree = git.write_tree([TreeChange("f", "100644", git.write_blob(text.encode()))])
    return git.write_commit(tree, [], "x", who, who)


def test_several_lines_follow_together_or_not_at_all(standin: StandIn, number: int) -> None:
    """A change of any of the lines that a comment is about makes it outdated."""
    drafts: list[dict[str, Any]] = [
        {"path": "a.txt", "line": 6, "start_line": 4, "body": "here"},
        {"path": "a.txt", "line": 5, "start_line": 5, "start_side": "LEFT", "body": "both sides"},
    ]
    review(standin, number, event="COMMENT", body="Text", comments=drafts)
    write(standin, {"a.txt": "above\n" + with_line(5, "LINE 5\n")})
    found = [(it["start_line"], it["line"], it["original_start_line"]) for it in comments(standin, number)]
    assert found == [(5, 7, 4), (5, 6, 5)]
    write(standin, {"a.txt": with_line(4, "LINE 4\n", with_line(5, "LINE 5\n"))})
    assert [it["line"] for it in comments(standin, number)] == [None, 5]


def test_a_line_without_an_end_has_a_place(standin: StandIn) -> None:
    """Git's remark about it is counted as a position, as GitHub counts lines below the hunk's header."""
    fresh(standin, {"a.txt": "one\ntwo"})
    write(standin, {"a.txt": "one\n2\n"})
    number = standin.pull().body["number"]
    [file] = standin.get(f"{REPO}/pulls/{number}/files")
    assert file["patch"].split("\n")[2:] == ["-two", "\\ No newline at end of file", "+2"]
    draft = {"path": "a.txt", "line": 2, "body": "this"}
    assert review(standin, number, event="COMMENT", body="x", comments=[draft]).status == 200
    assert comments(standin, number)[0]["position"] == 4
