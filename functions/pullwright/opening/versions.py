"""An issue's text as it stood when somebody asked for a session, whatever was edited since."""

from collections.abc import Iterable
from hashlib import sha256

from pullwright.errors import GitHubRefused, IssueEdited
from pullwright.github import GitHubClient
from pullwright.github.payloads import Issue
from pullwright.log import logger
from pullwright.models import SessionRequest


def as_asked(client: GitHubClient, repository: str, issue: Issue, request: SessionRequest) -> Issue:
    """Return the issue with the title and description that fit the webhook's hashes.

    A hash decides, not a time: who edits a text within the second of the label wins nothing.

    Args:
        client: reads the history, only if something was edited.
        repository: `owner/name`.
        request: with the hashes, if it came from a webhook.

    Raises:
        IssueEdited: the text that stood there cannot be found any more.
    """
    is_same = _is(issue.title, request.title_sha256) and _is(issue.body, request.body_sha256)
    if is_same:
        return issue
    try:
        history = client.issue_history(repository, issue.number)
    except GitHubRefused as error:
        logger.warning("the issue's history cannot be read", error=error.sentence)
        raise _edited("text", issue) from error
    title = _find(request.title_sha256, [issue.title, *history.titles])
    if title is None:
        raise _edited("title", issue)
    body = _find(request.body_sha256, [issue.body or "", *history.bodies])
    if body is None:
        raise _edited("description", issue)
    logger.info("the issue was edited since it was asked for; the earlier text is used", number=issue.number)
    # The rendering that came with the issue is that of another version.
    html = issue.body_html if body == issue.body else None
    return issue.model_copy(update={"title": title, "body": body, "body_html": html})


def _find(expected: str | None, texts: Iterable[str]) -> str | None:
    for text in texts:
        # REST and GraphQL need not agree on line ends.
        unix = text.replace("\r\n", "\n")
        for version in (text, unix, unix.replace("\n", "\r\n")):
            if _is(version, expected):
                return version
    return None


def _is(text: str | None, expected: str | None) -> bool:
    return expected is None or sha256((text or "").encode(errors="replace")).hexdigest() == expected


def _edited(what: str, issue: Issue) -> IssueEdited:
    return IssueEdited(
        f"The {what} of issue #{issue.number} was edited after the session was asked for, and GitHub does "
        "not give the earlier text any more."
    )
