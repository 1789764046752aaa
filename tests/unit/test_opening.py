"""From a request to a draft pull request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from github_standin.workflows import skips
from pullwright.comments import TRACKING_MARKER
from pullwright.errors import (
    AlreadyRunning,
    AppNotInstalled,
    BaseBranchNotFound,
    BranchNotOurs,
    BranchProtected,
    GitHubUnavailable,
    InvalidRequest,
    NotAllowed,
    PermissionMissing,
    PullRequestClosed,
    PullRequestNotFound,
    PullwrightError,
    RepositoryArchived,
    RepositoryEmpty,
    SessionsPaused,
)
from pullwright.github.client import GitHubClient
from pullwright.github.payloads import Comment
from pullwright.github.transport import Response
from pullwright.opening.pull_request import track
from pullwright.store import DRAINING
from tests.unit.pipeline_kit import ASKED, BODY, BOT, PERSON, REPOSITORY, ROOT, STRANGER, Deployment, refused
from tests.unit.runner_kit import a_request

if TYPE_CHECKING:
    from pathlib import Path


def test_an_issue_gets_branch_draft_and_comment(deployment: Deployment) -> None:
    """One request makes the branch, the draft that closes the issue, the comment and the acknowledgement."""
    number = deployment.github.issue()
    opened = deployment.open(issue=number)
    [pull] = deployment.github.pulls()
    assert (pull["draft"], pull["head"]["ref"], pull["user"]["login"]) == (True, "claude/1", BOT)
    assert f"Closes #{number}" in pull["body"]
    [comment] = deployment.github.comments(pull["number"])
    assert TRACKING_MARKER in comment["body"]
    assert (opened.pull_request, opened.comment_id) == (pull["number"], comment["id"])
    assert (opened.timeout_seconds, opened.max_sessions) == (30 * 60 + 900, 4)
    [reaction] = deployment.github.person("GET", f"/issues/{number}/reactions")
    assert reaction["content"] == "eyes"


@pytest.mark.parametrize("name", ["fix.login", "octo@42", "größer", "a" * 79 + "=", "(1)"])
def test_a_name_that_no_task_would_take_makes_nothing(deployment: Deployment, name: str) -> None:
    """A name that Step Functions accepts and the task does not is refused before anything is made."""
    deployment.github.issue()
    with pytest.raises(InvalidRequest, match="name: the execution is called"):
        deployment.open(name, issue=1)
    assert deployment.github.pulls() == []
    assert deployment.artifacts.read_request(name) is None


def test_the_first_commit_is_empty_and_the_bots(deployment: Deployment) -> None:
    """The branch begins with a commit that changes nothing, is the bot's and bears GitHub's signature."""
    deployment.github.issue()
    deployment.open(issue=1)
    main, head = (
        deployment.github.person("GET", f"/git/ref/heads/{name}")["object"]["sha"]
        for name in ("main", "claude/1")
    )
    commit = deployment.github.person("GET", f"/git/commits/{head}")
    base = deployment.github.person("GET", f"/git/commits/{main}")
    assert commit["tree"]["sha"] == base["tree"]["sha"]
    assert not skips(commit["message"])
    assert commit["author"]["name"] == BOT
    assert commit["verification"]["verified"], commit["verification"]


def test_the_task_gets_the_whole_request(deployment: Deployment) -> None:
    """request.json carries text, places, limits and author; the record carries the same places."""
    deployment.github.issue()
    opened = deployment.open(issue=1, limits={"usd": 1.5}, requested_by=PERSON)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert (request.title, request.body, request.base) == ("Sum of nothing", BODY, "main")
    assert request.git_url == f"{ROOT}/{REPOSITORY}.git"
    assert (request.limits.usd, request.limits.turns, request.limits.minutes) == (1.5, 100, 30)
    assert request.comment_id == opened.comment_id
    record = deployment.store.read_session("s-1")
    assert record.pull_request_url == opened.pull_request_url
    assert (record.branch, record.base, record.requested_by) == ("claude/1", "main", PERSON)
    assert (record.installation_id or 0) > 0


def test_the_same_session_again_finds_everything(deployment: Deployment) -> None:
    """A repeated attempt of one session answers the same and makes nothing new."""
    deployment.github.issue()
    assert deployment.open(issue=1) == deployment.open(issue=1)
    [pull] = deployment.github.pulls()
    assert len(deployment.github.comments(pull["number"])) == 1


def test_a_later_session_goes_on_with_the_same_pull_request(deployment: Deployment) -> None:
    """A second session on the issue uses the first one's branch, pull request and comment."""
    deployment.github.issue()
    first = deployment.open(issue=1)
    deployment.end()
    deployment.github.commit("claude/1")
    second = deployment.open("s-2", issue=1)
    assert (second.pull_request, second.comment_id) == (first.pull_request, first.comment_id)


