"""What is said on a commit whose workers cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pullwright.errors import FailureClass, GitHubRefused, PullwrightError
from pullwright.github.payloads import Comment
from pullwright.github.permissions import COMMIT_COMMENT
from pullwright.log import logger, scrub
from pullwright.markdown import code, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.github.app import GitHubApp
    from pullwright.workers.collection import Problem
    from pullwright.workers.head import Head

MARKER = "<!-- pullwright:workers -->"
_REMEDY = (
    "Push the corrected files to the default branch, and they take effect. "
    "`pullwright workers sync --dry-run` says the same before you push."
)
_MOST_PROBLEMS = 20
_LONGEST = 600
_LONGEST_PATH = 300
_MOST_COMMENTS = 300


def render_broken(problems: Sequence[Problem], files_url: str, head: Head) -> str:
    """Return the comment: what holds instead, each problem with its place, and what to do.

    Args:
        files_url: address of the commit's files.
        head: the stored item, whose set still holds.
    """
    holds = "The built-in workers hold" if head.current is None else f"Those of {head.source_commit} hold on"
    lines = [f"- {_place(problem, files_url)}: {_what(problem)}" for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"- and {len(problems) - _MOST_PROBLEMS} more")
    return "\n\n".join(
        (
            MARKER,
            f"**Pullwright cannot use the workers of this commit.** {holds}. What has to be mended:",
            "\n".join(lines),
            _REMEDY,
        )
    )


def comment_on(app: GitHubApp, repository: str, commit: str, text: str, installation_id: int) -> None:
    """Comment on a commit, unless we have said the very same there.

    https://docs.github.com/en/rest/commits/comments

    Raises:
        PullwrightError: GitHub did not answer; to be tried again. That it does not let the App comment is
            logged, for nothing else depends on it.
    """
    path = f"/repos/{repository}/commits/{commit}/comments"
    body = scrub(text)
    try:
        client = app.client(repository, COMMIT_COMMENT, installation_id)
        bot_id = app.bot_id(client)
        there = client.pages(
            path, "read the commit's comments", Comment, limit=_MOST_COMMENTS, about=[commit]
        )
        if any(comment.is_by(bot_id, MARKER) and comment.body == body for comment in there):
            return
        what = "comment on the commit"
        client.call("POST", path, what, body={"body": body}, about=[commit], is_content=True)
    except PullwrightError as error:
        if error.failure_class is not FailureClass.USER and not isinstance(error, GitHubRefused):
            raise
        logger.warning(
            "the commit could not be commented on", repository=repository, commit=commit, error=error.sentence
        )


def _place(problem: Problem, files_url: str) -> str:
    line = problem.line
    words = code(problem.path) if line is None else f"{code(problem.path)}, line {line}"
    anchor = "" if line is None else f"#L{line}"
    if len(problem.path) > _LONGEST_PATH:
        return words
    return f"[{words}]({files_url}/{quote(problem.path)}{anchor})"


def _what(problem: Problem) -> str:
    text = problem.text if problem.line is None else problem.text.partition(": ")[2]
    return inline(text, _LONGEST)
