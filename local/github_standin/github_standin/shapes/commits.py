"""Commits and changed files, in the two forms that GitHub has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, maybe_user, user
from github_standin.shapes.issues import association, reaction_counts
from github_standin.times import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from github_standin.git.diffs import FileChange
    from github_standin.git.repository import Commit, Signature
    from github_standin.github import GitHub
    from github_standin.records import Account, Repository
    from github_standin.review_records import CommitComment

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


def signature(person: Signature) -> JSON:
    """Return a commit's author or committer."""
    return {"name": person.name, "email": person.email, "date": person.date}


def _verification(github: GitHub, repository: Repository, commit: Commit) -> JSON:
    """Return the verification of a commit's signature; only the stand-in's own key is known."""
    if commit.committer.email != GITHUB_MAIL:
        return _UNSIGNED
    verified = github.git_store.signer.verified(github.git(repository).raw_commit(commit.sha))
    if verified is None:
        return _UNSIGNED
    signature, payload = verified
    return {
        "verified": True,
        "reason": "valid",
        "signature": signature,
        "payload": payload,
        "verified_at": commit.committer.date,
    }


def git_commit(github: GitHub, repository: Repository, commit: Commit) -> JSON:
    """Return a commit as the git database has it."""
    return {
        "sha": commit.sha,
        "node_id": node_id("C", int(commit.sha[:15], 16)),
        "url": github.links.repo(repository, f"/git/commits/{commit.sha}"),
        "html_url": github.links.page(repository, f"/commit/{commit.sha}"),
        "author": signature(commit.author),
        "committer": signature(commit.committer),
        "tree": {"sha": commit.tree, "url": github.links.repo(repository, f"/git/trees/{commit.tree}")},
        "message": commit.message,
        "parents": [
            {
                "sha": parent,
                "url": github.links.repo(repository, f"/git/commits/{parent}"),
                "html_url": github.links.page(repository, f"/commit/{parent}"),
            }
            for parent in commit.parents
        ],
        "verification": _verification(github, repository, commit),
    }


def commit(github: GitHub, repository: Repository, commit: Commit) -> JSON:
    """Return a commit as the repository's history has it."""
    inner = git_commit(github, repository, commit)
    author, committer = _account(github, commit.author), _account(github, commit.committer)
    url = github.links.repo(repository, f"/commits/{commit.sha}")
    return {
        "sha": commit.sha,
        "node_id": inner["node_id"],
        "commit": {
            "author": inner["author"],
            "committer": inner["committer"],
            "message": commit.message,
            "tree": inner["tree"],
            "url": inner["url"],
            "comment_count": len(github.comments_on(repository, commit.sha)),
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


def changed_file(github: GitHub, repository: Repository, change: FileChange, ref: str) -> JSON:
    """Return a changed file.

    Args:
        ref: the commit in which the file is as described.
    """
    # GitHub escapes slashes here, as answers show that are recorded in
    # https://github.com/xtreamsrl/ai-pr-review-action: `/contents/src%2Foptions.ts?ref=…`.
    path = quote(change.path, safe="")
    shaped = {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": github.links.page(repository, f"/blob/{ref}/{path}"),
        "raw_url": github.links.page(repository, f"/raw/{ref}/{path}"),
        "contents_url": github.links.repo(repository, f"/contents/{path}?ref={ref}"),
    }
    if change.patch is not None:
        shaped["patch"] = change.patch
    if change.previous is not None:
        shaped["previous_filename"] = change.previous
    return shaped


def comment(github: GitHub, repository: Repository, comment: CommitComment) -> JSON:
    """Return a comment on a commit."""
    url = github.links.repo(repository, f"/comments/{comment.id}")
    return {
        "html_url": github.links.page(repository, f"/commit/{comment.commit_id}#commitcomment-{comment.id}"),
        "url": url,
        "id": comment.id,
        "node_id": node_id("CC", comment.id),
        "body": comment.body,
        "path": comment.path,
        "position": comment.position,
        "line": comment.line,
        "commit_id": comment.commit_id,
        "user": maybe_user(github, comment.user_id),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(github, repository, comment.user_id),
        "reactions": reaction_counts(f"{url}/reactions", []),
    }
