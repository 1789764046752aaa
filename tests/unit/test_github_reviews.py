"""Reviews on the GitHub stand-in: where comments may be, where they go, and who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_standin.git.diffs import changed_files
from github_standin.git.hunks import diff_lines, moved
from tests.unit.github_kit import MAINTAINER, OUTSIDER, REPO, StandIn, message
from tests.unit.pulls_kit import TEN_LINES, fresh, open_pulls, payloads, review, with_line, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github_standin.git.repository import GitRepository

NOT_IN_DIFF = (
    "Pull request review thread line must be part of the diff and Pull request review thread diff hunk can't "
    "be blank"
)
THREADS = """query($n: Int!, $after: String) { repository(owner: "octo", name: "app") {
  pullRequest(number: $n) { reviewThreads(first: 2, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes {
    id isResolved isOutdated path line startLine originalLine diffSide resolvedBy { login }
    comments(first: 10) { nodes { fullDatabaseId databaseId body author { login } outdated
      replyTo { fullDatabaseId } } } } } } } }"""
RESOLVE = """mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) {
  thread { isResolved resolvedBy { login } } } }"""
UNRESOLVE = RESOLVE.replace("resolveReviewThread", "unresolveReviewThread")


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


def comments(standin: StandIn, number: int, **query: str) -> list[dict[str, Any]]:
    """Return the comments in a pull request's threads."""
    found: list[dict[str, Any]] = standin.ask("GET", f"{REPO}/pulls/{number}/comments", **query).body
    return found


def threads(standin: StandIn, number: int, after: str | None = None) -> dict[str, Any]:
    """Return a page of a pull request's threads."""
    answer = standin.graphql(THREADS, MAINTAINER, n=number, after=after)
    found: dict[str, Any] = answer["data"]["repository"]["pullRequest"]["reviewThreads"]
    return found


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


def test_nobody_judges_their_own_pull_request(standin: StandIn, number: int) -> None:
    """GitHub's words, as in https://github.com/hubtty/hubtty/issues/33; a comment is fine."""
    for event, what in (("APPROVE", "approve"), ("REQUEST_CHANGES", "request changes on")):
        refused = review(standin, number, event=event, body="Text")
        assert refused.body["errors"] == [f"Can not {what} your own pull request"]
        assert refused.status == 422
    assert review(standin, number, event="COMMENT", body="Text").status == 200
    assert review(standin, number, OUTSIDER, event="APPROVE").body["state"] == "APPROVED"
    assert review(standin, number, event="COMMENT").status == 422
    assert review(standin, number, event="NOD", body="Text").status == 422


def test_an_app_reviews_with_pull_requests_alone_and_resolves_with_contents(
    standin: StandIn, number: int
) -> None:
    """Resolving wants `contents: write` too: https://github.com/github/gh-aw/issues/35726."""
    fresh(
        standin, installation_permissions={"contents": "write", "pull_requests": "write", "issues": "write"}
    )
    write(standin, {"a.txt": with_line(5, "LINE 5\n")})
    number = standin.pull().body["number"]
    narrow = standin.token(pull_requests="write", contents="read")
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    assert review(standin, number, standin.token(issues="write"), event="COMMENT", body="x").status == 403
    made = review(standin, number, narrow, event="COMMENT", body="Text", comments=[draft])
    assert (made.status, made.body["user"]["type"]) == (200, "Bot")
    [thread] = threads(standin, number)["nodes"]
    refused = standin.graphql(RESOLVE, narrow, id=thread["id"])
    assert refused["errors"][0]["type"] == "FORBIDDEN"
    assert refused["errors"][0]["message"] == "Resource not accessible by integration"
    wide = standin.token(pull_requests="write", contents="write")
    done = standin.graphql(RESOLVE, wide, id=thread["id"])["data"]["resolveReviewThread"]["thread"]
    assert done == {"isResolved": True, "resolvedBy": None}
    [told] = payloads(standin, "pull_request_review_thread")
    assert (told["action"], told["thread"]["node_id"]) == ("resolved", thread["id"])
    assert [it["body"] for it in told["thread"]["comments"]] == ["this"]
    changed = {"body": "that"}
    path = f"{REPO}/pulls/{number}/reviews/{made.body['id']}"
    assert standin.ask("PUT", path, changed, narrow).body["body"] == "that"
    assert payloads(standin, "pull_request_review")[-1]["changes"] == {"body": {"from": "Text"}}
    assert standin.get(path)["body"] == "that"


