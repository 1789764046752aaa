"""From a request to a draft pull request."""

from __future__ import annotations

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
from tests.unit.pipeline_kit import ASKED, BODY, BOT, PERSON, REPOSITORY, ROOT, STRANGER, Workshop, refused
from tests.unit.runner_kit import a_request

if TYPE_CHECKING:
    from pathlib import Path


def test_an_issue_gets_branch_draft_and_comment(workshop: Workshop) -> None:
    """One request makes the branch, the draft that closes the issue, the comment and the acknowledgement."""
    number = workshop.github.issue()
    opened = workshop.open(issue=number)
    [pull] = workshop.github.pulls()
    assert (pull["draft"], pull["head"]["ref"], pull["user"]["login"]) == (True, "claude/1", BOT)
    assert f"Closes #{number}" in pull["body"]
    [comment] = workshop.github.comments(pull["number"])
    assert TRACKING_MARKER in comment["body"]
    assert (opened.pull_request, opened.comment_id) == (pull["number"], comment["id"])
    assert (opened.timeout_seconds, opened.max_sessions) == (30 * 60 + 900, 4)
    [reaction] = workshop.github.person("GET", f"/issues/{number}/reactions")
    assert reaction["content"] == "eyes"


@pytest.mark.parametrize("name", ["fix.login", "octo@42", "größer", "a" * 79 + "=", "(1)"])
def test_a_name_that_no_task_would_take_makes_nothing(workshop: Workshop, name: str) -> None:
    """A name that Step Functions accepts and the task does not is refused before anything is made."""
    workshop.github.issue()
    with pytest.raises(InvalidRequest, match="name: the execution is called"):
        workshop.open(name, issue=1)
    assert workshop.github.pulls() == []
    assert workshop.artifacts.read_request(name) is None


def test_the_first_commit_is_empty_and_the_bots(workshop: Workshop) -> None:
    """The branch begins with a commit that changes nothing, is the bot's and bears GitHub's signature."""
    workshop.github.issue()
    workshop.open(issue=1)
    main, head = (
        workshop.github.person("GET", f"/git/ref/heads/{name}")["object"]["sha"]
        for name in ("main", "claude/1")
    )
    commit = workshop.github.person("GET", f"/git/commits/{head}")
    base = workshop.github.person("GET", f"/git/commits/{main}")
    assert commit["tree"]["sha"] == base["tree"]["sha"]
    assert not skips(commit["message"])
    assert commit["author"]["name"] == BOT
    assert commit["verification"]["verified"], commit["verification"]


def test_the_task_gets_the_whole_request(workshop: Workshop) -> None:
    """request.json carries text, places, limits and author; the record carries the same places."""
    workshop.github.issue()
    opened = workshop.open(issue=1, limits={"usd": 1.5}, requested_by=PERSON)
    request = workshop.artifacts.read_request("s-1")
    assert request is not None
    assert (request.title, request.body, request.base) == ("Sum of nothing", BODY, "main")
    assert request.git_url == f"{ROOT}/{REPOSITORY}.git"
    assert (request.limits.usd, request.limits.turns, request.limits.minutes) == (1.5, 100, 30)
    assert request.comment_id == opened.comment_id
    record = workshop.store.read_session("s-1")
    assert record.pull_request_url == opened.pull_request_url
    assert (record.branch, record.base, record.requested_by) == ("claude/1", "main", PERSON)
    assert (record.installation_id or 0) > 0


def test_the_same_session_again_finds_everything(workshop: Workshop) -> None:
    """A repeated attempt of one session answers the same and makes nothing new."""
    workshop.github.issue()
    assert workshop.open(issue=1) == workshop.open(issue=1)
    [pull] = workshop.github.pulls()
    assert len(workshop.github.comments(pull["number"])) == 1


def test_a_later_session_goes_on_with_the_same_pull_request(workshop: Workshop) -> None:
    """A second session on the issue uses the first one's branch, pull request and comment."""
    workshop.github.issue()
    first = workshop.open(issue=1)
    workshop.end()
    workshop.github.commit("claude/1")
    second = workshop.open("s-2", issue=1)
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
    workshop: Workshop, method: str, end: str, moment: str
) -> None:
    """Wherever GitHub fails, before it did its part or after, the next attempt ends with one of each."""
    workshop.github.issue()
    answers = workshop.github.before if moment == "before" else workshop.github.after
    answers.append((method, end, Response(502, {})))
    refused(workshop, GitHubUnavailable, issue=1)
    workshop.open(issue=1)
    [pull] = workshop.github.pulls()
    assert len(workshop.github.comments(pull["number"])) == 1
    assert len(workshop.github.person("GET", f"/pulls/{pull['number']}/commits")) == 1


