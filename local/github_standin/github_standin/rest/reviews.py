"""Reviews of pull requests.

https://docs.github.com/en/rest/pulls/reviews
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import changes, events, reviewing
from github_standin.answers import not_found, not_processable, unprocessable
from github_standin.permissions import EDIT_PULLS, READ_PULLS, WRITE_PULLS
from github_standin.rest.pulls import find_pull
from github_standin.review_records import Review, ReviewComment
from github_standin.routing import Router
from github_standin.shapes import reviews
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Repository
    from github_standin.review_records import Thread

ROUTER = Router()
_REVIEWS = "/repos/{owner}/{repo}/pulls/{number}/reviews"
_REVIEW = f"{_REVIEWS}/{{review}}"
_STATES: dict[str, Any] = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}


def _reader(call: Call) -> int | None:
    return call.actor.account.id if call.actor.account else None


def _find(call: Call, rule: Rule) -> tuple[Repository, Issue, Review]:
    repository, issue = find_pull(call, rule)
    number = call.number("review")
    for review in reviewing.reviews_of(call.github, issue, _reader(call)):
        if review.id == number and not call.hidden(repository, "review", number):
            return repository, issue, review
    raise not_found()


@ROUTER.on("GET", _REVIEWS)
def list_reviews(call: Call) -> Reply:
    """List reviews, oldest first."""
    repository, issue = find_pull(call, READ_PULLS)
    found = reviewing.reviews_of(call.github, issue, _reader(call))
    return call.page(found, lambda review: reviews.review(call.github, repository, review))


@ROUTER.on("GET", _REVIEW)
def get_review(call: Call) -> Reply:
    """Return one review."""
    repository, _, review = _find(call, READ_PULLS)
    return Reply(200, reviews.review(call.github, repository, review))


@ROUTER.on("GET", f"{_REVIEW}/comments")
def list_comments(call: Call) -> Reply:
    """List the comments of one review."""
    repository, issue, review = _find(call, READ_PULLS)
    found = [comment for comment in call.github.store.review_comments if comment.review_id == review.id]
    return call.page(
        found, lambda comment: reviews.comment_of_review(call.github, repository, issue, comment)
    )


@ROUTER.on("POST", _REVIEWS)
def create_review(call: Call) -> Reply:
    """Submit a review with its comments, or leave it pending without an event."""
    repository, issue = find_pull(call, EDIT_PULLS)
    changes.check_unlocked(call, repository, issue, "review")
    body = changes.checked_body(call.maybe_text("body"), "PullRequestReview") or ""
    event, drafts = call.maybe_text("event"), [dict(draft) for draft in call.items("comments") or ()]
    if event is None:
        _check_pending(call, issue)
    else:
        _check_event(call, issue, event, has_text=bool(body.strip()), has_comments=bool(drafts))
    head = _commit(call, repository, issue)
    threads = [_begin_thread(call, repository, issue, draft, head) for draft in drafts]
    call.create_content()
    now = call.github.now()
    review = call.github.store.reviews.put(
        Review(
            id=call.github.store.next_id("review"),
            repository_id=repository.id,
            number=issue.number,
            user_id=call.account().id,
            by_app=call.by_app,
            body=body,
            state=_STATES[event] if event else "PENDING",
            commit_id=head,
            submitted_at=None,
            updated_at=now,
        )
    )
    call.github.lag.made("review", repository.id, review.id)
    for thread, draft in zip(threads, drafts, strict=True):
        call.github.store.threads.put(thread)
        add_comment(call, review, thread, str(draft["body"]))
    if event:
        publish(call, repository, issue, review)
    return Reply(200, reviews.review(call.github, repository, review))


def _check_pending(call: Call, issue: Issue) -> None:
    account = call.account().id
    if any(it.state == "PENDING" for it in reviewing.reviews_of(call.github, issue, account)):
        raise not_processable("User can only have one pending review per pull request")


def _check_event(call: Call, issue: Issue, event: str, *, has_text: bool, has_comments: bool) -> None:
    if event not in _STATES:
        raise unprocessable(f"Invalid request.\n\nevent {event} is not one of {', '.join(_STATES)}.")
    # Nobody judges what they have opened themselves.
    if event != "COMMENT" and call.account().id == issue.user_id:
        what = "approve" if event == "APPROVE" else "request changes on"
        raise not_processable(f"Can not {what} your own pull request")
    if not has_text and (event == "REQUEST_CHANGES" or (event == "COMMENT" and not has_comments)):
        raise not_processable("Body can't be blank")


def _commit(call: Call, repository: Repository, issue: Issue) -> str:
    """Return the commit that is reviewed: the head, or another one of the pull request."""
    head = call.github.head_of(repository, issue)
    wanted = call.maybe_text("commit_id") or head
    git = call.github.git(repository)
    if git.type_of(wanted) != "commit" or not _was_head(call, repository, issue, wanted):
        raise not_processable("Commit is not part of the pull request")
    return wanted


def _was_head(call: Call, repository: Repository, issue: Issue, commit: str) -> bool:
    base, head = reviewing.span(call.github, repository, issue)
    git = call.github.git(repository)
    return commit == head or (git.is_ancestor(commit, head) and not git.is_ancestor(commit, base))


def _begin_thread(
    call: Call, repository: Repository, issue: Issue, draft: dict[str, Any], head: str
) -> Thread:
    for name in ("path", "body"):
        if not isinstance(draft.get(name), str):
            raise unprocessable(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    if not draft["body"].strip():
        raise not_processable("Body can't be blank")
    changes.checked_body(draft["body"], "PullRequestReviewComment")
    try:
        return reviewing.begin_thread(call.github, repository, issue, draft, head)
    except reviewing.PlaceError as error:
        raise not_processable(
            *(f"Pull request review thread {reason}" for _, reason in error.reasons)
        ) from None


def add_comment(
    call: Call, review: Review, thread: Thread, body: str, in_reply_to: int | None = None
) -> ReviewComment:
    """Save a comment in a thread."""
    now, number = call.github.now(), call.github.store.next_id("review_comment")
    call.github.lag.made("review_comment", review.repository_id, number)
    return call.github.store.review_comments.put(
        ReviewComment(
            id=number,
            repository_id=review.repository_id,
            number=review.number,
            thread_id=thread.id,
            review_id=review.id,
            user_id=review.user_id,
            by_app=review.by_app,
            body=body,
            in_reply_to_id=in_reply_to,
            created_at=now,
            updated_at=now,
        )
    )


def publish(call: Call, repository: Repository, issue: Issue, review: Review) -> None:
    """Submit a review, and tell about it and each of its comments.

    Comments are made before; submitting counts as their newest change, but not as an edit: in
    npm's `@octokit/webhooks-examples`, comments made at 15:20:37 were updated at 15:20:38, when their
    review was submitted.
    """
    github, account = call.github, call.account()
    review.submitted_at = issue.updated_at = github.now()
    github.store.reviews.put(review)
    github.store.issues.put(issue)
    comments = [it for it in github.store.review_comments if it.review_id == review.id]
    for comment in comments:
        comment.updated_at = review.submitted_at
        github.store.review_comments.put(comment)
    events.review_event(github, repository, issue, review, "submitted", account)
    for comment in comments:
        events.review_comment_event(github, repository, issue, comment, "created", account)


@ROUTER.on("POST", f"{_REVIEW}/events")
def submit_review(call: Call) -> Reply:
    """Submit a pending review."""
    repository, issue, review = _find(call, EDIT_PULLS)
    event = call.text("event")
    if review.state != "PENDING":
        raise not_processable("Can not submit a review that is not pending")
    review.body = call.maybe_text("body") or review.body
    comments = [it for it in call.github.store.review_comments if it.review_id == review.id]
    _check_event(call, issue, event, has_text=bool(review.body.strip()), has_comments=bool(comments))
    review.state = _STATES[event]
    publish(call, repository, issue, review)
    return Reply(200, reviews.review(call.github, repository, review))


@ROUTER.on("PUT", _REVIEW)
def change_review(call: Call) -> Reply:
    """Change the text of a review."""
    repository, issue, review = _find(call, EDIT_PULLS)
    changes.check_author(call, repository, review, "write")
    body = changes.checked_body(call.text("body"), "PullRequestReview") or ""
    call.create_content(edit=True)
    before, review.body, review.updated_at = review.body, body, call.github.now()
    call.github.store.reviews.put(review)
    if before != body and review.state != "PENDING":
        difference = {"body": {"from": before}}
        events.review_event(
            call.github, repository, issue, review, "edited", call.account(), changes=difference
        )
    return Reply(200, reviews.review(call.github, repository, review))


@ROUTER.on("DELETE", _REVIEW)
def delete_review(call: Call) -> Reply:
    """Delete a pending review with its comments."""
    repository, _, review = _find(call, EDIT_PULLS)
    if review.state != "PENDING":
        raise not_processable("Can not delete a non-pending pull request review")
    shaped = reviews.review(call.github, repository, review)
    for comment in call.github.store.review_comments:
        if comment.review_id == review.id:
            call.github.store.review_comments.delete(comment.id)
    call.github.store.reviews.delete(review.id)
    return Reply(200, shaped)


@ROUTER.on("PUT", f"{_REVIEW}/dismissals")
def dismiss_review(call: Call) -> Reply:
    """Take away the force of an approval or of requested changes."""
    repository, issue, review = _find(call, WRITE_PULLS)
    call.text("message")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise not_processable(f"Can not dismiss a {review.state.lower()} pull request review")
    review.state, review.updated_at = "DISMISSED", call.github.now()
    call.github.store.reviews.put(review)
    events.review_event(call.github, repository, issue, review, "dismissed", call.account())
    return Reply(200, reviews.review(call.github, repository, review))
