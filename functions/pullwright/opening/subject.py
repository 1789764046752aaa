"""What a session is about: an issue, a pull request or a prompt, as it stood when somebody asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from pullwright.errors import (
    BranchProtected,
    IssueClosed,
    IssueWithoutText,
    LabelRemoved,
    PullRequestClosed,
    PullRequestNotFound,
)
from pullwright.github import GitHubClient
from pullwright.github.payloads import Comment, Issue, PullRequest, RepositoryInfo
from pullwright.hidden import shown
from pullwright.models import IssueComment, SessionRequest
from pullwright.opening.versions import as_asked
from pullwright.text import one_line, slug

_LONGEST_TITLE = 300
_SHORT_ID = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """What to work on.

    Attributes:
        branch: where the work goes.
        number: the issue or pull request that people talk on; None for a prompt alone.
        issue: the issue, if it is one.
        pull_request: the pull request, if the session was asked for on one.
        title: visible text on one line.
        body: visible text.
    """

    branch: str
    number: int | None
    issue: int | None
    pull_request: PullRequest | None
    title: str
    body: str


def find_subject(
    client: GitHubClient, repository: RepositoryInfo, request: SessionRequest, session_id: str
) -> Subject:
    """Reads what the session is about.

    Raises:
        IssueNotFound, IssueClosed, IssueEdited, IssueWithoutText: about the issue.
        LabelRemoved: the label that asked is not on it any more.
        PullRequestNotFound, PullRequestClosed, BranchProtected: about the pull request.
    """
    number = request.pull_request
    if request.issue is not None:
        issue = client.get_issue(repository.full_name, request.issue)
        if request.label is not None and not issue.has_label(request.label):
            # Deliveries overtake each other, so nobody may have stopped this session when the label went.
            raise LabelRemoved(f"The label {request.label} is not on the issue #{issue.number} any more.")
        issue = as_asked(client, repository.full_name, issue, request)
        if issue.pull_request is None:
            return _about_issue(issue, request)
        number = issue.number
    if number is not None:
        return _about_pull_request(client.get_pull_request(repository.full_name, number), repository)
    prompt = request.prompt or ""
    short_id = sha256(session_id.encode()).hexdigest()[:_SHORT_ID]
    return Subject(
        branch=f"claude/{slug(prompt)}-{short_id}",
        number=None,
        issue=None,
        pull_request=None,
        title=one_line(prompt, _LONGEST_TITLE),
        body="",
    )


def comments_as_of(asked_at: datetime, comments: Iterable[Comment], bot_id: int) -> tuple[IssueComment, ...]:
    """The comments that stood there at a moment, without ours; one edited since then is left out."""
    moment = asked_at if asked_at.tzinfo is not None else asked_at.replace(tzinfo=UTC)
    return tuple(
        IssueComment(
            author=comment.user.login if comment.user is not None else "ghost",
            created_at=comment.created_at,
            body=body,
        )
        for comment in comments
        if comment.created_at <= moment and comment.updated_at <= moment
        if comment.user is None or comment.user.id != bot_id
        if (body := shown(comment.body))
    )


def _about_issue(issue: Issue, request: SessionRequest) -> Subject:
    if issue.state != "open":
        raise IssueClosed(f"The issue #{issue.number} is closed.")
    body = shown(issue.body)
    if not body and request.prompt is None:
        raise IssueWithoutText(f"The issue #{issue.number} has no description to work from.")
    return Subject(
        branch=f"claude/{issue.number}",
        number=issue.number,
        issue=issue.number,
        pull_request=None,
        title=one_line(issue.title, _LONGEST_TITLE),
        body=body,
    )


def _about_pull_request(pull: PullRequest, repository: RepositoryInfo) -> Subject:
    if pull.state != "open":
        raise PullRequestClosed(f"The pull request #{pull.number} is closed.")
    head = pull.head.repo
    if head is None or head.full_name.lower() != repository.full_name.lower():
        raise PullRequestNotFound(f"The branch of pull request #{pull.number} is in another repository.")
    if pull.head.ref == repository.default_branch:
        raise BranchProtected(
            f"The branch of pull request #{pull.number} is {pull.head.ref}, the repository's default branch.",
            remedy="Open a pull request from another branch; nothing is pushed to the default branch.",
        )
    return Subject(
        branch=pull.head.ref,
        number=pull.number,
        issue=None,
        pull_request=pull,
        title=one_line(pull.title, _LONGEST_TITLE),
        body=shown(pull.body),
    )
