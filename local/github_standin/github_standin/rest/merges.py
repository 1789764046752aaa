"""Merging pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import events, forks, pushes
from github_standin.answers import ApiError, not_found, unprocessable
from github_standin.auth import allow
from github_standin.git.repository import ZERO
from github_standin.merging import Merger
from github_standin.permissions import EDIT_PULLS, READ_PULLS, WRITE_CONTENTS, WRITE_PULLS
from github_standin.routing import Router
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Pull, Repository

ROUTER = Router()
# The settings, and GitHub's words: https://github.com/Mergifyio/mergify/issues/48,
# https://github.com/ridedott/merge-me-action/issues/329
_ALLOWED = {
    "merge": ("allow_merge_commit", "Merge commits"),
    "squash": ("allow_squash_merge", "Squash merges"),
    "rebase": ("allow_rebase_merge", "Rebase merges"),
}
_PULL = "/repos/{owner}/{repo}/pulls/{number}"


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
    if method not in _ALLOWED:
        raise unprocessable("Invalid request.\n\nmerge_method must be one of merge, squash or rebase.")
    if not getattr(repository, _ALLOWED[method][0]):
        raise ApiError(405, f"{_ALLOWED[method][1]} are not allowed on this repository.")
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
    updates = [pushes.Update(ref, before, sha)]
    head = f"refs/heads/{pull.head}"
    if repository.delete_branch_on_merge and pull.fork_id is None and git.ref(head) is not None:
        git.delete_ref(head)
        updates.append(pushes.Update(head, pull.head_sha, ZERO))
    pushes.apply(call.github, repository, call.account(), updates)
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@ROUTER.on("PUT", f"{_PULL}/update-branch")
def update_branch(call: Call) -> Reply:
    """Merge the base into the head's branch, as the button on the page does."""
    repository, issue, pull = _pull(call, EDIT_PULLS)
    place = call.github.head_repository(repository, issue)
    if issue.state == "closed" or place is None:
        raise unprocessable("Pull request is closed")
    if pull.head not in forks.open_branches(call.github, place, call.account()):
        allow(call.actor, place, WRITE_PULLS)
    pull.head_sha = call.github.head_of(repository, issue)
    expected = call.maybe_text("expected_head_sha")
    if expected is not None and expected != pull.head_sha:
        raise unprocessable("expected head sha didn\u2019t match current head ref.")
    git = call.github.git(repository)
    base = git.branch(pull.base) or pull.base_sha
    if git.count(pull.head_sha, base) == 0:
        raise unprocessable("There are no new commits on the base branch.")
    before, sha = pull.head_sha, Merger(call.github, repository, issue, pull, call.account()).update()
    forks.bring(call.github, place, repository, sha)
    ref = f"refs/heads/{pull.head}"
    call.github.git(place).set_ref(ref, sha)
    pushes.apply(call.github, place, call.account(), [pushes.Update(ref, before, sha)])
    url = call.github.links.repo(repository, f"/pulls/{issue.number}")
    return Reply(202, {"message": "Updating pull request branch.", "url": url})
