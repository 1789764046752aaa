"""A session that only comments: on whose pull requests, beside whom, and with which permissions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pullwright.comments import TRACKING_MARKER
from pullwright.errors import (
    AlreadyRunning,
    BranchBusy,
    ForkGone,
    InvalidRequest,
    NotAllowed,
    PullRequestClosed,
    PullRequestNotFound,
)
from pullwright.github.transport import Response
from pullwright.opening import open_pull_request as opening
from pullwright.workers.definition import WorkerDefinition
from tests.unit.pipeline_kit import ASKED, BOT, REPOSITORY, ROOT, STRANGER, Deployment, refused

LOCK = f"LOCK#{REPOSITORY}#pull:1:review"


def pull(deployment: Deployment, branch: str = "topic", title: str = "Add a topic") -> int:
    """Open a person's pull request and return its number."""
    deployment.github.commit(branch)
    fields = {"title": title, "head": branch, "base": "main", "body": "Please read."}
    return int(deployment.github.person("POST", "/pulls", fields)["number"])


def review(deployment: Deployment, session_id: str = "r-1", **more: Any) -> Any:
    """Open a review of the first pull request."""
    return deployment.open(session_id, **{"pull_request": 1, "worker": "review", **more})


def allow(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """Let the repository's file for `review` say something."""
    worker = WorkerDefinition.model_validate({"id": "review", **fields})
    monkeypatch.setattr(opening, "find_worker", lambda *_: worker)


def from_fork(deployment: Deployment, head: dict[str, Any] | None) -> None:
    """Let GitHub say of the pull request that its branch is in another repository, or in none any more."""
    shown = deployment.github.person("GET", "/pulls/1")
    shown["head"]["repo"] = head
    deployment.github.before.append(("GET", "/pulls/1", Response(200, {}, shown)))


def test_a_review_makes_one_comment_and_nothing_else(deployment: Deployment) -> None:
    """No branch, no commit, no pull request and no reaction is made; the request names the commit."""
    number = pull(deployment)
    before = deployment.github.person("GET", "/git/matching-refs/heads/")
    opened = review(deployment)
    assert deployment.github.person("GET", "/git/matching-refs/heads/") == before
    [found] = deployment.github.pulls()
    [comment] = deployment.github.comments(number)
    assert (found["draft"], opened.pull_request, opened.comment_id) == (False, number, comment["id"])
    assert comment["user"]["login"] == BOT
    assert comment["body"].startswith("<!-- pullwright:comment:review -->")
    assert deployment.github.person("GET", f"/issues/{number}/reactions") == []
    request = deployment.artifacts.read_request("r-1")
    assert request is not None
    assert (request.mode, request.worker, request.issue) == ("comment", "review", None)
    assert (request.head_commit, request.base) == (deployment.github.head("topic"), "main")
    assert (request.branch, request.is_fork) == ("pull/1/head", False)
    assert deployment.store.read_session("r-1").mode == "comment"


def test_no_token_of_its_opening_can_write_contents(deployment: Deployment) -> None:
    """GitHub is asked for tokens that read contents, and write nothing but comments."""
    pull(deployment)
    review(deployment)
    wanted = {"contents": "read", "issues": "write", "pull_requests": "write", "metadata": "read"}
    assert deployment.github.permissions() == [wanted]


def test_a_review_and_the_writer_do_not_wait_for_each_other(deployment: Deployment) -> None:
    """Each has a lock and a comment of its own on the same pull request."""
    deployment.github.issue()
    writer = deployment.open("s-1", issue=1)
    opened = deployment.open("r-1", pull_request=writer.pull_request, worker="review")
    name = f"LOCK#{REPOSITORY}#pull:{writer.pull_request}:review"
    assert sorted(deployment.store.locks()) == [f"LOCK#{REPOSITORY}#claude/1", name]
    assert opened.comment_id != writer.comment_id
    texts = [comment["body"] for comment in deployment.github.comments(writer.pull_request)]
    assert sum(TRACKING_MARKER in text for text in texts) == 1
    deployment.end("r-1")
    assert deployment.open("s-1", issue=1).comment_id == writer.comment_id


def test_the_same_commit_is_not_read_twice_at_once(deployment: Deployment) -> None:
    """A second request for the commit that is being read ends with a link to the first."""
    pull(deployment)
    review(deployment)
    with pytest.raises(AlreadyRunning, match="#issuecomment-"):
        review(deployment, "r-2")
    assert deployment.store.locks() == [LOCK]


def test_a_newer_commit_waits_for_the_session_that_reads_the_older(deployment: Deployment) -> None:
    """A push during a review is reviewed afterwards, with the same comment."""
    pull(deployment)
    first = review(deployment)
    deployment.github.commit("topic")
    with pytest.raises(BranchBusy):
        review(deployment, "r-2")
    deployment.end("r-1")
    assert review(deployment, "r-2").comment_id == first.comment_id
    request = deployment.artifacts.read_request("r-2")
    assert request is not None
    assert request.head_commit == deployment.github.head("topic")


def test_a_worker_that_is_told_to_skip_does_not_wait(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `concurrency: skip` the newer commit's session ends."""
    pull(deployment)
    review(deployment)
    deployment.github.commit("topic")
    allow(monkeypatch, concurrency="skip")
    with pytest.raises(AlreadyRunning):
        review(deployment, "r-2")


@pytest.mark.parametrize(("status", "is_read_again"), [("SUCCEEDED", False), ("FAILED", True)])
def test_of_several_that_waited_one_reads(
    deployment: Deployment, status: str, *, is_read_again: bool
) -> None:
    """Who was asked before the newest commit was read has nothing left to do, unless that failed."""
    pull(deployment)
    early = datetime.now(UTC) - timedelta(minutes=1)
    review(deployment)
    deployment.end("r-1")
    deployment.store.update_session("r-1", {"status": status})
    if is_read_again:
        review(deployment, "r-2", started_at=early)
    else:
        with pytest.raises(AlreadyRunning, match="has read the same commit"):
            review(deployment, "r-2", started_at=early)
        assert deployment.store.locks() == []


def test_who_asks_later_gets_another_review_of_the_same_commit(deployment: Deployment) -> None:
    """Starting it again after it has ended is a wish that counts."""
    pull(deployment)
    first = review(deployment)
    deployment.end("r-1")
    deployment.store.update_session("r-1", {"status": "SUCCEEDED"})
    assert review(deployment, "r-2").comment_id == first.comment_id


def test_an_attempt_that_died_is_taken_up_by_the_next(deployment: Deployment) -> None:
    """A comment whose answer was lost is found again."""
    number = pull(deployment)
    deployment.github.after.append(("POST", "/comments", Response(502, {})))
    with pytest.raises(Exception, match="502"):
        review(deployment)
    review(deployment)
    assert len(deployment.github.comments(number)) == 1


def test_a_prompt_alone_is_nothing_to_comment_on(deployment: Deployment) -> None:
    """It is refused with what to give instead."""
    error = refused(deployment, InvalidRequest, worker="review", prompt="Read it all")
    assert "pull_request or issue" in error.remedy


def test_an_issue_is_commented_on_without_any_branch(deployment: Deployment) -> None:
    """Also one without a description: no branch and no pull request is made, and the comment stands there."""
    number = deployment.github.issue(body=None)
    before = deployment.github.person("GET", "/git/matching-refs/heads/")
    opened = deployment.open("r-1", issue=number, worker="review")
    assert deployment.github.pulls() == []
    assert deployment.github.person("GET", "/git/matching-refs/heads/") == before
    [comment] = deployment.github.comments(number)
    assert (opened.comment_id, opened.pull_request_url) == (
        comment["id"],
        f"{ROOT}/{REPOSITORY}/issues/{number}",
    )
    request = deployment.artifacts.read_request("r-1")
    assert request is not None
    assert (request.issue, request.head_commit) == (number, deployment.github.head("main"))
    with pytest.raises(AlreadyRunning):
        deployment.open("r-2", issue=number, worker="review")
    deployment.end("r-1")
    assert deployment.open("r-3", issue=number, worker="review").comment_id == comment["id"]
    assert {held["contents"] for held in deployment.github.permissions()} == {"read"}


@pytest.mark.parametrize("merged", [False, True])
def test_a_pull_request_that_is_over_is_not_read(deployment: Deployment, *, merged: bool) -> None:
    """The refusal says whether it was closed or merged."""
    number = pull(deployment)
    if merged:
        deployment.github.person("PUT", f"/pulls/{number}/merge")
    else:
        deployment.github.person("PATCH", f"/pulls/{number}", {"state": "closed"})
    error = refused(deployment, PullRequestClosed, pull_request=number, worker="review")
    assert error.sentence.endswith("merged." if merged else "closed.")


def test_a_fork_is_read_and_never_written_to(deployment: Deployment) -> None:
    """A pull request from a fork can be read; the worker that writes refuses it."""
    pull(deployment)
    fork = {"full_name": "stranger/widgets"}
    from_fork(deployment, fork)
    refused(deployment, PullRequestNotFound, pull_request=1)
    from_fork(deployment, fork)
    review(deployment)
    request = deployment.artifacts.read_request("r-1")
    assert request is not None
    assert (request.is_fork, request.branch) == (True, "pull/1/head")


def test_a_fork_that_vanished_is_an_end_of_its_own(deployment: Deployment) -> None:
    """Where nobody could push any more, nothing is read."""
    pull(deployment)
    from_fork(deployment, None)
    refused(deployment, ForkGone, pull_request=1, worker="review")


@pytest.mark.parametrize(
    ("fields", "is_allowed"),
    [
        ({"allow": "everybody", "on": {"event": "pull_request", "fork": True}}, True),
        ({"allow": "everybody", "on": {"event": "pull_request"}}, False),
        ({"on": {"event": "pull_request", "fork": True}}, False),
        ({}, False),
    ],
)
def test_forks_of_strangers_need_both_switches(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], *, is_allowed: bool
) -> None:
    """What a webhook starts counts for strangers with `allow: everybody`, for forks with `fork: true`."""
    pull(deployment)
    allow(monkeypatch, **fields)
    from_fork(deployment, {"full_name": "stranger/widgets"})
    asked = {**ASKED, "requested_by": STRANGER}
    if is_allowed:
        review(deployment, **asked)
    else:
        refused(deployment, NotAllowed, pull_request=1, worker="review", **asked)


@pytest.mark.parametrize("everybody", [False, True])
def test_strangers_start_what_is_open_to_everybody(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, *, everybody: bool
) -> None:
    """By default only people with write permission start a review."""
    pull(deployment)
    allow(monkeypatch, allow="everybody" if everybody else "writers")
    asked = {**ASKED, "requested_by": STRANGER}
    if everybody:
        review(deployment, **asked)
    else:
        refused(deployment, NotAllowed, pull_request=1, worker="review", **asked)
