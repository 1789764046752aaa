"""Repositories and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin.links import escape, node_id
from github_standin.shapes.accounts import JSON, user
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Label, Repository, Role

MERGE_SETTINGS = (
    *("squash_merge_commit_title", "squash_merge_commit_message"),
    *("merge_commit_title", "merge_commit_message"),
    *("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge", "delete_branch_on_merge"),
)
_ADDRESSES = {
    "forks": "/forks",
    "keys": "/keys{/key_id}",
    "collaborators": "/collaborators{/collaborator}",
    "teams": "/teams",
    "hooks": "/hooks",
    "issue_events": "/issues/events{/number}",
    "events": "/events",
    "assignees": "/assignees{/user}",
    "branches": "/branches{/branch}",
    "tags": "/tags",
    "blobs": "/git/blobs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "git_refs": "/git/refs{/sha}",
    "trees": "/git/trees{/sha}",
    "statuses": "/statuses/{sha}",
    "languages": "/languages",
    "stargazers": "/stargazers",
    "contributors": "/contributors",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "commits": "/commits{/sha}",
    "git_commits": "/git/commits{/sha}",
    "comments": "/comments{/number}",
    "issue_comment": "/issues/comments{/number}",
    "contents": "/contents/{+path}",
    "compare": "/compare/{base}...{head}",
    "merges": "/merges",
    "archive": "/{archive_format}{/ref}",
    "downloads": "/downloads",
    "issues": "/issues{/number}",
    "pulls": "/pulls{/number}",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "labels": "/labels{/name}",
    "releases": "/releases{/id}",
    "deployments": "/deployments",
}


def brief_repository(repository: Repository) -> JSON:
    """Return a repository as installation events list it."""
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
    }


def repository(github: GitHub, repository: Repository) -> JSON:
    """Return a whole repository, as the API and webhook payloads carry it."""
    page = github.links.page(repository)
    forks = sum(it.parent_id == repository.id for it in github.store.repositories)
    open_issues = sum(issue.state == "open" for issue in github.issues_of(repository))
    return {
        **brief_repository(repository),
        "owner": user(github, github.store.accounts[repository.owner_id]),
        "html_url": page,
        "description": repository.description,
        "fork": repository.parent_id is not None,
        "url": github.links.repo(repository),
        **{f"{name}_url": github.links.repo(repository, path) for name, path in _ADDRESSES.items()},
        "created_at": stamp(repository.created_at),
        "updated_at": stamp(repository.updated_at),
        "pushed_at": stamp(repository.pushed_at),
        "git_url": f"git://{page.partition('://')[2]}.git",
        "ssh_url": f"git@{page.partition('://')[2].replace('/', ':', 1)}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "homepage": None,
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": repository.has_issues,
        "has_pull_requests": repository.has_pull_requests,
        "pull_request_creation_policy": "all",
        "has_projects": False,
        "has_downloads": True,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": forks,
        "mirror_url": None,
        "archived": repository.archived,
        "disabled": False,
        "open_issues_count": open_issues,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        **{name: getattr(repository, name) for name in MERGE_SETTINGS},
        "topics": [],
        "visibility": "private" if repository.private else "public",
        "forks": forks,
        "open_issues": open_issues,
        "watchers": 0,
        "default_branch": repository.default_branch,
    }


def role_flags(role: Role) -> dict[str, bool]:
    """Return a role as the `permissions` of a repository."""
    order: list[tuple[str, str]] = [
        ("admin", "admin"),
        ("maintain", "admin maintain"),
        ("push", "admin maintain write"),
        ("triage", "admin maintain write triage"),
        ("pull", "admin maintain write triage read"),
    ]
    return {name: role in roles.split() for name, roles in order}


def label(github: GitHub, repository: Repository, label: Label) -> JSON:
    """Return a label."""
    return {
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": github.links.repo(repository, f"/labels/{escape(label.name)}"),
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": label.description,
    }


def labels(github: GitHub, repository: Repository, names: list[str]) -> list[Any]:
    """Return the repository's labels with these names."""
    by_name = {it.name: it for it in repository.labels}
    return [label(github, repository, by_name[name]) for name in names if name in by_name]
