"""Forks, and the pull requests that come from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.auth import role_of
from github_standin.permissions import ROLES
from github_standin.records import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github_standin.github import GitHub
    from github_standin.records import Account, Issue


def fork_of(github: GitHub, repository: Repository, owner: str) -> Repository | None:
    """Return the fork of a repository that somebody has."""
    wanted = owner.lower()
    return next(
        (
            it
            for it in github.store.repositories
            if it.parent_id == repository.id and it.owner.lower() == wanted
        ),
        None,
    )


def make(github: GitHub, repository: Repository, owner: Account, name: str) -> Repository:
    """Copy a repository's branches and tags into one of somebody's own.

    Its issues are turned off, and the App is not installed there.
    """
    now = github.now()
    fork = Repository(
        id=github.store.next_id("repository"),
        owner_id=owner.id,
        owner=owner.login,
        name=name,
        private=repository.private,
        description=repository.description,
        default_branch=repository.default_branch,
        has_issues=False,
        parent_id=repository.id,
        created_at=now,
        updated_at=now,
        pushed_at=repository.pushed_at,
    )
    git = github.git_store.create(fork.owner, fork.name, source=github.git(repository).path)
    git.set_head(fork.default_branch)
    return github.store.repositories.put(fork)


def pulls_from(github: GitHub, fork: Repository, branch: str | None = None) -> Iterator[Issue]:
    """Yield the open pull requests from a fork, or from one branch of it."""
    for issue in github.store.issues:
        pull = issue.pull
        if pull is None or pull.fork_id != fork.id or issue.state != "open" or issue.deleted:
            continue
        if branch in (None, pull.head):
            yield issue


def bring(github: GitHub, repository: Repository, fork: Repository, sha: str) -> None:
    """Have a commit of a fork in the repository too, as all of a network's commits are on GitHub.

    Args:
        fork: where the commit is; that may be the repository itself.
    """
    git = github.git(repository)
    if git.type_of(sha) is None:
        git.run("fetch", "--quiet", "--no-tags", str(github.git(fork).path), sha)


def open_branches(github: GitHub, fork: Repository, account: Account) -> list[str]:
    """Return the branches of a fork that somebody may push to because their pull requests allow it.

    https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/working-with-forks/allowing-changes-to-a-pull-request-branch-created-from-a-fork
    """
    branches = []
    for issue in pulls_from(github, fork):
        base = github.store.repositories.get(issue.repository_id)
        if base is None or issue.pull is None or not issue.pull.maintainer_can_modify:
            continue
        if ROLES[role_of(base, account)] >= ROLES["write"]:
            branches.append(issue.pull.head)
    return branches
