"""What people set on GitHub, and that each is told in a sentence of its own.

Statuses and sentences are GitHub's, as its users report them: suspended installations
(https://github.com/octokit/octokit.rb/pull/1307), locked conversations
(https://github.com/renovatebot/renovate/issues/6215), Copilot
(https://github.com/anthropics/claude-code-action/issues/1284); the rest stands in its OpenAPI description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import (
    AppNotInstalled,
    ConversationLocked,
    GitHubRefused,
    IssueNotFound,
    IssuesDisabled,
    NotAllowed,
    PullRequestsDisabled,
    RepositoryArchived,
)
from pullwright.github.refusals import refusal
from pullwright.github.transport import Response
from tests.unit.pipeline_kit import ASKED, PERSON, REPOSITORY, STRANGER, refused
from tests.unit.test_reporting import Reporting

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.errors import PullwrightError
    from pullwright.github import GitHubClient

PERMISSIONS = {"contents": "write", "issues": "write", "pull_requests": "write"}


@pytest.fixture
def deployment(tmp_path: Path) -> Reporting:
    """Provide a repository with one issue."""
    made = Reporting(tmp_path)
    made.github.repository()
    made.github.issue()
    return made


def change(deployment: Reporting, **settings: Any) -> None:
    """Change the repository's settings."""
    deployment.github.control("PATCH", f"/repositories/{REPOSITORY}", settings)


def client(deployment: Reporting) -> GitHubClient:
    """Return a client that has its token already."""
    return deployment.github.app().client(REPOSITORY, PERMISSIONS)


def test_a_suspended_installation_says_so(deployment: Reporting) -> None:
    """No token is given; what is told is that it is suspended, and where that is undone."""
    change(deployment, suspended=True)
    error = refused(deployment, AppNotInstalled, issue=1)
    assert "suspended" in error.sentence
    assert "Unsuspend" in error.remedy
    assert deployment.refuse("s-2", issue=1).report_due is False
    change(deployment, suspended=False)
    assert deployment.open("s-3", issue=1).pull_request == 2


def test_an_installation_that_is_suspended_meanwhile_says_so(deployment: Reporting) -> None:
    """A token that was good a moment ago is not taken for a wrong one, and not replaced."""
    made = client(deployment)
    change(deployment, suspended=True)
    asked = len(deployment.github.seen)
    with pytest.raises(AppNotInstalled, match="suspended"):
        made.create_comment(REPOSITORY, 1, "text")
    assert len(deployment.github.seen) == asked + 1


def test_a_repository_that_is_archived_meanwhile_says_so(deployment: Reporting) -> None:
    """Each write is refused as that of an archived repository, at once and with the token as it is."""
    made = client(deployment)
    head = deployment.github.head("main")
    change(deployment, archived=True)
    for write in (
        lambda: made.create_comment(REPOSITORY, 1, "text"),
        lambda: made.react(REPOSITORY, 1, "eyes"),
        lambda: made.create_branch(REPOSITORY, "claude/1", head),
    ):
        asked = len(deployment.github.seen)
        with pytest.raises(RepositoryArchived) as caught:
            write()
        assert "Unarchive" in caught.value.remedy
        assert len(deployment.github.seen) == asked + 1


def test_a_report_to_an_archived_repository_is_not_due(deployment: Reporting) -> None:
    """What was archived while the session ran takes no report, now or later."""
    opened = deployment.opened(issue=1)
    deployment.result()
    change(deployment, archived=True)
    assert deployment.report(opened=opened).report_due is False


def test_a_locked_issue_is_worked_on(deployment: Reporting) -> None:
    """GitHub lets no App react or comment there; the pull request is opened all the same."""
    deployment.github.person("PUT", "/issues/1/lock", {"lock_reason": "resolved"})
    opened = deployment.open(issue=1)
    assert len(deployment.github.comments(opened.pull_request)) == 1
    assert deployment.github.person("GET", "/issues/1/reactions") == []


def test_a_refusal_on_a_locked_issue_is_not_due(deployment: Reporting) -> None:
    """Where nothing may be said, the record alone tells, and no sweep tries again."""
    number = deployment.github.issue(body="")
    deployment.github.person("PUT", f"/issues/{number}/lock")
    verdict = deployment.refuse("s-1", issue=number)
    assert (verdict.error, verdict.report_due) == ("IssueWithoutText", False)
    assert deployment.github.comments(number) == []


def test_a_locked_pull_request_is_not_worked_on(deployment: Reporting) -> None:
    """Where its tracking comment may not be written, a session ends with the lock named."""
    deployment.github.commit("topic")
    fields = {"title": "Topic", "head": "topic", "base": "main"}
    number = deployment.github.person("POST", "/pulls", fields)["number"]
    deployment.github.person("PUT", f"/issues/{number}/lock")
    error = refused(deployment, ConversationLocked, pull_request=number)
    assert "Unlock" in error.remedy


