"""The pull request of a branch and its tracking comment: found, or made."""

from collections.abc import Iterable

from pullwright.comments import (
    REFUSAL_MARKER,
    TRACKING_MARKER,
    pull_request_body,
    pull_request_title,
    render_progress,
    render_withdrawn_refusal,
)
from pullwright.errors import GitHubRefused, GitHubUnavailable, PullwrightError
from pullwright.github import GitHubClient
from pullwright.github.payloads import Comment, PullRequest
from pullwright.log import logger
from pullwright.models import AgentRequest
from pullwright.opening.subject import Subject
from pullwright.results import Progress
from pullwright.reviewing.marks import session_marker
from pullwright.reviewing.texts import render_begin


def open_draft(
    client: GitHubClient,
    repository: str,
    subject: Subject,
    *,
    base: str,
    prompt: str | None,
    requested_by: str | None,
) -> PullRequest:
    """Open the pull request of a branch that has none, as a draft where the plan allows drafts.

    Raises:
        GitHubUnavailable: GitHub does not know the branch yet, or does not show the pull request yet.
        GitHubRefused: GitHub opens none.
    """
    for draft in (True, False):
        made = client.create_pull_request(
            repository,
            branch=subject.branch,
            base=base,
            title=pull_request_title(subject.title, subject.jira),
            body=pull_request_body(
                issue=subject.issue,
                prompt=prompt,
                requested_by=requested_by,
                jira=(subject.jira, subject.url) if subject.jira is not None else None,
            ),
            draft=draft,
        )
        if isinstance(made, PullRequest):
            return made
        # A POST whose answer was lost has opened it all the same.
        for pull in client.pull_requests_of(repository, subject.branch):
            if pull.state == "open":
                return pull
        if "already exists" in made:
            raise GitHubUnavailable("The pull request exists, but GitHub does not show it yet.")
        if made == "head invalid":
            raise GitHubUnavailable(f"GitHub does not know the branch {subject.branch} yet.")
        if "draft" not in made.lower():
            break
    raise GitHubRefused(f"GitHub refused to open a pull request from {subject.branch} to {base}: {made}.")


def track(client: GitHubClient, request: AgentRequest, bot_id: int, *, activity: str) -> int:
    """Make sure that the pull request has exactly one tracking comment; return its id.

    A worker that only comments has one of its own.
    """
    if request.only_comments:
        marker, text = session_marker(request.worker), render_begin(request, activity)
    else:
        marker, text = TRACKING_MARKER, render_progress(request, Progress(activity=activity))
    for comment in client.comments(request.repository, request.pull_request):
        if comment.is_by(bot_id, marker):
            if client.update_comment(request.repository, comment.id, text):
                return comment.id
            break
    return client.create_comment(request.repository, request.pull_request, text).id


def withdraw_refusal(
    client: GitHubClient, repository: str, comments: Iterable[Comment], bot_id: int, *, link: str
) -> None:
    """Replace the refusal of an earlier session by a link, now that the work has begun.

    A courtesy: when GitHub does not take it, the work goes on. Where nothing was refused, nothing is called.

    Args:
        repository: `owner/name`.
    """
    text = render_withdrawn_refusal(link)
    for comment in comments:
        if comment.is_by(bot_id, REFUSAL_MARKER) and comment.body != text:
            try:
                client.update_comment(repository, comment.id, text)
            except PullwrightError as error:
                logger.warning("an earlier refusal could not be withdrawn", error=error.sentence)
