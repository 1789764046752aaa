"""Merging pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import events, pushes
from github_standin.answers import ApiError, Reply, not_found, unprocessable
from github_standin.merging import Merger
from github_standin.permissions import READ_PULLS, WRITE_CONTENTS
from github_standin.routing import Router

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Pull, Repository

ROUTER = Router()
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
