"""Reviews and the comments in their threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import reviewing
from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, maybe_user
from github_standin.shapes.issues import association, reaction_counts
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Issue, Repository
    from github_standin.review_records import Review, ReviewComment

_OF_LINES = ("line", "side", "start_line", "start_side", "original_line", "original_start_line")


def review(github: GitHub, repository: Repository, review: Review, *, in_event: bool = False) -> JSON:
    """Return a review.

    Args:
        in_event: as webhooks have it, with the state in lower case and an empty text as null.
    """
    api = github.links.repo(repository, f"/pulls/{review.number}")
    page = github.links.page(repository, f"/pull/{review.number}#pullrequestreview-{review.id}")
    shaped: JSON = {
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": maybe_user(github, review.user_id),
        "body": review.body,
        "state": review.state,
        "html_url": page,
        "pull_request_url": api,
        "author_association": association(github, repository, review.user_id),
        "_links": {"html": {"href": page}, "pull_request": {"href": api}},
        "commit_id": review.commit_id,
    }
    if review.submitted_at is not None:
        shaped["submitted_at"] = stamp(review.submitted_at)
    if in_event:
        shaped |= {"state": review.state.lower(), "body": review.body or None}
        shaped["updated_at"] = stamp(review.updated_at)
    return shaped


def comment(github: GitHub, repository: Repository, issue: Issue, comment: ReviewComment) -> JSON:
    """Return a comment in a thread; of an outdated one `position` and `line` are null."""
    thread = github.store.threads[comment.thread_id]
    here = reviewing.place(github, repository, issue, thread)
    url = github.links.repo(repository, f"/pulls/comments/{comment.id}")
    api = github.links.repo(repository, f"/pulls/{issue.number}")
    page = github.links.page(repository, f"/pull/{issue.number}#discussion_r{comment.id}")
    shaped: JSON = {
        "url": url,
        "pull_request_review_id": comment.review_id,
        "id": comment.id,
        "node_id": node_id("PRRC", comment.id),
        "diff_hunk": thread.hunk,
        "path": thread.path,
        "commit_id": thread.commit_id if here is None else github.head_of(repository, issue),
        "original_commit_id": thread.commit_id,
        "user": maybe_user(github, comment.user_id),
        "body": comment.body,
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "html_url": page,
        "pull_request_url": api,
        "author_association": association(github, repository, comment.user_id),
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": api}},
        "reactions": reaction_counts(f"{url}/reactions", comment.reactions),
        "start_line": None if here is None else here.start_line,
        "original_start_line": thread.start_line,
        "start_side": thread.start_side,
        "line": None if here is None else here.line,
        "original_line": thread.line,
        "side": thread.side,
        "original_position": thread.position,
        "position": None if here is None else here.position,
        "subject_type": "line",
    }
    if comment.in_reply_to_id is not None:
        shaped["in_reply_to_id"] = comment.in_reply_to_id
    return shaped


def comment_of_review(github: GitHub, repository: Repository, issue: Issue, found: ReviewComment) -> JSON:
    """Return a comment as the list of one review has it: by its position, without lines.

    As in the example of https://docs.github.com/en/rest/pulls/reviews#list-comments-for-a-pull-request-review.
    """
    whole = comment(github, repository, issue, found)
    return {name: value for name, value in whole.items() if name not in (*_OF_LINES, "subject_type")}
