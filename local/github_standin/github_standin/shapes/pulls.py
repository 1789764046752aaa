"""Pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.git.diffs import changed_files
from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, maybe_user
from github_standin.shapes.commits import stats
from github_standin.shapes.issues import assignees, association
from github_standin.shapes.repositories import labels, repository
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Issue, Pull, Repository


def _base(github: GitHub, record: Repository, branch: str, sha: str) -> JSON:
    return {
        "label": f"{record.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": maybe_user(github, record.owner_id),
        "repo": repository(github, record),
    }


def _head(github: GitHub, record: Repository, issue: Issue, pull: Pull, sha: str) -> JSON:
    """Return the head, whose repository is null once a fork is gone."""
    place = github.head_repository(record, issue)
    if place is not None:
        return _base(github, place, pull.head, sha)
    user = maybe_user(github, pull.fork_owner_id)
    label = f"{user['login'] if user else 'unknown'}:{pull.head}"
    return {"label": label, "ref": pull.head, "sha": sha, "user": user, "repo": None}


def base_sha(github: GitHub, repository: Repository, issue: Issue, pull: Pull) -> str:
    """Return the base commit: the base branch's head while the pull request is open."""
    if issue.state == "closed":
        return pull.base_sha
    return github.git(repository).branch(pull.base) or pull.base_sha


def pull_request(github: GitHub, repository: Repository, issue: Issue, *, full: bool = True) -> JSON:
    """Return a pull request.

    Args:
        full: with the counts and the state of merging, which lists do not have.
    """
    if issue.pull is None:
        raise ValueError(f"#{issue.number} is no pull request")
    api, page = (github.links.repo(repository, f"/{kind}/{issue.number}") for kind in ("pulls", "issues"))
    html = github.links.page(repository, f"/pull/{issue.number}")
    head, base = github.head_of(repository, issue), base_sha(github, repository, issue, issue.pull)
    statuses = github.links.repo(repository, f"/statuses/{head}")
    addresses = {
        "html": html,
        "issue": page,
        "comments": f"{page}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": github.links.repo(repository, "/pulls/comments{/number}"),
        "commits": f"{api}/commits",
        "statuses": statuses,
        "self": api,
    }
    shaped: JSON = {
        "url": api,
        "id": issue.pull.id,
        "node_id": node_id("PR", issue.pull.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": page,
        "number": issue.number,
        "state": issue.state,
        "locked": issue.locked,
        "title": issue.title,
        "user": maybe_user(github, issue.user_id),
        "body": issue.body,
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "merged_at": stamp(issue.pull.merged_at),
        "merge_commit_sha": issue.pull.merge_commit_sha,
        **assignees(github, issue),
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": labels(github, repository, issue.labels),
        "milestone": None,
        "draft": issue.pull.draft,
        **{f"{name}_url": addresses[name] for name in ("commits", "review_comments", "review_comment")},
        "comments_url": addresses["comments"],
        "statuses_url": statuses,
        "head": _head(github, repository, issue, issue.pull, head),
        "base": _base(github, repository, issue.pull.base, base),
        "_links": {name: {"href": address} for name, address in addresses.items()},
        "author_association": association(github, repository, issue.user_id),
        "auto_merge": None,
        "active_lock_reason": issue.lock_reason,
    }
    return shaped | _counts(github, repository, issue, base, head) if full else shaped


def _counts(github: GitHub, repository: Repository, issue: Issue, base: str, head: str) -> JSON:
    git = github.git(repository)
    is_complete = git.type_of(base) and git.type_of(head)
    changes = changed_files(git, git.merge_base(base, head) or base, head) if is_complete else []
    lines = stats(changes)
    return {
        "merged": issue.pull is not None and issue.pull.merged_at is not None,
        # GitHub works these two out later; whoever reads them must take null for an answer.
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": maybe_user(github, issue.pull.merged_by_id if issue.pull else None),
        "comments": len(github.comments_of(issue)),
        "review_comments": _review_comments(github, issue),
        "maintainer_can_modify": issue.pull is not None and issue.pull.maintainer_can_modify,
        "commits": git.count(base, head) if is_complete else 0,
        "additions": lines["additions"],
        "deletions": lines["deletions"],
        "changed_files": len(changes),
    }


def _review_comments(github: GitHub, issue: Issue) -> int:
    pending = {review.id for review in github.store.reviews if review.state == "PENDING"}
    return sum(
        (comment.repository_id, comment.number) == (issue.repository_id, issue.number)
        and comment.review_id not in pending
        for comment in github.store.review_comments
    )