def test_two_sessions_do_not_share_a_branch(workshop: Workshop) -> None:
    """Who comes second is told where the work goes on, and the first one's lock stays."""
    workshop.github.issue()
    first = workshop.open(issue=1)
    with pytest.raises(AlreadyRunning, match=first.pull_request_url):
        workshop.open("s-2", issue=1)
    assert workshop.store.locks() == [first.lock_key]


def test_a_prompt_alone_has_a_branch_of_its_own(workshop: Workshop) -> None:
    """The same prompt in two sessions is two pull requests, each quoting what was asked."""
    workshop.open("s-1", prompt="Add a line\nto the README")
    workshop.open("s-2", prompt="Add a line\nto the README")
    pulls = workshop.github.pulls()
    assert len({pull["head"]["ref"] for pull in pulls}) == 2
    assert all(pull["head"]["ref"].startswith("claude/add-a-line-to-the-readme-") for pull in pulls)
    assert "> Add a line\n> to the README" in pulls[0]["body"]


def test_a_pull_request_is_worked_on_where_it_is(workshop: Workshop) -> None:
    """On a person's pull request the work goes to its branch and towards its base; no commit is made."""
    head = workshop.github.commit("feature")
    fields = {"head": "feature", "base": "main", "title": "Mine", "body": "My work."}
    number = workshop.github.person("POST", "/pulls", fields)["number"]
    opened = workshop.open(pull_request=number)
    assert (opened.branch, opened.pull_request) == ("feature", number)
    assert workshop.github.person("GET", "/git/ref/heads/feature")["object"]["sha"] == head
    workshop.end()
    assert workshop.open("s-2", issue=number).branch == "feature"


def test_the_task_knows_whose_branch_it_is(workshop: Workshop) -> None:
    """On a person's pull request the task is told so; on one of ours it is not, however it was asked for."""
    ours = workshop.open("s-1", issue=workshop.github.issue()).pull_request
    workshop.end()
    workshop.open("s-2", pull_request=ours)
    workshop.github.commit("feature")
    fields = {"head": "feature", "base": "main", "title": "Mine", "body": "My work."}
    workshop.open("s-3", pull_request=workshop.github.person("POST", "/pulls", fields)["number"])
    requests = [workshop.artifacts.read_request(name) for name in ("s-1", "s-2", "s-3")]
    assert [one and one.branch_is_ours for one in requests] == [True, True, False]


def test_a_closed_or_unknown_pull_request_is_refused(workshop: Workshop) -> None:
    """Only an open pull request can be worked on."""
    refused(workshop, PullRequestNotFound, pull_request=9)
    workshop.github.commit("feature")
    number = workshop.github.person("POST", "/pulls", {"head": "feature", "base": "main", "title": "Mine"})
    workshop.github.person("PATCH", f"/pulls/{number['number']}", {"state": "closed"})
    refused(workshop, PullRequestClosed, pull_request=number["number"])


def test_other_peoples_branch_is_left_alone(workshop: Workshop) -> None:
    """A branch of our name that holds a person's commit is refused and keeps its head."""
    workshop.github.issue()
    head = workshop.github.commit("claude/1")
    refused(workshop, BranchNotOurs, issue=1)
    assert workshop.github.person("GET", "/git/ref/heads/claude/1")["object"]["sha"] == head
    assert workshop.github.pulls() == []


def test_a_forgotten_branch_is_not_ours_for_ever(workshop: Workshop) -> None:
    """After our branch is deleted, a person's branch of the same name is not taken for ours."""
    workshop.github.issue()
    workshop.open(issue=1)
    workshop.end()
    workshop.github.person("DELETE", "/git/refs/heads/claude/1")
    workshop.github.commit("claude/1")
    refused(workshop, BranchNotOurs, issue=1)


def test_a_branch_without_commits_of_its_own_is_used(workshop: Workshop) -> None:
    """A branch that only points to the base gets our first commit on top."""
    main = workshop.github.person("GET", "/git/ref/heads/main")["object"]["sha"]
    workshop.github.person("POST", "/git/refs", {"ref": "refs/heads/claude/1", "sha": main})
    workshop.github.issue()
    workshop.open(issue=1)
    assert len(workshop.github.pulls()) == 1


def test_a_closed_pull_request_is_not_reopened(workshop: Workshop) -> None:
    """Closed with its branch left, it is refused; with the branch deleted, the work begins anew."""
    workshop.github.issue()
    first = workshop.open(issue=1)
    workshop.end()
    workshop.github.person("PATCH", f"/pulls/{first.pull_request}", {"state": "closed"})
    refused(workshop, PullRequestClosed, issue=1)
    workshop.github.commit("claude/1")
    refused(workshop, PullRequestClosed, issue=1)
    workshop.github.person("DELETE", "/git/refs/heads/claude/1")
    assert workshop.open("s-2", issue=1).pull_request > first.pull_request


