"""Comments in the threads of a pull request's difference.

https://docs.github.com/en/rest/pulls/comments
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import changes, events, reviewing
from github_standin.answers import ApiError, invalid, not_found
from github_standin.auth import allow
from github_standin.permissions import EDIT_PULLS, READ_PULLS
from github_standin.rest.pulls import find_pull
from github_standin.rest.reviews import add_comment, publish
from github_standin.review_records import Review
from github_standin.routing import Router
from github_standin.shapes import reviews
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Repository
    from github_standin.review_records import ReviewComment, Thread

ROUTER = Router()
_KIND = "PullRequestReviewComment"
_COMMENTS = "/repos/{owner}/{repo}/pulls/{number}/comments"
_COMMENT = "/repos/{owner}/{repo}/pulls/comments/{id}"


def _text(call: Call) -> str:
    body = call.text("body")
    if not body.strip():
        raise invalid(_KIND, "missing_field", field="body")
    return changes.checked_body(body, _KIND) or ""


@ROUTER.on("GET", _COMMENTS)
def list_comments(call: Call) -> Reply:
    """List the comments in all threads of a pull request, by id, or by `sort` and `direction`."""
    repository, issue = find_pull(call, READ_PULLS)
    reader = call.actor.account.id if call.actor.account else None
    found = reviewing.comments_of(call.github, issue, reader)
    order = call.query.get("sort")
    if order in ("created", "updated"):
        found.sort(key=lambda comment: (getattr(comment, f"{order}_at"), comment.id))
        # Only together with `sort`, as documented.
        found = found[::-1] if call.query.get("direction", "desc") == "desc" else found
    return call.page(found, lambda comment: reviews.comment(call.github, repository, issue, comment))


@ROUTER.on("POST", _COMMENTS)
def create_comment(call: Call) -> Reply:
    """Begin a thread with one comment, which is a review of its own."""
    repository, issue = find_pull(call, EDIT_PULLS)
    body = _text(call)
    if (first := call.body().get("in_reply_to")) is not None:
        return _reply(call, repository, issue, first, body)
    changes.check_unlocked(call, repository, issue, "comment")
    head = call.text("commit_id")
    if call.github.git(repository).type_of(head) != "commit":
        raise invalid(_KIND, "invalid", field="commit_id")
    try:
        thread = reviewing.begin_thread(call.github, repository, issue, call.body(), head)
    except reviewing.PlaceError as error:
        raise ApiError(422, "Validation Failed", errors=_details(error)) from None
    call.create_content()
    call.github.store.threads.put(thread)
    return _publish(call, repository, issue, thread, body, None)


def _details(error: reviewing.PlaceError) -> list[dict[str, Any]]:
    found = []
    for field, reason in error.reasons:
        where = f"pull_request_review_thread.{field}"
        detail = {"resource": _KIND, "code": "custom", "field": where}
        words = reason.removeprefix(field.replace("_", " "))
        blank = field == "diff_hunk"
        found.append(detail | ({"code": "missing_field"} if blank else {"message": where + words}))
    return found


@ROUTER.on("POST", f"{_COMMENTS}/{{id}}/replies")
def create_reply(call: Call) -> Reply:
    """Answer a thread's first comment."""
    repository, issue = find_pull(call, EDIT_PULLS)
    return _reply(call, repository, issue, call.number("id"), _text(call))


def _reply(call: Call, repository: Repository, issue: Issue, first: int, body: str) -> Reply:
    changes.check_unlocked(call, repository, issue, "comment")
    comment = call.github.store.review_comments.get(first)
    if comment is None or (comment.repository_id, comment.number) != (repository.id, issue.number):
        raise not_found()
    if comment.in_reply_to_id is not None:
        # Replies to replies are not supported, as documented.
        raise invalid(_KIND, "invalid", field="in_reply_to")
    call.create_content()
    thread = call.github.store.threads[comment.thread_id]
    return _publish(call, repository, issue, thread, body, comment.id)


def _publish(
    call: Call, repository: Repository, issue: Issue, thread: Thread, body: str, first: int | None
) -> Reply:
    """Save a comment with the review that GitHub makes for it, and tell about both.

    https://github.com/dolphin-emu/sadm/pull/69, https://github.com/ghostty-org/discord-bot/pull/324
    """
    now = call.github.now()
    review = call.github.store.reviews.put(
        Review(
            id=call.github.store.next_id("review"),
            repository_id=repository.id,
            number=issue.number,
            user_id=call.account().id,
            by_app=call.by_app,
            body="",
            state="COMMENTED",
            commit_id=call.github.head_of(repository, issue),
            submitted_at=None,
            updated_at=now,
        )
    )
    comment = add_comment(call, review, thread, body, first)
    publish(call, repository, issue, review)
    return Reply(201, reviews.comment(call.github, repository, issue, comment))


def find(call: Call, rule: Rule) -> tuple[Repository, Issue, ReviewComment]:
    """Return repository, pull request and comment of the path, if the rule allows it.

    Raises:
        ApiError: 401, 403 or 404.
    """
    repository = call.github.repository(call.params["owner"], call.params["repo"])
    if repository is None:
        raise not_found()
    allow(call.actor, repository, rule)
    comment = call.github.store.review_comments.get(call.number("id"))
    if comment is None or comment.repository_id != repository.id:
        raise not_found()
    if call.hidden(repository, "review_comment", comment.id):
        raise not_found()
    issue = call.github.issue(repository, comment.number)
    if issue is None:
        raise not_found()
    return repository, issue, comment


@ROUTER.on("GET", _COMMENT)
def get_comment(call: Call) -> Reply:
    """Return one comment."""
    repository, issue, comment = find(call, READ_PULLS)
    return Reply(200, reviews.comment(call.github, repository, issue, comment))


@ROUTER.on("PATCH", _COMMENT)
def change_comment(call: Call) -> Reply:
    """Change a comment's text."""
    repository, issue, comment = find(call, EDIT_PULLS)
    changes.check_author(call, repository, comment, "write")
    body = _text(call)
    call.create_content(edit=True)
    before, comment.body = comment.body, body
    comment.updated_at = comment.last_edited_at = call.github.now()
    call.github.store.review_comments.put(comment)
    if body != before:
        difference = {"body": {"from": before}}
        events.review_comment_event(
            call.github, repository, issue, comment, "edited", call.account(), changes=difference
        )
    return Reply(200, reviews.comment(call.github, repository, issue, comment))


@ROUTER.on("DELETE", _COMMENT)
def delete_comment(call: Call) -> Reply:
    """Delete a comment; a thread goes with its last one."""
    repository, issue, comment = find(call, EDIT_PULLS)
    changes.check_author(call, repository, comment, "write")
    events.review_comment_event(call.github, repository, issue, comment, "deleted", call.account())
    call.github.store.review_comments.delete(comment.id)
    return Reply(204)
