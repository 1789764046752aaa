"""What a session is about: an issue, a pull request or a prompt, as it stood when somebody asked."""

from dataclasses import dataclass, replace
from hashlib import sha256

from pullwright.errors import (
    BranchProtected,
    ChecksOutdated,
    ForkGone,
    InvalidRequest,
    IssueClosed,
    IssueWithoutText,
    LabelRemoved,
    PullRequestClosed,
    PullRequestNotFound,
)
from pullwright.github import GitHubClient
from pullwright.github.payloads import Issue, PullRequest, RepositoryInfo
from pullwright.models import AuthorRole, IssueComment, SessionRequest
from pullwright.opening.shown import shown
from pullwright.opening.versions import as_asked
from pullwright.text import one_line, plain_line, slug

LONGEST_TITLE = 300
_SHORT_ID = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """What to work on.

    Attributes:
        number: the issue or pull request that people talk on; None for a prompt alone.
        pull_request: the pull request, if the session was asked for on one.
        is_read: it is something to comment on, and nothing is pushed.
        url: of the issue or pull request; empty for a prompt.
        is_fork: the pull request comes from another repository.
        opened_by: login of who opened the issue or pull request; None for a prompt, or if nobody is known.
        jira: key of the issue in Jira; `opened_by` is then a name there, and role and comments are known.
    """

    branch: str
    number: int | None
    issue: int | None
    pull_request: PullRequest | None
    title: str
    body: str
    opened_by: str | None = None
    url: str = ""
    is_read: bool = False
    is_fork: bool = False
    jira: str | None = None
    opened_by_role: AuthorRole | None = None
    comments: tuple[IssueComment, ...] = ()
    comments_left_out: int = 0


def find_subject(
    client: GitHubClient,
    repository: RepositoryInfo,
    request: SessionRequest,
    session_id: str,
    *,
    only_comments: bool = False,
) -> Subject:
    """Read what the session is about.

    Args:
        only_comments: nothing is pushed; a pull request may come from a fork then.

    Raises:
        IssueNotFound, IssueClosed, IssueEdited, IssueWithoutText: about the issue.
        LabelRemoved: the label that asked is not on it any more.
        PullRequestNotFound, PullRequestClosed, ChecksOutdated, BranchProtected, ForkGone: about the pull
            request.
        InvalidRequest: there is nothing to comment on.
    """
    number = request.pull_request
    # GitHub's pull requests are issues too, whose texts are kept by version.
    frozen = number if request.title_sha256 is not None else None
    if (asked := request.issue or frozen) is not None:
        issue = client.get_issue(repository.full_name, asked)
        if request.label is not None and not issue.has_label(request.label):
            # Deliveries overtake each other, so nobody may have stopped this session when the label went.
            raise LabelRemoved(f"The label {request.label} is not on the issue #{issue.number} any more.")
        issue = as_asked(client, repository.full_name, issue, request)
        if issue.pull_request is None:
            return _about_issue(client, repository, issue, request, only_comments=only_comments)
        pull = client.get_pull_request(repository.full_name, issue.number)
        # The text whose version was checked; that of the second answer may be newer.
        texts = {"title": issue.title, "body": issue.body, "body_html": issue.body_html}
        pull = pull.model_copy(update=texts)
        return _about_pull_request(client, repository, pull, only_comments=only_comments)
    if number is not None:
        pull = client.get_pull_request(repository.full_name, number)
        if request.checked_commit not in {None, pull.head.sha}:
            raise ChecksOutdated(f"The pull request #{number} has a newer commit than the one that failed.")
        return _about_pull_request(client, repository, pull, only_comments=only_comments)
    if only_comments:
        raise InvalidRequest(
            f"worker: {request.worker} only comments, and needs something to comment on.",
            remedy="Give pull_request or issue, the number of one, or name another worker.",
        )
    prompt = request.prompt or ""
    short_id = sha256(session_id.encode()).hexdigest()[:_SHORT_ID]
    return Subject(
        branch=f"claude/{slug(prompt)}-{short_id}",
        number=None,
        issue=None,
        pull_request=None,
        title=one_line(prompt, LONGEST_TITLE),
        body="",
    )


def _about_issue(
    client: GitHubClient,
    repository: RepositoryInfo,
    issue: Issue,
    request: SessionRequest,
    *,
    only_comments: bool,
) -> Subject:
    if issue.state != "open":
        raise IssueClosed(f"The issue #{issue.number} is closed.")
    body = shown(client, repository.full_name, issue.body, issue.body_html)
    if not (body or request.prompt or only_comments or request.is_follow_up):
        raise IssueWithoutText(f"The issue #{issue.number} has no description to work from.")
    return Subject(
        branch=request.base or repository.default_branch if only_comments else f"claude/{issue.number}",
        number=issue.number,
        issue=issue.number,
        pull_request=None,
        title=plain_line(issue.title, LONGEST_TITLE),
        body=body,
        opened_by=issue.user.login if issue.user is not None else None,
        url=issue.html_url,
        is_read=only_comments,
    )


def _about_pull_request(
    client: GitHubClient, repository: RepositoryInfo, pull: PullRequest, *, only_comments: bool
) -> Subject:
    if pull.state != "open":
        how = "merged" if pull.merged_at is not None else "closed"
        remedy = (
            "Open a new pull request, or reopen this one, then start it again." if only_comments else None
        )
        raise PullRequestClosed(f"The pull request #{pull.number} is {how}.", remedy=remedy)
    head = pull.head.repo
    is_fork = head is None or head.full_name.lower() != repository.full_name.lower()
    if only_comments:
        if head is None:
            raise ForkGone(
                f"The repository that pull request #{pull.number} comes from does not exist any more."
            )
        # A fork may call its branch anything; GitHub keeps the commits under this name.
        branch = f"pull/{pull.number}/head"
        return replace(_with_texts(client, repository, pull, branch=branch), is_read=True, is_fork=is_fork)
    if is_fork:
        raise PullRequestNotFound(f"The branch of pull request #{pull.number} is in another repository.")
    if pull.head.ref == repository.default_branch:
        raise BranchProtected(
            f"The branch of pull request #{pull.number} is {pull.head.ref}, the repository's default branch.",
            remedy="Open a pull request from another branch; nothing is pushed to the default branch.",
        )
    return _with_texts(client, repository, pull, branch=pull.head.ref)


def _with_texts(
    client: GitHubClient, repository: RepositoryInfo, pull: PullRequest, *, branch: str
) -> Subject:
    return Subject(
        branch=branch,
        number=pull.number,
        issue=None,
        pull_request=pull,
        title=plain_line(pull.title, LONGEST_TITLE),
        body=shown(client, repository.full_name, pull.body, pull.body_html),
        url=pull.html_url,
        opened_by=pull.user.login if pull.user is not None else None,
    )
