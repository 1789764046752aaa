"""Comments on commits.

https://docs.github.com/en/rest/commits/comments
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import changes, events
from github_standin.answers import invalid, not_found, unprocessable
from github_standin.permissions import READ_CONTENTS, Rule
from github_standin.review_records import CommitComment
from github_standin.routing import Router
from github_standin.shapes import commits
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Repository

ROUTER = Router()
_COMMENTS = "/repos/{owner}/{repo}/commits/{sha}/comments"
_COMMENT = "/repos/{owner}/{repo}/comments/{id}"
_KIND = "CommitComment"
# https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps#repository-permissions-for-contents
_WRITE = Rule("contents", "write", "read")


def _commit(call: Call, repository: Repository) -> str:
    sha = call.git(repository).resolve(call.params["sha"])
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {call.params['sha']}")
    return sha


def _text(call: Call) -> str:
    body = call.text("body")
    if not body.strip():
        raise invalid(_KIND, "missing_field", field="body")
    return changes.checked_body(body, _KIND) or ""


@ROUTER.on("GET", _COMMENTS)
def list_comments(call: Call) -> Reply:
    """List the comments on a commit, oldest first."""
    repository = call.repository(READ_CONTENTS)
    found = call.github.comments_on(repository, _commit(call, repository))
    return call.page(found, lambda comment: commits.comment(call.github, repository, comment))


@ROUTER.on("POST", _COMMENTS)
def create_comment(call: Call) -> Reply:
    """Comment on a commit, or on a line of a file in it."""
    repository = call.repository(_WRITE)
    sha, body, now = _commit(call, repository), _text(call), call.github.now()
    place: dict[str, Any] = {name: call.body().get(name) for name in ("path", "position", "line")}
    if place["path"] is not None and not call.git(repository).entries(sha, str(place["path"])):
        raise invalid(_KIND, "invalid", field="path")
    call.create_content()
    comment = call.github.store.commit_comments.put(
        CommitComment(
            id=call.github.store.next_id("commit_comment"),
            repository_id=repository.id,
            commit_id=sha,
            user_id=call.account().id,
            body=body,
            created_at=now,
            updated_at=now,
            **place,
        )
    )
    events.commit_comment_event(call.github, repository, comment, call.account())
    return Reply(201, commits.comment(call.github, repository, comment))


def _find(call: Call, rule: Rule) -> tuple[Repository, CommitComment]:
    repository = call.repository(rule)
    comment = call.github.store.commit_comments.get(call.number("id"))
    if comment is None or comment.repository_id != repository.id:
        raise not_found()
    return repository, comment


@ROUTER.on("GET", _COMMENT)
def get_comment(call: Call) -> Reply:
    """Return one comment."""
    repository, comment = _find(call, READ_CONTENTS)
    return Reply(200, commits.comment(call.github, repository, comment))


@ROUTER.on("PATCH", _COMMENT)
def change_comment(call: Call) -> Reply:
    """Change a comment's text, of which GitHub sends no event."""
    repository, comment = _find(call, _WRITE)
    changes.check_author(call, repository, comment, "write")
    comment.body, comment.updated_at = _text(call), call.github.now()
    call.github.store.commit_comments.put(comment)
    return Reply(200, commits.comment(call.github, repository, comment))


@ROUTER.on("DELETE", _COMMENT)
def delete_comment(call: Call) -> Reply:
    """Delete a comment."""
    repository, comment = _find(call, _WRITE)
    changes.check_author(call, repository, comment, "write")
    call.github.store.commit_comments.delete(comment.id)
    return Reply(204)
