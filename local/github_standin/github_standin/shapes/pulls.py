"""Pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.git.diffs import changed_files
from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, maybe_user
from github_standin.shapes.commits import stats
from github_standin.shapes.issues import association
from github_standin.shapes.repositories import labels, repository
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Issue, Pull, Repository


def _side(github: GitHub, record: Repository, branch: str, sha: str) -> JSON:
    return {
        "label": f"{record.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": maybe_user(github, record.owner_id),
        "repo": repository(github, record),
    }


def base_sha(github: GitHub, record: Repository, it: Issue, pull: Pull) -> str:
    """Return the base commit: the base branch's head while the pull request is open."""
    if it.state == "closed":
        return pull.base_sha
    return github.git(record).branch(pull.base) or pull.base_sha


def pull_request(github: GitHub, record: Repository, it: Issue, *, full: bool = True) -> JSON:
    """Return a pull request.

    Args:
        full: with the counts and the state of merging, which lists do not have.
    """
    if it.pull is None:
        raise ValueError(f"#{it.number} is no pull request")
    api, page = (github.links.repo(record, f"/{kind}/{it.number}") for kind in ("pulls", "issues"))
    html = github.links.page(record, f"/pull/{it.number}")
    head, base = github.head_of(record, it), base_sha(github, record, it, it.pull)
    statuses = github.links.repo(record, f"/statuses/{head}")
    addresses = {
        "html": html,
        "issue": page,
        "comments": f"{page}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": github.links.repo(record, "/pulls/comments{/number}"),
        "commits": f"{api}/commits",
        "statuses": statuses,
        "self": api,
    }
    shaped: JSON = {
        "url": api,
        "id": it.pull.id,
        "node_id": node_id("PR", it.pull.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": page,
        "number": it.number,
        "state": it.state,
        "locked": it.locked,
        "title": it.title,
        "user": maybe_user(github, it.user_id),
        "body": it.body,
        "created_at": stamp(it.created_at),
        "updated_at": stamp(it.updated_at),
        "closed_at": stamp(it.closed_at),
        "merged_at": stamp(it.pull.merged_at),
        "merge_commit_sha": it.pull.merge_commit_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": labels(github, record, it.labels),
        "milestone": None,
        "draft": it.pull.draft,
        **{f"{name}_url": addresses[name] for name in ("commits", "review_comments", "review_comment")},
        "comments_url": addresses["comments"],
        "statuses_url": statuses,
        "head": _side(github, record, it.pull.head, head),
        "base": _side(github, record, it.pull.base, base),
        "_links": {name: {"href": address} for name, address in addresses.items()},
        "author_association": association(github, record, it.user_id),
        "auto_merge": None,
        "active_lock_reason": it.lock_reason,
    }
    return shaped | _counts(github, record, it, base, head) if full else shaped


def _counts(github: GitHub, record: Repository, it: Issue, base: str, head: str) -> JSON:
    git = github.git(record)
    is_complete = git.type_of(base) and git.type_of(head)
    changes = changed_files(git, git.merge_base(base, head) or base, head) if is_complete else []
    lines = stats(changes)
    return {
        "merged": it.pull is not None and it.pull.merged_at is not None,
        # GitHub works these two out later; whoever reads them must take null for an answer.
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": maybe_user(github, it.pull.merged_by_id if it.pull else None),
        "comments": len(github.comments_of(it)),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": git.count(base, head) if is_complete else 0,
        "additions": lines["additions"],
        "deletions": lines["deletions"],
        "changed_files": len(changes),
    }
