"""Reactions to issues and comments, those in reviews too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import changes
from github_standin.answers import invalid
from github_standin.permissions import EDIT_PULLS, READ_ISSUES, READ_PULLS, TALK
from github_standin.records import Comment, Issue, Reaction
from github_standin.rest import comments, review_comments
from github_standin.routing import Router
from github_standin.shapes import issues
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.review_records import ReviewComment

ROUTER = Router()
_ISSUE = "/repos/{owner}/{repo}/issues/{number}/reactions"
_COMMENT = "/repos/{owner}/{repo}/issues/comments/{id}/reactions"
_REVIEW_COMMENT = "/repos/{owner}/{repo}/pulls/comments/{id}/reactions"


def _list(call: Call, subject: Issue | Comment | ReviewComment) -> Reply:
    content = call.query.get("content")
    chosen = [reaction for reaction in subject.reactions if content in (None, reaction.content)]
    return call.page(chosen, lambda reaction: issues.reaction(call.github, reaction))


def _save(call: Call, subject: Issue | Comment | ReviewComment) -> None:
    if isinstance(subject, Issue):
        call.github.store.issues.put(subject)
    elif isinstance(subject, Comment):
        call.github.store.comments.put(subject)
    else:
        call.github.store.review_comments.put(subject)


def _add(call: Call, subject: Issue | Comment | ReviewComment) -> Reply:
    content, account = call.text("content"), call.account()
    if content not in issues.CONTENTS:
        raise invalid("Reaction", "invalid", field="content")
    for reaction in subject.reactions:
        if (reaction.user_id, reaction.content) == (account.id, content):
            return Reply(200, issues.reaction(call.github, reaction))
    made = Reaction(
        id=call.github.store.next_id("reaction"),
        user_id=account.id,
        content=content,
        created_at=call.github.now(),
    )
    subject.reactions.append(made)
    _save(call, subject)
    return Reply(201, issues.reaction(call.github, made))


@ROUTER.on("GET", _ISSUE)
def list_on_issue(call: Call) -> Reply:
    """List the reactions to an issue."""
    return _list(call, call.issue(READ_ISSUES)[1])


@ROUTER.on("POST", _ISSUE)
def react_to_issue(call: Call) -> Reply:
    """React to an issue: 201 when new, 200 when it was there."""
    repository, issue = call.issue(TALK)
    changes.check_unlocked(call, repository, issue, "reaction")
    return _add(call, issue)


@ROUTER.on("GET", _COMMENT)
def list_on_comment(call: Call) -> Reply:
    """List the reactions to a comment."""
    return _list(call, comments.find(call, READ_ISSUES)[2])


@ROUTER.on("POST", _COMMENT)
def react_to_comment(call: Call) -> Reply:
    """React to a comment: 201 when new, 200 when it was there."""
    return _add(call, comments.find(call, TALK)[2])


@ROUTER.on("GET", _REVIEW_COMMENT)
def list_on_review_comment(call: Call) -> Reply:
    """List the reactions to a comment in a review's thread."""
    return _list(call, review_comments.find(call, READ_PULLS)[2])


@ROUTER.on("POST", _REVIEW_COMMENT)
def react_to_review_comment(call: Call) -> Reply:
    """React to a comment in a review's thread: 201 when new, 200 when it was there."""
    return _add(call, review_comments.find(call, EDIT_PULLS)[2])