@pytest.mark.parametrize(
    ("method", "end"),
    [
        ("POST", "/git/commits"),
        ("POST", "/git/refs"),
        ("POST", "/pulls"),
        ("POST", "/comments"),
    ],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_attempt_that_died_is_taken_up_by_the_next(
    deployment: Deployment, method: str, end: str, moment: str
) -> None:
    """Wherever GitHub fails, before it did its part or after, the next attempt ends with one of each."""
    deployment.github.issue()
    answers = deployment.github.before if moment == "before" else deployment.github.after
    answers.append((method, end, Response(502, {})))
    refused(deployment, GitHubUnavailable, issue=1)
    deployment.open(issue=1)
    [pull] = deployment.github.pulls()
    assert len(deployment.github.comments(pull["number"])) == 1
    assert len(deployment.github.person("GET", f"/pulls/{pull['number']}/commits")) == 1


def test_two_sessions_do_not_share_a_branch(deployment: Deployment) -> None:
    """Who comes second is told where the work goes on, and the first one's lock stays."""
    deployment.github.issue()
    first = deployment.open(issue=1)
    with pytest.raises(AlreadyRunning, match=first.pull_request_url):
        deployment.open("s-2", issue=1)
    assert deployment.store.locks() == [first.lock_key]


def test_a_prompt_alone_has_a_branch_of_its_own(deployment: Deployment) -> None:
    """The same prompt in two sessions is two pull requests, each quoting what was asked."""
    deployment.open("s-1", prompt="Add a line\nto the README")
    deployment.open("s-2", prompt="Add a line\nto the README")
    pulls = deployment.github.pulls()
    assert len({pull["head"]["ref"] for pull in pulls}) == 2
    assert all(pull["head"]["ref"].startswith("claude/add-a-line-to-the-readme-") for pull in pulls)
    assert "> Add a line\n> to the README" in pulls[0]["body"]


def test_a_pull_request_is_worked_on_where_it_is(deployment: Deployment) -> None:
    """On a person's pull request the work goes to its branch and towards its base; no commit is made."""
    head = deployment.github.commit("feature")
    fields = {"head": "feature", "base": "main", "title": "Mine", "body": "My work."}
    number = deployment.github.person("POST", "/pulls", fields)["number"]
    opened = deployment.open(pull_request=number)
    assert (opened.branch, opened.pull_request) == ("feature", number)
    assert deployment.github.person("GET", "/git/ref/heads/feature")["object"]["sha"] == head
    deployment.end()
    assert deployment.open("s-2", issue=number).branch == "feature"


def test_the_task_knows_whose_branch_it_is(deployment: Deployment) -> None:
    """On a person's pull request the task is told so; on one of ours it is not, however it was asked for."""
    ours = deployment.open("s-1", issue=deployment.github.issue()).pull_request
    deployment.end()
    deployment.open("s-2", pull_request=ours)
    deployment.github.commit("feature")
    fields = {"head": "feature", "base": "main", "title": "Mine", "body": "My work."}
    deployment.open("s-3", pull_request=deployment.github.person("POST", "/pulls", fields)["number"])
    requests = [deployment.artifacts.read_request(name) for name in ("s-1", "s-2", "s-3")]
    assert [one and one.branch_is_ours for one in requests] == [True, True, False]


def test_a_closed_or_unknown_pull_request_is_refused(deployment: Deployment) -> None:
    """Only an open pull request can be worked on."""
    refused(deployment, PullRequestNotFound, pull_request=9)
    deployment.github.commit("feature")
    number = deployment.github.person("POST", "/pulls", {"head": "feature", "base": "main", "title": "Mine"})
    deployment.github.person("PATCH", f"/pulls/{number['number']}", {"state": "closed"})
    refused(deployment, PullRequestClosed, pull_request=number["number"])


def test_other_peoples_branch_is_left_alone(deployment: Deployment) -> None:
    """A branch of our name that holds a person's commit is refused and keeps its head."""
    deployment.github.issue()
    head = deployment.github.commit("claude/1")
    refused(deployment, BranchNotOurs, issue=1)
    assert deployment.github.person("GET", "/git/ref/heads/claude/1")["object"]["sha"] == head
    assert deployment.github.pulls() == []


def test_a_forgotten_branch_is_not_ours_for_ever(deployment: Deployment) -> None:
    """After our branch is deleted, a person's branch of the same name is not taken for ours."""
    deployment.github.issue()
    deployment.open(issue=1)
    deployment.end()
    deployment.github.person("DELETE", "/git/refs/heads/claude/1")
    deployment.github.commit("claude/1")
    refused(deployment, BranchNotOurs, issue=1)


def test_a_branch_without_commits_of_its_own_is_used(deployment: Deployment) -> None:
    """A branch that only points to the base gets our first commit on top."""
    main = deployment.github.person("GET", "/git/ref/heads/main")["object"]["sha"]
    deployment.github.person("POST", "/git/refs", {"ref": "refs/heads/claude/1", "sha": main})
    deployment.github.issue()
    deployment.open(issue=1)
    assert len(deployment.github.pulls()) == 1


def test_a_closed_pull_request_is_not_reopened(deployment: Deployment) -> None:
    """Closed with its branch left, it is refused; with the branch deleted, the work begins anew."""
    deployment.github.issue()
    first = deployment.open(issue=1)
    deployment.end()
    deployment.github.person("PATCH", f"/pulls/{first.pull_request}", {"state": "closed"})
    refused(deployment, PullRequestClosed, issue=1)
    deployment.github.commit("claude/1")
    refused(deployment, PullRequestClosed, issue=1)
    deployment.github.person("DELETE", "/git/refs/heads/claude/1")
    assert deployment.open("s-2", issue=1).pull_request > first.pull_request


def test_where_drafts_are_not_available_the_pull_request_is_none(tmp_path: Path) -> None:
    """On a plan without drafts an ordinary pull request is opened."""
    deployment = Deployment(tmp_path)
    deployment.github.repository(private=True, drafts=False)
    deployment.github.issue()
    deployment.open(issue=1)
    [pull] = deployment.github.pulls()
    assert pull["draft"] is False


@pytest.mark.parametrize(
    ("settings", "fields", "error"),
    [
        ({"protected_branches": ["claude/*"]}, {"issue": 1}, BranchProtected),
        ({"files": {}}, {"issue": 1}, RepositoryEmpty),
        ({"installed": False}, {"issue": 1}, AppNotInstalled),
        ({"installation_permissions": {"issues": "write"}}, {"issue": 1}, PermissionMissing),
        ({}, {"issue": 1, "base": "release/9"}, BaseBranchNotFound),
    ],
)
def test_repositories_that_cannot_be_worked_in(
    tmp_path: Path, settings: dict[str, Any], fields: dict[str, Any], error: type[PullwrightError]
) -> None:
    """What the repository lacks is said by the error's class."""
    deployment = Deployment(tmp_path)
    deployment.github.repository(**settings)
    deployment.github.issue()
    refused(deployment, error, **fields)
    assert deployment.github.pulls() == []


def test_a_missing_permission_is_named(tmp_path: Path) -> None:
    """The sentence names each permission that the installation has not granted."""
    deployment = Deployment(tmp_path)
    deployment.github.repository(installation_permissions={"issues": "write", "pull_requests": "read"})
    deployment.github.issue()
    sentence = refused(deployment, PermissionMissing, issue=1).sentence
    assert "contents: write and pull_requests: write" in sentence


def test_an_archived_repository_is_refused(deployment: Deployment) -> None:
    """An archived repository takes no branch."""
    deployment.github.issue()
    deployment.github.control("PATCH", f"/repositories/{REPOSITORY}", {"archived": True})
    refused(deployment, RepositoryArchived, issue=1)


def test_a_locked_issue_is_worked_on_without_acknowledgement(deployment: Deployment) -> None:
    """That the reaction is refused does not stop the session."""
    deployment.github.issue()
    deployment.github.before += [("POST", "/reactions", Response(403, {}, {"message": "locked"}))] * 2
    deployment.open(issue=1)
    assert len(deployment.github.pulls()) == 1


def test_a_forged_marker_is_not_our_comment(deployment: Deployment) -> None:
    """A person's comment with our marker is not taken for the tracking comment."""
    deployment.github.issue()
    first = deployment.open(issue=1)
    deployment.end()
    [ours] = deployment.github.comments(first.pull_request)
    deployment.github.person("DELETE", f"/issues/comments/{ours['id']}")
    forged = deployment.github.person(
        "POST", f"/issues/{first.pull_request}/comments", {"body": f"{TRACKING_MARKER} hello"}
    )
    assert deployment.open("s-2", issue=1).comment_id != forged["id"]


class OneComment(GitHubClient):
    """GitHub with one comment, by our App."""

    def __init__(self, body: str) -> None:
        self.body = body

    def comments(self, *_where: object) -> list[Comment]:
        """List it."""
        return [_comment(1, self.body)]

    def update_comment(self, *_what: object) -> bool:
        """Take a text for it."""
        return True

    def create_comment(self, *_what: object) -> Comment:
        """Add another."""
        return _comment(2, "")


def _comment(number: int, body: str) -> Comment:
    then = "2025-01-01T12:00:00Z"
    user = {"login": "bot", "id": 7}
    return Comment.model_validate(
        {"id": number, "body": body, "user": user, "created_at": then, "updated_at": then}
    )


@pytest.mark.parametrize(
    ("body", "taken"), [(f"{TRACKING_MARKER}\nx", 1), (f"The agent says:\n{TRACKING_MARKER}", 2)]
)
def test_a_comment_of_ours_that_quotes_the_marker_is_another(body: str, taken: int) -> None:
    """The marker counts at the beginning only: what follows may be others' words."""
    assert track(OneComment(body), a_request(), 7, activity="x") == taken


def test_a_stack_of_stubs_makes_every_session_one(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With StubSessions a label asks no model, though the webhook knows nothing of stubs."""
    monkeypatch.setattr(
        Deployment, "settings", Deployment.settings.model_copy(update={"stub_sessions": True})
    )
    deployment.open(issue=deployment.github.issue(), **ASKED)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert request.stub
    assert deployment.store.read_session("s-1").stub is True


def test_while_new_work_is_switched_off_who_asks_is_told(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With MaxConcurrentSessions 0 nothing is made, no branch and no lock; a stranger is refused as ever."""
    off = Deployment.settings.model_copy(update={"max_sessions": 0})
    monkeypatch.setattr(Deployment, "settings", off)
    number = deployment.github.issue()
    with pytest.raises(SessionsPaused, match="switched off"):
        deployment.open(issue=number, **ASKED)
    with pytest.raises(NotAllowed):
        deployment.open("s-2", issue=number, **ASKED | {"requested_by": STRANGER})
    assert deployment.github.pulls() == []
    assert deployment.store.locks() == []
    assert [path for method, path in deployment.github.seen if path.endswith("/git/refs")] == []


def test_while_the_deployment_is_removed_nothing_begins(deployment: Deployment) -> None:
    """Until the time that `pullwright destroy` renews; a command that died closes nothing for long."""
    slots = deployment.store.items.setdefault("SLOTS", {})
    slots[DRAINING] = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
    with pytest.raises(SessionsPaused, match="about to be removed"):
        deployment.open(issue=deployment.github.issue(), **ASKED)
    assert deployment.store.locks() == []
    for past in ("2026-11-01T00:00:00+00:00", "soon", 7):
        slots[DRAINING] = past
        deployment.open(f"s-{past}"[:8].replace(":", ""), issue=deployment.github.issue(), **ASKED)


def test_the_comment_says_how_many_wait(deployment: Deployment) -> None:
    """While all slots are taken the comment says so, and how many sessions wait before this one."""
    deployment.store.items["SLOTS"] = {"holders": {"a", "b", "c", "d"}}
    for waiting in ("s-1", "s-2", "s-3"):
        deployment.store.update_session(waiting, {"status": "QUEUED"})
    opened = deployment.open(issue=deployment.github.issue())
    [comment] = deployment.github.comments(opened.pull_request)
    assert "all 4 are taken, and 2 sessions wait before this one" in comment["body"]


def test_a_second_request_is_answered_with_a_link(deployment: Deployment) -> None:
    """Whoever asks while a session works is sent to its comment."""
    number = deployment.github.issue()
    opened = deployment.open(issue=number)
    with pytest.raises(AlreadyRunning) as caught:
        deployment.open("s-2", issue=number)
    assert f"{opened.pull_request_url}#issuecomment-{opened.comment_id}" in caught.value.sentence
