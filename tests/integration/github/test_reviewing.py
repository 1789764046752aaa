"""People who review on the running stand-in, as they do on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import urllib3

from local.people import Person, StandInError
from tests.integration.github.kit import MAINTAINER, address, clone, commit, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.github.kit import Hook, StandIn

READY = (
    "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }"
)


def test_a_review_is_written_answered_and_resolved(stand_in: StandIn, hook: Hook) -> None:
    """From the pushed branch to the resolved thread, with the events that the App listens to."""
    author, reviewer = (Person.join(stand_in.url, login) for login in ("author", "reviewer"))
    name = stand_in.repository("octo/reviewed", permissions={"author": "write", "reviewer": "write"})
    author.commit(name, "work", {"a.txt": "two\n"})
    number = author.open_pull(name, "work", "Two instead of one", draft=True)
    _, payload = hook.next("pull_request", "opened")
    assert payload["pull_request"]["draft"] is True
    reviewer.review(name, number, "REQUEST_CHANGES", "Please", [{"path": "a.txt", "line": 1, "body": "Why?"}])
    _, payload = hook.next("pull_request_review", "submitted")
    assert (payload["review"]["state"], payload["sender"]["login"]) == ("changes_requested", "reviewer")
    [thread] = author.threads(name, number)
    [comment] = thread["comments"]["nodes"]
    author.reply(name, number, int(comment["fullDatabaseId"]), "Because")
    head = author.commit(name, "work", {"a.txt": "three\n"})
    _, payload = hook.next("pull_request", "synchronize")
    assert payload["after"] == head
    author.resolve(thread["id"])
    pull = author.rest("GET", f"/repos/{name}/pulls/{number}")
    author.graphql(READY, id=pull["node_id"])
    [thread] = author.threads(name, number)
    assert (thread["isResolved"], thread["isOutdated"], thread["line"]) == (True, True, None)
    assert [it["body"] for it in thread["comments"]["nodes"]] == ["Why?", "Because"]
    page = urllib3.request("GET", f"{stand_in.url}/{name}/pull/{number}").data.decode()
    assert all(words in page for words in ("changes requested", "Why?", "resolved by author", "outdated"))
    assert urllib3.request("GET", f"{stand_in.url}/{name}/pull/999.diff").status == 404
    merged = author.merge(name, number, "squash")
    _, payload = hook.next("pull_request", "closed")
    assert (payload["pull_request"]["merged"], payload["pull_request"]["merge_commit_sha"]) == (True, merged)
    with pytest.raises(StandInError, match="Could not resolve to a node"):
        author.resolve("PRRT_nothing")


def test_a_fork_s_work_is_fetched_and_pushed_to(stand_in: StandIn, tmp_path: Path) -> None:
    """`refs/pull/N/head` is fetched from the base; a maintainer pushes to that branch of the fork alone."""
    author = Person.join(stand_in.url, "forker")
    name = stand_in.repository("octo/forked")
    author.rest("POST", f"/repos/{name}/forks", {})
    head = author.commit("forker/forked", "work", {"a.txt": "two\n"})
    number = author.open_pull(name, "forker:work", "Two instead of one")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    git(folder, "fetch", "--quiet", "origin", f"refs/pull/{number}/head")
    assert git(folder, "rev-parse", "FETCH_HEAD").strip() == head
    git(folder, "checkout", "--quiet", "FETCH_HEAD")
    fork = address(stand_in, "forker/forked", MAINTAINER)
    pushed = commit(folder, "b.txt", "mended\n")
    assert "permission denied" in git(folder, "push", fork, "HEAD:refs/heads/other", ok=False)
    git(folder, "push", "--quiet", fork, "HEAD:refs/heads/work")
    pull = author.rest("GET", f"/repos/{name}/pulls/{number}")
    assert (pull["head"]["sha"], pull["commits"]) == (pushed, 2)
    author.rest("PATCH", f"/repos/{name}/pulls/{number}", {"maintainer_can_modify": False})
    commit(folder, "b.txt", "again\n")
    assert "Permission to" in git(folder, "push", fork, "HEAD:refs/heads/work", ok=False)
