"""The pull request of a branch and its tracking comment: found, or made."""

from pullwright.comments import (
    TRACKING_MARKER,
    pull_request_body,
    pull_request_title,
    render_progress,
)
from pullwright.errors import GitHubRefused
from pullwright.github import GitHubClient
from pullwright.github.payloads import PullRequest
from pullwright.models import AgentRequest, Progress
from pullwright.opening.subject import Subject


def open_draft(
    client: GitHubClient,
    repository: str,
    subject: Subject,
    *,
    base: str,
    prompt: str | None,
    requested_by: str | None,
) -> PullRequest:
    """Opens the pull request of a branch that has none, as a draft where the plan allows drafts.

    Raises:
        GitHubRefused: GitHub opens none.
    """
    for draft in (True, False):
        made = client.create_pull_request(
            repository,
            branch=subject.branch,
            base=base,
            title=pull_request_title(subject.title),
            body=pull_request_body(issue=subject.issue, prompt=prompt, requested_by=requested_by),
            draft=draft,
        )
        if made is not None:
            return made
        # A POST whose answer was lost has opened it all the same.
        for pull in client.pull_requests_of(repository, subject.branch):
            if pull.state == "open":
                return pull
    raise GitHubRefused(f"GitHub refused to open a pull request from {subject.branch} to {base}.")


def track(client: GitHubClient, request: AgentRequest, bot_id: int, *, activity: str) -> int:
    """Makes sure that the pull request has exactly one tracking comment; returns its id.

    A comment counts only if our App wrote it and it begins with the marker: anybody can write the marker, and
    what we write may quote it.

    Args:
        client: of the repository.
        request: what is being worked on.
        bot_id: the account of our App.
        activity: what the comment says is happening.
    """
    text = render_progress(request, Progress(activity=activity))
    for comment in client.comments(request.repository, request.pull_request):
        ours = comment.user is not None and comment.user.id == bot_id
        if ours and (comment.body or "").startswith(TRACKING_MARKER):
            if client.update_comment(request.repository, comment.id, text):
                return comment.id
            break
    return client.create_comment(request.repository, request.pull_request, text).id