def test_where_drafts_are_not_available_the_pull_request_is_none(tmp_path: Path) -> None:
    """On a plan without drafts an ordinary pull request is opened."""
    workshop = Workshop(tmp_path)
    workshop.github.repository(private=True, drafts=False)
    workshop.github.issue()
    workshop.open(issue=1)
    [pull] = workshop.github.pulls()
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
    workshop = Workshop(tmp_path)
    workshop.github.repository(**settings)
    workshop.github.issue()
    refused(workshop, error, **fields)
    assert workshop.github.pulls() == []


def test_a_missing_permission_is_named(tmp_path: Path) -> None:
    """The sentence names each permission that the installation has not granted."""
    workshop = Workshop(tmp_path)
    workshop.github.repository(installation_permissions={"issues": "write", "pull_requests": "read"})
    workshop.github.issue()
    sentence = refused(workshop, PermissionMissing, issue=1).sentence
    assert "contents: write and pull_requests: write" in sentence


def test_an_archived_repository_is_refused(workshop: Workshop) -> None:
    """An archived repository takes no branch."""
    workshop.github.issue()
    workshop.github.control("PATCH", f"/repositories/{REPOSITORY}", {"archived": True})
    refused(workshop, RepositoryArchived, issue=1)


def test_a_locked_issue_is_worked_on_without_acknowledgement(workshop: Workshop) -> None:
    """That the reaction is refused does not stop the session."""
    workshop.github.issue()
    workshop.github.before += [("POST", "/reactions", Response(403, {}, {"message": "locked"}))] * 2
    workshop.open(issue=1)
    assert len(workshop.github.pulls()) == 1


def test_a_forged_marker_is_not_our_comment(workshop: Workshop) -> None:
    """A person's comment with our marker is not taken for the tracking comment."""
    workshop.github.issue()
    first = workshop.open(issue=1)
    workshop.end()
    [ours] = workshop.github.comments(first.pull_request)
    workshop.github.person("DELETE", f"/issues/comments/{ours['id']}")
    forged = workshop.github.person(
        "POST", f"/issues/{first.pull_request}/comments", {"body": f"{TRACKING_MARKER} hello"}
    )
    assert workshop.open("s-2", issue=1).comment_id != forged["id"]


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
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With StubSessions a label asks no model, though the webhook knows nothing of stubs."""
    monkeypatch.setattr(Workshop, "settings", Workshop.settings.model_copy(update={"stub_sessions": True}))
    workshop.open(issue=workshop.github.issue(), **ASKED)
    request = workshop.artifacts.read_request("s-1")
    assert request is not None
    assert request.stub
    assert workshop.store.read_session("s-1").stub is True


def test_while_new_work_is_switched_off_who_asks_is_told(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With MaxConcurrentSessions 0 nothing is made, no branch and no lock; a stranger is refused as ever."""
    off = Workshop.settings.model_copy(update={"max_sessions": 0})
    monkeypatch.setattr(Workshop, "settings", off)
    number = workshop.github.issue()
    with pytest.raises(SessionsPaused, match="switched off"):
        workshop.open(issue=number, **ASKED)
    with pytest.raises(NotAllowed):
        workshop.open("s-2", issue=number, **ASKED | {"requested_by": STRANGER})
    assert workshop.github.pulls() == []
    assert workshop.store.locks() == []
    assert [path for method, path in workshop.github.seen if path.endswith("/git/refs")] == []


def test_the_comment_says_how_many_wait(workshop: Workshop) -> None:
    """While all slots are taken the comment says so, and how many sessions wait before this one."""
    workshop.store.items["SLOTS"] = {"holders": {"a", "b", "c", "d"}}
    for waiting in ("s-1", "s-2", "s-3"):
        workshop.store.update_session(waiting, {"status": "QUEUED"})
    opened = workshop.open(issue=workshop.github.issue())
    [comment] = workshop.github.comments(opened.pull_request)
    assert "all 4 are taken, and 2 sessions wait before this one" in comment["body"]


def test_a_second_request_is_answered_with_a_link(workshop: Workshop) -> None:
    """Whoever asks while a session works is sent to its comment."""
    number = workshop.github.issue()
    opened = workshop.open(issue=number)
    with pytest.raises(AlreadyRunning) as caught:
        workshop.open("s-2", issue=number)
    assert f"{opened.pull_request_url}#issuecomment-{opened.comment_id}" in caught.value.sentence