def test_people_answer_in_threads_and_resolve_them(standin: StandIn, number: int) -> None:
    """An answer is a review of its own, with its event; strangers do not resolve, the author does."""
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    review(standin, number, OUTSIDER, event="COMMENT", body="", comments=[draft])
    [first] = comments(standin, number)
    path = f"{REPO}/pulls/{number}/comments/{first['id']}/replies"
    answer = standin.ask("POST", path, {"body": "Done"}, MAINTAINER)
    assert (answer.status, answer.body["in_reply_to_id"]) == (201, first["id"])
    again = {"body": "And more", "in_reply_to": first["id"]}
    assert standin.ask("POST", f"{REPO}/pulls/{number}/comments", again).status == 201
    assert standin.ask("POST", path.replace(str(first["id"]), "1"), {"body": "x"}).status == 404
    to_reply = path.replace(str(first["id"]), str(answer.body["id"]))
    assert standin.ask("POST", to_reply, {"body": "x"}).status == 422
    last = payloads(standin, "pull_request_review")[-1]["review"]
    assert (last["state"], last["body"]) == ("commented", None)
    [thread] = threads(standin, number)["nodes"]
    assert [it["body"] for it in thread["comments"]["nodes"]] == ["this", "Done", "And more"]
    # Numbers beyond 32 bits do not fit GraphQL's `Int`.
    shown = thread["comments"]["nodes"][1]
    assert (shown["databaseId"], shown["fullDatabaseId"]) == (None, str(answer.body["id"]))
    assert shown["replyTo"]["fullDatabaseId"] == str(first["id"])
    refused = standin.graphql(RESOLVE, OUTSIDER, id=thread["id"])
    assert refused["errors"][0]["type"] == "FORBIDDEN"
    done = standin.graphql(RESOLVE, MAINTAINER, id=thread["id"])["data"]["resolveReviewThread"]["thread"]
    assert done == {"isResolved": True, "resolvedBy": {"login": "maintainer"}}
    back = standin.graphql(UNRESOLVE, MAINTAINER, id=thread["id"])["data"]["unresolveReviewThread"]
    assert back["thread"]["isResolved"] is False
    node = standin.graphql(
        "query($id: ID!) { node(id: $id) { ... on PullRequestReviewThread { path isResolved } } }",
        MAINTAINER,
        id=thread["id"],
    )
    assert node["data"]["node"] == {"path": "a.txt", "isResolved": False}
    assert [it["action"] for it in payloads(standin, "pull_request_review_thread")] == [
        *("resolved", "unresolved")
    ]


def test_comments_are_listed_changed_and_deleted(standin: StandIn, number: int) -> None:
    """By pages and order, with an event for each change; others' comments are not changed by strangers."""
    head = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    for line in (1, 2):
        body = {"path": "new.txt", "line": line, "body": f"at {line}", "commit_id": head}
        standin.time[0] += 1
        assert standin.ask("POST", f"{REPO}/pulls/{number}/comments", body).status == 201
    outside = {"path": "a.txt", "line": 1, "body": "x", "commit_id": head}
    refused = standin.ask("POST", f"{REPO}/pulls/{number}/comments", outside)
    assert message(refused) == (422, "pull_request_review_thread.line must be part of the diff")
    assert [it["body"] for it in comments(standin, number, per_page="1", page="2")] == ["at 2"]
    newest = comments(standin, number, sort="created", direction="desc")
    assert [it["body"] for it in newest] == ["at 2", "at 1"]
    path = f"{REPO}/pulls/comments/{newest[0]['id']}"
    assert standin.ask("PATCH", path, {"body": "other"}, OUTSIDER).status == 403
    assert standin.ask("PATCH", path, {"body": "other"}).body["body"] == "other"
    assert standin.get(path)["body"] == "other"
    assert payloads(standin, "pull_request_review_comment")[-1]["changes"] == {"body": {"from": "at 2"}}
    assert standin.ask("DELETE", path).status == 204
    assert standin.ask("GET", path).status == 404
    assert payloads(standin, "pull_request_review_comment")[-1]["action"] == "deleted"
    assert threads(standin, number)["totalCount"] == 1


