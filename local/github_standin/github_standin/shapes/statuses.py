"""Statuses of commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, user
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.check_records import CommitStatus
    from github_standin.github import GitHub
    from github_standin.records import Repository


def status(github: GitHub, repository: Repository, status: CommitStatus) -> JSON:
    """Return a status."""
    creator = user(github, github.store.accounts[status.user_id])
    made = stamp(status.created_at)
    return {
        "url": github.links.repo(repository, f"/statuses/{status.sha}"),
        "avatar_url": creator["avatar_url"],
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": made,
        "updated_at": made,
        "creator": creator,
    }
