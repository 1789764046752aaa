"""Comments on issues and pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import changes, events
from github_standin.answers import invalid, not_found
from github_standin.auth import allow
from github_standin.permissions import READ_ISSUES, TALK, Rule
from github_standin.records import Comment, Issue
from github_standin.routing import Router
from github_standin.shapes import issues
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Repository

ROUTER = Router()
_COMMENT = "/repos/{owner}/{repo}/issues/comments/{id}"


def _text(call: Call) -> str:
    body = call.text("body")
    if not body.strip():
        raise invalid("IssueComment", "unprocessable", field="data", message="Body cannot be blank")
    if len(body) > changes.LONGEST_BODY:
        message = f"Body is too long (maximum is {changes.LONGEST_BODY} characters)"
        raise invalid("IssueComment", "unprocessable", field="data", message=message)
    return body


@ROUTER.on("GET", "/repos/{owner}/{repo}/issues/{number}/comments")
def list_comments(call: Call) -> Reply:
    """List the comments on an issue, oldest first."""
    repository, issue = call.issue(READ_ISSUES)
    return call.page(
        call.github.comments_of(issue), lambda comment: issues.comment(call.github, repository, comment)
    )


@ROUTER.on("POST", "/repos/{owner}/{repo}/issues/{number}/comments")
def create_comment(call: Call) -> Reply:
    """Create a comment."""
    repository, issue = call.issue(TALK)
    changes.check_unlocked(call, repository, issue, "comment")
    body = _text(call)
    call.create_content()
    now, account = call.github.now(), call.account()
    comment = call.github.store.comments.put(
        Comment(
            id=call.github.store.next_id("comment"),
            repository_id=repository.id,
            number=issue.number,
            user_id=account.id,
            by_app=call.by_app,
            body=body,
            created_at=now,
            updated_at=now,
        )
    )
    call.github.lag.made("comment", repository.id, comment.id)
    issue.updated_at = now
    call.github.store.issues.put(issue)
    events.comment_event(call.github, repository, issue, comment, "created", account)
    return Reply(201, issues.comment(call.github, repository, comment))


def find(call: Call, rule: Rule) -> tuple[Repository, Issue, Comment]:
    """Return repository, issue and comment of the path, if the rule allows it.

    Raises:
        ApiError: 401, 403 or 404.
    """
    repository = call.github.repository(call.params["owner"], call.params["repo"])
    comment = call.github.store.comments.get(call.number("id"))
    issue = (
        call.github.issue(repository, comment.number)
        if repository and comment and comment.repository_id == repository.id
        else None
    )
    if repository is None:
        raise not_found()
    allow(call.actor, repository, rule, issue)
    if comment is None or issue is None or call.hidden(repository, "comment", comment.id):
        raise not_found()
    return repository, issue, comment


@ROUTER.on("GET", _COMMENT)
def get_comment(call: Call) -> Reply:
    """Return one comment."""
    repository, _, comment = find(call, READ_ISSUES)
    return Reply(200, issues.comment(call.github, repository, comment))


@ROUTER.on("PATCH", _COMMENT)
def change_comment(call: Call) -> Reply:
    """Change a comment's text."""
    repository, issue, comment = find(call, TALK)
    changes.check_author(call, repository, comment, "write")
    body = _text(call)
    call.create_content(edit=True)
    before = comment.body
    comment.body, comment.updated_at = body, call.github.now()
    call.github.store.comments.put(comment)
    if body != before:
        difference = {"body": {"from": before}}
        events.comment_event(
            call.github, repository, issue, comment, "edited", call.account(), changes=difference
        )
    return Reply(200, issues.comment(call.github, repository, comment))


@ROUTER.on("DELETE", _COMMENT)
def delete_comment(call: Call) -> Reply:
    """Delete a comment."""
    repository, issue, comment = find(call, TALK)
    changes.check_author(call, repository, comment, "write")
    events.comment_event(call.github, repository, issue, comment, "deleted", call.account())
    call.github.store.comments.delete(comment.id)
    return Reply(204)
