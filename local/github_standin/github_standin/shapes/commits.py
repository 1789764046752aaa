"""Commits and changed files, in the two forms that GitHub has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from github_standin.git.diffs import FileChange
    from github_standin.git.repository import Commit, Signature
    from github_standin.github import GitHub
    from github_standin.records import Account, Repository

_UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}
# The address of GitHub's own commits, https://github.com/web-flow.
GITHUB_MAIL = "noreply@github.com"
_NOREPLY = "users.noreply.github.com"


def _account(github: GitHub, signature: Signature) -> Account | None:
    """Return the account that a commit's mail address belongs to: GitHub's own no-reply form only."""
    local, _, domain = signature.email.partition("@")
    if domain not in {_NOREPLY, github.links.noreply}:
        return None
    return github.account(local.partition("+")[2] or local)


def signature(it: Signature) -> JSON:
    """Return a commit's author or committer."""
    return {"name": it.name, "email": it.email, "date": it.date}


def _verification(github: GitHub, repository: Repository, it: Commit) -> JSON:
    """Return the verification of a commit's signature; only the stand-in's own key is known."""
    if it.committer.email != GITHUB_MAIL:
        return _UNSIGNED
    verified = github.git_store.signer.verified(github.git(repository).raw_commit(it.sha))
    if verified is None:
        return _UNSIGNED
    signature, payload = verified
    return {
        "verified": True,
        "reason": "valid",
        "signature": signature,
        "payload": payload,
        "verified_at": it.committer.date,
    }


def git_commit(github: GitHub, repository: Repository, it: Commit) -> JSON:
    """Return a commit as the git database has it."""
    return {
        "sha": it.sha,
        "node_id": node_id("C", int(it.sha[:15], 16)),
        "url": github.links.repo(repository, f"/git/commits/{it.sha}"),
        "html_url": github.links.page(repository, f"/commit/{it.sha}"),
        "author": signature(it.author),
        "committer": signature(it.committer),
        "tree": {"sha": it.tree, "url": github.links.repo(repository, f"/git/trees/{it.tree}")},
        "message": it.message,
        "parents": [
            {
                "sha": parent,
                "url": github.links.repo(repository, f"/git/commits/{parent}"),
                "html_url": github.links.page(repository, f"/commit/{parent}"),
            }
            for parent in it.parents
        ],
        "verification": _verification(github, repository, it),
    }


def commit(github: GitHub, repository: Repository, it: Commit) -> JSON:
    """Return a commit as the repository's history has it."""
    inner = git_commit(github, repository, it)
    author, committer = _account(github, it.author), _account(github, it.committer)
    url = github.links.repo(repository, f"/commits/{it.sha}")
    return {
        "sha": it.sha,
        "node_id": inner["node_id"],
        "commit": {
            "author": inner["author"],
            "committer": inner["committer"],
            "message": it.message,
            "tree": inner["tree"],
            "url": inner["url"],
            "comment_count": 0,
            "verification": inner["verification"],
        },
        "url": url,
        "html_url": inner["html_url"],
        "comments_url": f"{url}/comments",
        "author": user(github, author) if author else None,
        "committer": user(github, committer) if committer else None,
        "parents": [
            {**parent, "url": github.links.repo(repository, f"/commits/{parent['sha']}")}
            for parent in inner["parents"]
        ],
    }


def stats(changes: Sequence[FileChange]) -> dict[str, int]:
    """Return added and removed lines of all files."""
    additions = sum(change.additions for change in changes)
    deletions = sum(change.deletions for change in changes)
    return {"total": additions + deletions, "additions": additions, "deletions": deletions}


def changed_file(github: GitHub, repository: Repository, it: FileChange, ref: str) -> JSON:
    """Return a changed file.

    Args:
        ref: the commit in which the file is as described.
    """
    shaped = {
        "sha": it.sha,
        "filename": it.path,
        "status": it.status,
        "additions": it.additions,
        "deletions": it.deletions,
        "changes": it.additions + it.deletions,
        "blob_url": github.links.page(repository, f"/blob/{ref}/{it.path}"),
        "raw_url": github.links.page(repository, f"/raw/{ref}/{it.path}"),
        "contents_url": github.links.repo(repository, f"/contents/{it.path}?ref={ref}"),
    }
    if it.patch is not None:
        shaped["patch"] = it.patch
    if it.previous is not None:
        shaped["previous_filename"] = it.previous
    return shaped
