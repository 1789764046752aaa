"""What a session is about: an issue, a pull request or a prompt, as it stood when somebody asked."""

from dataclasses import dataclass
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
from pullwright.github.payloads import Issue, PullRequest, RepositoryInfo
from pullwright.models import SessionRequest
from pullwright.opening.shown import shown
from pullwright.opening.versions import as_asked
from pullwright.text import one_line, plain_line, slug

_LONGEST_TITLE = 300
_SHORT_ID = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """What to work on.

    Attributes:
        number: the issue or pull request that people talk on; None for a prompt alone.
        pull_request: the pull request, if the session was asked for on one.
        opened_by: login of who opened the issue or pull request; None for a prompt, or if nobody is known.
    """

    branch: str
    number: int | None
    issue: int | None
    pull_request: PullRequest | None
    title: str
    body: str
    opened_by: str | None = None


def find_subject(
    client: GitHubClient, repository: RepositoryInfo, request: SessionRequest, session_id: str
) -> Subject:
    """Read what the session is about.

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
            return _about_issue(client, repository, issue, request)
        pull = client.get_pull_request(repository.full_name, issue.number)
        # The text whose version was checked; that of the second answer may be newer.
        texts = {"title": issue.title, "body": issue.body, "body_html": issue.body_html}
        return _about_pull_request(client, repository, pull.model_copy(update=texts))
    if number is not None:
        pull = client.get_pull_request(repository.full_name, number)
        return _about_pull_request(client, repository, pull)
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


def _about_issue(
    client: GitHubClient, repository: RepositoryInfo, issue: Issue, request: SessionRequest
) -> Subject:
    if issue.state != "open":
        raise IssueClosed(f"The issue #{issue.number} is closed.")
    body = shown(client, repository.full_name, issue.body, issue.body_html)
    if not body and request.prompt is None:
        raise IssueWithoutText(f"The issue #{issue.number} has no description to work from.")
    return Subject(
        branch=f"claude/{issue.number}",
        number=issue.number,
        issue=issue.number,
        pull_request=None,
        title=plain_line(issue.title, _LONGEST_TITLE),
        body=body,
        opened_by=issue.user.login if issue.user is not None else None,
    )


def _about_pull_request(client: GitHubClient, repository: RepositoryInfo, pull: PullRequest) -> Subject:
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
        title=plain_line(pull.title, _LONGEST_TITLE),
        body=shown(client, repository.full_name, pull.body, pull.body_html),
        opened_by=pull.user.login if pull.user is not None else None,
    )
