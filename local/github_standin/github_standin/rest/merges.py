"""Merging and reviewing pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import events, pushes
from github_standin.answers import ApiError, Reply, not_found, unprocessable
from github_standin.links import node_id
from github_standin.merging import Merger
from github_standin.permissions import READ_PULLS, WRITE_CONTENTS, WRITE_PULLS
from github_standin.routing import Router
from github_standin.shapes.accounts import maybe_user
from github_standin.shapes.issues import association
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Pull, Repository

ROUTER = Router()
_PULL = "/repos/{owner}/{repo}/pulls/{number}"
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def _pull(call: Call, rule: Rule) -> tuple[Repository, Issue, Pull]:
    repository, issue = call.issue(rule)
    if issue.pull is None:
        raise not_found()
    return repository, issue, issue.pull


@ROUTER.on("GET", f"{_PULL}/merge")
def is_merged(call: Call) -> Reply:
    """Answer 204 if it is merged."""
    if _pull(call, READ_PULLS)[2].merged_at is None:
        raise not_found()
    return Reply(204)


@ROUTER.on("PUT", f"{_PULL}/merge")
def merge(call: Call) -> Reply:
    """Merge, squash or rebase."""
    repository, issue, pull = _pull(call, WRITE_CONTENTS)
    if issue.state == "closed" or pull.draft:
        why = "still a draft" if pull.draft else "not mergeable"
        raise ApiError(405, f"Pull Request is {why}")
    expected = call.maybe_text("sha")
    pull.head_sha = call.github.head_of(repository, issue)
    if expected is not None and expected != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    title, message = call.maybe_text("commit_title"), call.maybe_text("commit_message")
    proposed = "\n\n".join(part for part in (title, message) if part) or None
    merger = Merger(call.github, repository, issue, pull, call.account())
    method = call.maybe_text("merge_method") or "merge"
    if method not in ("merge", "squash", "rebase"):
        raise unprocessable("Invalid request.\n\nmerge_method must be one of merge, squash or rebase.")
    sha = merger.rebase() if method == "rebase" else getattr(merger, method)(proposed)
    ref = f"refs/heads/{pull.base}"
    git = call.github.git(repository)
    before = git.branch(pull.base) or pull.base_sha
    git.set_ref(ref, sha)
    pull.merge_commit_sha, pull.merged_at, pull.merged_by_id = sha, call.github.now(), call.account().id
    pushes.close(call.github, repository, issue, call.account())
    pull.base_sha = before
    call.github.store.issues.put(issue)
    events.issue_event(call.github, repository, issue, "closed", call.account())
    pushes.apply(call.github, repository, call.account(), [pushes.Update(ref, before, sha)])
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@ROUTER.on("POST", f"{_PULL}/reviews")
def create_review(call: Call) -> Reply:
    """Submit a review; nobody approves what they have opened."""
    repository, issue, _ = _pull(call, WRITE_PULLS if call.by_app else READ_PULLS)
    account, event = call.account(), call.text("event")
    if event not in _STATES:
        raise unprocessable(f"Invalid request.\n\nevent {event} is not one of {', '.join(_STATES)}.")
    if event != "COMMENT" and account.id == issue.user_id:
        what = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Unprocessable Entity: Can not {what} your own pull request")
    number = call.github.store.next_id("review")
    api = call.github.links.repo(repository, f"/pulls/{issue.number}")
    page = call.github.links.page(repository, f"/pull/{issue.number}#pullrequestreview-{number}")
    review: dict[str, Any] = {
        "id": number,
        "node_id": node_id("PRR", number),
        "user": maybe_user(call.github, account.id),
        "body": call.maybe_text("body") or "",
        "state": _STATES[event],
        "html_url": page,
        "pull_request_url": api,
        "author_association": association(call.github, repository, account.id),
        "_links": {"html": {"href": page}, "pull_request": {"href": api}},
        "submitted_at": stamp(call.github.now()),
        "commit_id": call.maybe_text("commit_id") or call.github.head_of(repository, issue),
    }
    # Webhooks write the state in lower case.
    payload = {**review, "state": review["state"].lower()}
    events.review_event(call.github, repository, issue, payload, account)
    return Reply(200, review)
