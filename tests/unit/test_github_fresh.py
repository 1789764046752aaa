"""What GitHub does not know yet: new tokens and new objects are waited for, and never taken as absent.

That GitHub's servers lag is told by its users: https://github.com/actions/create-github-app-token/issues/198.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pullwright.errors import GitHubRefused, GitHubUnavailable, IssueNotFound
from pullwright.github import GitHubClient
from pullwright.github.app import AppSecret, GitHubApp
from pullwright.github.fresh import PAUSES, Fresh
from pullwright.github.payloads import PullRequest
from pullwright.github.transport import Request, Response
from tests.unit.pipeline_kit import API, REPOSITORY, GitHub, key_pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STATUSES = (401, 403, 404)
PERMISSIONS = {"contents": "write", "issues": "write", "pull_requests": "write"}


class Slow:
    """The stand-in, its clock, and a client with a new token."""

    def __init__(self, folder: Path, *, private: bool) -> None:
        self.github = GitHub(folder)
        self.github.repository(private=private)
        self.issue = self.github.issue()
        self.now = self.github._world.now()
        self.github._world.now = lambda: self.now
        self.waits: list[float] = []
        secret = AppSecret(app_id="7", private_key=key_pair()[0])
        self.app = GitHubApp(
            API, lambda: secret, transport=self.github, sleep=self.sleep, clock=lambda: self.now
        )
        self.client = self.app.client(REPOSITORY, PERMISSIONS)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += seconds

    def lag(self, **lags: float) -> None:
        """Make GitHub slow."""
        self.github.control("PUT", "/lags", lags)


@pytest.fixture(params=[False, True], ids=["public", "private"])
def slow(tmp_path: Path, request: pytest.FixtureRequest) -> Slow:
    """Provide a session's beginning."""
    return Slow(tmp_path, private=request.param)


@pytest.mark.parametrize("status", STATUSES)
def test_a_new_token_is_waited_for_by_whatever_comes_first(slow: Slow, status: int) -> None:
    """Read, writes, questions whose answer may be "none", and GraphQL wait until the token is known."""
    slow.lag(token_lag=1.5, token_status=status)
    client, number = slow.client, slow.issue
    calls: list[Callable[[], bool]] = [
        lambda: client.get_issue(REPOSITORY, number).number == number,
        lambda: client.find_branch(REPOSITORY, "main") is not None,
        lambda: client.find_branch(REPOSITORY, "claude/1") is None,
        lambda: client.permission_of(REPOSITORY, "maintainer") == "write",
        lambda: client.create_comment(REPOSITORY, number, "text").id > 0,
        lambda: client.pull_requests_of(REPOSITORY, "claude/1") == [],
        lambda: client.issue_history(REPOSITORY, number) is not None,
    ]
    for call in calls:
        slow.now += 3_600
        slow.client.reaches_repository = False
        slow.waits.clear()
        assert call()
        assert slow.waits == [3.0], call
    assert len(slow.github.comments(number)) == 1


@pytest.mark.parametrize("status", STATUSES)
def test_a_token_that_stays_unknown_is_no_verdict(slow: Slow, status: int) -> None:
    """After GitHub's 3, 10 and 30 seconds it is a passing failure: nothing is said to be missing."""
    slow.lag(token_lag=600, token_status=status)
    for call in (
        lambda: slow.client.get_repository(REPOSITORY),
        lambda: slow.client.get_issue(REPOSITORY, slow.issue),
        lambda: slow.client.find_branch(REPOSITORY, "main"),
        lambda: slow.client.update_comment(REPOSITORY, 1, "text"),
    ):
        slow.now += 3_600
        slow.client.reaches_repository = False
        slow.waits.clear()
        with pytest.raises(GitHubUnavailable):
            call()
        assert tuple(slow.waits) == PAUSES


def test_what_is_absent_for_good_is_told_soon(slow: Slow) -> None:
    """A token that has proved good finds no issue: one look more, then the verdict; none for a branch."""
    slow.client.get_repository(REPOSITORY)
    with pytest.raises(IssueNotFound):
        slow.client.get_issue(REPOSITORY, 99)
    assert slow.client.find_branch(REPOSITORY, "claude/9") is None
    assert slow.waits == [3.0]


def test_a_whole_opening_waits_for_what_it_made(slow: Slow) -> None:
    """Commit, branch, pull request and comment are each known late, and none is made twice or refused."""
    slow.lag(read_lag=1.5)
    client = slow.client
    main = slow.github.head("main")
    tree = client.get_commit(REPOSITORY, main).tree.sha
    commit = client.create_commit(REPOSITORY, tree=tree, parent=main, message="Begin")
    assert client.create_branch(REPOSITORY, "claude/1", commit) is None
    assert client.contains(REPOSITORY, "claude/1", commit)
    fields = {"branch": "claude/1", "base": "main", "title": "T", "body": "B"}
    pull = client.create_pull_request(REPOSITORY, **fields, draft=True)
    assert isinstance(pull, PullRequest)
    assert pull.draft
    comment = client.create_comment(REPOSITORY, pull.number, "text")
    assert client.update_comment(REPOSITORY, comment.id, "more")
    client.mark_ready(client.get_pull_request(REPOSITORY, pull.number))
    assert [one["body"] for one in slow.github.comments(pull.number)] == ["more"]
    assert not slow.github.pulls()[0]["draft"]


def test_what_was_made_elsewhere_is_not_waited_for(slow: Slow) -> None:
    """A warm function works for many repositories, whose branches have the same names."""
    slow.github.repository(full_name="octo/other")
    main = slow.github.head("main")
    assert slow.client.create_branch(REPOSITORY, "claude/1", main) is None
    other = slow.app.client("octo/other", PERMISSIONS)
    assert other.find_branch("octo/other", "claude/1") is None
    assert slow.waits == []


@pytest.mark.parametrize("left", [20.0, 34.0, 50.0])
def test_waits_end_before_the_function_does(tmp_path: Path, left: float) -> None:
    """What is left of a function's time bounds what is waited for."""
    slow = Slow(tmp_path, private=False)
    end = slow.now + left
    slow.app.time_left = lambda: end - slow.now
    slow.lag(token_lag=600, token_status=401)
    with pytest.raises(GitHubUnavailable):
        slow.client.get_repository(REPOSITORY)
    assert sum(slow.waits) <= max(left - 20, 0)


def test_an_old_token_is_judged_at_once() -> None:
    """A minute after it was made, a token that is refused is refused."""
    asked: list[Request] = []

    class Refusing:
        """Takes no token."""

        def send(self, request: Request) -> Response:
            """See `Transport`."""
            asked.append(request)
            return Response(401, {}, {"message": "Bad credentials"})

    client = GitHubClient(API, lambda: "t", transport=Refusing(), fresh=Fresh(lambda: 61.0))
    with pytest.raises(GitHubRefused):
        client.get_issue(REPOSITORY, 1)
    assert len(asked) == 1