def test_a_report_to_a_locked_conversation_is_made_later(deployment: Reporting) -> None:
    """The tracking comment was deleted, and the conversation locked: it is written once it is unlocked."""
    opened = deployment.opened(issue=1)
    deployment.result()
    deployment.github.person("DELETE", f"/issues/comments/{opened.comment_id}")
    deployment.github.person("PUT", f"/issues/{opened.pull_request}/lock")
    assert deployment.report(opened=opened).report_due is True


def test_disabled_issues_are_not_called_missing(deployment: Reporting) -> None:
    """An issue of a repository that turned them off is told from one that was deleted."""
    change(deployment, has_issues=False)
    error = refused(deployment, IssuesDisabled, issue=1)
    assert "Turn Issues on" in error.remedy
    assert deployment.refuse("s-2", issue=1).report_due is False
    assert deployment.open("s-3", prompt="Add a line.").pull_request == 2
    deployment.end("s-3")
    change(deployment, has_issues=True)
    refused(deployment, IssueNotFound, issue=99)


def test_disabled_pull_requests_are_told_before_anything_is_made(deployment: Reporting) -> None:
    """No branch is made for a pull request that cannot be opened, and the issue says why."""
    change(deployment, has_pull_requests=False)
    verdict = deployment.refuse("s-1", issue=1)
    assert (verdict.error, verdict.report_due) == (PullRequestsDisabled.__name__, False)
    [comment] = deployment.github.comments(1)
    assert "Turn pull requests on" in comment["body"]
    refs = deployment.github.person("GET", "/git/matching-refs/heads/")
    assert [ref["ref"] for ref in refs] == ["refs/heads/main"]


@pytest.mark.parametrize(
    ("here", "everywhere", "may"),
    [
        ("maintain", None, True),
        ("write", None, True),
        ("triage", None, False),
        ("read", None, False),
        (None, "admin", True),
        (None, "maintain", True),
        (None, "write", True),
        (None, "triage", False),
        ("read", "write", True),
        ("triage", "read", False),
    ],
)
def test_the_highest_role_counts(
    deployment: Reporting, here: str | None, everywhere: str | None, *, may: bool
) -> None:
    """Whoever may write may start work, by whatever role, and given in the repository or the organisation.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    if here is not None:
        change(deployment, permissions={STRANGER: here})
    if everywhere is not None:
        change(deployment, organization_permissions={STRANGER: everywhere})
    asked = {**ASKED, "requested_by": STRANGER, "issue": 1}
    if may:
        assert deployment.open(**asked).pull_request == 2
    else:
        assert "write permission" in refused(deployment, NotAllowed, **asked).sentence


@pytest.mark.parametrize(
    ("allowed", "may"), [("copilot-swe-agent", True), ("Copilot", True), ("renovate", False)]
)
def test_copilot_is_an_app(
    deployment: Reporting, monkeypatch: pytest.MonkeyPatch, allowed: str, *, may: bool
) -> None:
    """GitHub says "Copilot is not a user" when it is asked for its permission: only the list counts."""
    deployment.github.control(
        "POST", "/users", {"login": "Copilot", "type": "Bot", "token": "token-of-Copilot"}
    )
    monkeypatch.setattr(
        Reporting, "settings", Reporting.settings.model_copy(update={"allowed_apps": allowed})
    )
    asked = {**ASKED, "requested_by": "Copilot", "issue": 1}
    if may:
        assert deployment.open(**asked).pull_request == 2
    else:
        refused(deployment, NotAllowed, **asked)
    assert not [path for _, path in deployment.github.seen if "/collaborators/Copilot" in path]


INVALID = {
    "message": "Validation Failed",
    "errors": [{"resource": "Issue", "field": "body", "code": "invalid"}],
}


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (422, INVALID, GitHubRefused, "422: body invalid"),
        (422, {**INVALID, "errors": [{"message": "body is too long"}]}, GitHubRefused, "body is too long"),
        (422, {**INVALID, "errors": ["Could not resolve"]}, GitHubRefused, "Could not resolve"),
        (422, {"message": "Sha\n wasn't supplied"}, GitHubRefused, "422: Sha wasn't supplied"),
        (422, {}, GitHubRefused, "no reason given"),
        (403, {"message": "Repository was archived so is read-only."}, RepositoryArchived, "archived"),
        (403, {"message": "This installation has been suspended"}, AppNotInstalled, "suspended"),
        (
            403,
            {"message": "Unable to create comment because issue is locked."},
            ConversationLocked,
            "locked",
        ),
        (410, {"message": "Issues has been disabled in this repository."}, IssuesDisabled, "turned off"),
        (410, {"message": "Issues are disabled for this repo"}, IssuesDisabled, "turned off"),
        (403, {"message": "Pull requests are disabled"}, PullRequestsDisabled, "turned off"),
        (403, {"message": "Repository access blocked"}, GitHubRefused, "blocked"),
    ],
)
def test_refusals_are_told_by_their_message(
    status: int, body: dict[str, Any], error: type[PullwrightError], says: str
) -> None:
    """A 422 with its fields on one line, and each setting by its own class."""
    told = refusal("write a comment", Response(status, {}, body))
    assert type(told) is error
    assert says in told.sentence
    assert PERSON not in told.sentence