def test_threads_come_in_pages_by_cursor(standin: StandIn, number: int) -> None:
    """`after` goes on where a page ended; wrong cursors and too large pages are refused."""
    drafts = [{"path": "new.txt", "line": 1, "body": str(index)} for index in range(3)]
    review(standin, number, event="COMMENT", body="Text", comments=drafts)
    first = threads(standin, number)
    assert (first["totalCount"], len(first["nodes"]), first["pageInfo"]["hasNextPage"]) == (3, 2, True)
    second = threads(standin, number, first["pageInfo"]["endCursor"])
    assert (len(second["nodes"]), second["pageInfo"]["hasNextPage"]) == (1, False)
    back = THREADS.replace("first: 2, after: $after", "last: 2, before: $after")
    earlier = standin.graphql(back, MAINTAINER, n=number, after=second["pageInfo"]["endCursor"])
    page = earlier["data"]["repository"]["pullRequest"]["reviewThreads"]
    assert [it["id"] for it in page["nodes"]] == [it["id"] for it in first["nodes"]]
    wrong = standin.graphql(THREADS, MAINTAINER, n=number, after="?")
    assert wrong["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"
    large = standin.graphql(THREADS.replace("first: 2", "first: 101"), MAINTAINER, n=number)
    assert large["errors"][0]["type"] == "EXCESSIVE_PAGINATION"


def test_a_pending_review_is_its_authors_until_it_is_submitted(standin: StandIn, number: int) -> None:
    """Nobody else sees it, there is one of them, and it can be deleted or submitted."""
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    made = review(standin, number, comments=[draft]).body
    assert (made["state"], "submitted_at" in made) == ("PENDING", False)
    again = review(standin, number)
    assert again.body["errors"] == ["User can only have one pending review per pull request"]
    assert standin.get(f"{REPO}/pulls/{number}/reviews", OUTSIDER) == []
    assert comments(standin, number) == []
    path = f"{REPO}/pulls/{number}/reviews/{made['id']}"
    assert standin.ask("GET", path, token=OUTSIDER).status == 404
    assert standin.ask("DELETE", path).status == 200
    second = review(standin, number, comments=[draft]).body["id"]
    path = f"{REPO}/pulls/{number}/reviews/{second}"
    assert payloads(standin, "pull_request_review") == []
    assert standin.ask("POST", f"{path}/events", {"event": "COMMENT"}).body["state"] == "COMMENTED"
    assert len(comments(standin, number)) == 1
    assert standin.ask("POST", f"{path}/events", {"event": "COMMENT"}).status == 422
    assert standin.ask("DELETE", path).status == 422


def test_reviews_are_dismissed_by_people_who_may_write(standin: StandIn, number: int) -> None:
    """An approval loses its force, with an event; a mere comment cannot."""
    approval = review(standin, number, OUTSIDER, event="APPROVE").body["id"]
    path = f"{REPO}/pulls/{number}/reviews/{approval}/dismissals"
    assert standin.ask("PUT", path, {"message": "No"}, OUTSIDER).status == 403
    assert standin.ask("PUT", path, {"message": "No"}).body["state"] == "DISMISSED"
    assert payloads(standin, "pull_request_review")[-1]["action"] == "dismissed"
    refused = standin.ask("PUT", path, {"message": "No"})
    assert refused.body["errors"] == ["Can not dismiss a dismissed pull request review"]


def test_a_review_of_an_older_commit_is_placed_there(standin: StandIn, number: int) -> None:
    """`commit_id` may be any commit of the pull request; a stranger to it is refused."""
    old = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    write(standin, {"a.txt": with_line(5, "Line 5\n")})
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    made = review(standin, number, event="COMMENT", body="x", commit_id=old, comments=[draft])
    assert made.body["commit_id"] == old
    assert comments(standin, number)[0]["line"] is None
    main = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    refused = review(standin, number, event="COMMENT", body="x", commit_id=main)
    assert refused.status == 422


def test_a_locked_conversation_takes_reviews_of_writers_only(standin: StandIn, number: int) -> None:
    """As it takes comments."""
    standin.ask("PUT", f"{REPO}/issues/{number}/lock", {})
    assert review(standin, number, OUTSIDER, event="COMMENT", body="x").status == 403
    assert review(standin, number, event="COMMENT", body="x").status == 200


def test_comments_in_threads_are_reacted_to(standin: StandIn, number: int) -> None:
    """Once by each person; the comment counts them."""
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    review(standin, number, event="COMMENT", body="Text", comments=[draft])
    path = f"{REPO}/pulls/comments/{comments(standin, number)[0]['id']}/reactions"
    statuses = [standin.ask("POST", path, {"content": "eyes"}, OUTSIDER).status for _ in range(2)]
    assert statuses == [201, 200]
    assert [it["content"] for it in standin.get(path)] == ["eyes"]
    assert comments(standin, number)[0]["reactions"]["eyes"] == 1


def test_new_reviews_are_hidden_from_the_app_for_a_while(standin: StandIn, number: int) -> None:
    """As other things that were just made; people see them at once."""
    token = standin.token()
    standin.control("PUT", "/lags", {"read_lag": 5})
    standin.time[0] += 6
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    made = review(standin, number, token, event="COMMENT", body="Text", comments=[draft]).body["id"]
    paths = [
        f"{REPO}/pulls/{number}/reviews/{made}",
        f"{REPO}/pulls/comments/{comments(standin, number)[0]['id']}",
    ]
    assert [standin.ask("GET", path, token=token).status for path in paths] == [404, 404]
    assert [standin.ask("GET", path).status for path in paths] == [200, 200]
    standin.time[0] += 6
    assert [standin.ask("GET", path, token=token).status for path in paths] == [200, 200]
    standin.control("PUT", "/lags", {"read_lag": 0})
