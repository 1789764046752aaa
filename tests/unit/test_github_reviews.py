"""Reviews and threads on the GitHub stand-in, and who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.github_kit import MAINTAINER, OUTSIDER, REPO, StandIn, message
from tests.unit.pulls_kit import (
    THREADS,
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
