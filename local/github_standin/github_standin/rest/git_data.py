"""Commits, trees and blobs of the git database."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from github_standin.answers import not_accessible, not_found, unprocessable
from github_standin.git.repository import Signature, TreeChange
from github_standin.permissions import READ_CONTENTS, WRITE_CONTENTS, WRITE_WORKFLOWS, grants
from github_standin.routing import Router
from github_standin.shapes import commits
from github_standin.times import stamp
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.git.repository import GitRepository
    from github_standin.records import Repository

ROUTER = Router()
_SHA = re.compile(r"[0-9a-f]{40}")
_MODES = {"100644": "blob", "100755": "blob", "040000": "tree", "160000": "commit", "120000": "blob"}
_REPO = "/repos/{owner}/{repo}/git"


@ROUTER.on("GET", f"{_REPO}/commits/{{sha}}")
def get_commit(call: Call) -> Reply:
    """Return a commit by its full hash."""
    repository = call.repository(READ_CONTENTS)
    git = call.git(repository)
    if git.type_of(call.params["sha"]) != "commit" or call.hidden(repository, "object", call.params["sha"]):
        raise not_found()
    return Reply(200, commits.git_commit(call.github, repository, git.commit(call.params["sha"])))


def _signature(call: Call, name: str, otherwise: Signature) -> Signature:
    person = call.table(name)
    if person is None:
        return otherwise
    for key in ("name", "email"):
        if not isinstance(person.get(key), str) or not person[key].strip():
            raise unprocessable(f'Invalid request.\n\n"{key}" wasn\'t supplied.')
    date = person.get("date") or stamp(call.github.now())
    try:
        datetime.fromisoformat(date)
    except (TypeError, ValueError):
        raise unprocessable(
            f"Invalid request.\n\nFor 'properties/date', {date!r} is not a valid date-time."
        ) from None
    return Signature(person["name"], person["email"], date)


@ROUTER.on("POST", f"{_REPO}/commits")
def create_commit(call: Call) -> Reply:
    """Write a commit; an empty one, with its parent's tree, is allowed."""
    repository = call.repository(WRITE_CONTENTS)
    git = call.git(repository)
    message, tree = call.text("message"), call.text("tree")
    parents = call.texts("parents") or []
    if not _SHA.fullmatch(tree) or git.type_of(tree) != "tree" or call.hidden(repository, "object", tree):
        raise unprocessable("Tree SHA does not exist")
    for parent in parents:
        if not _SHA.fullmatch(parent):
            raise unprocessable(
                "The parents parameter must be exactly 40 characters and contain only [0-9a-f]."
            )
        if git.type_of(parent) != "commit" or call.hidden(repository, "object", parent):
            raise unprocessable("Parent SHA does not exist or is not a commit object")
    account = call.account()
    mail = f"{account.id}+{account.login}@{call.github.links.noreply}"
    author = _signature(call, "author", Signature(account.login, mail, stamp(call.github.now())))
    # https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification
    signs = call.by_app and not any(call.body().get(name) for name in ("author", "committer", "signature"))
    by_github = Signature("GitHub", commits.GITHUB_MAIL, author.date)
    committer = by_github if signs else _signature(call, "committer", author)
    sign = call.github.git_store.signer.signed if signs else None
    sha = git.write_commit(tree, parents, message, author, committer, sign=sign)
    call.github.lag.made("object", repository.id, sha)
    return Reply(201, commits.git_commit(call.github, repository, git.commit(sha)))


@ROUTER.on("GET", f"{_REPO}/trees/{{sha:path}}")
def get_tree(call: Call) -> Reply:
    """Return a tree by its hash, or that of a commit or branch."""
    repository = call.repository(READ_CONTENTS)
    git = call.git(repository)
    wanted = call.params["sha"]
    tree = wanted if git.type_of(wanted) == "tree" else None
    if tree is None:
        commit = git.resolve(wanted)
        tree = git.commit(commit).tree if commit else None
    if tree is None:
        raise not_found()
    return Reply(200, _tree(call, repository, git, tree, recursive="recursive" in call.query))


def _tree(
    call: Call, repository: Repository, git: GitRepository, tree: str, *, recursive: bool = False
) -> dict[str, Any]:
    lines = []
    for entry in git.entries(tree, recursive=recursive):
        line: dict[str, Any] = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        if entry.size is not None:
            line["size"] = entry.size
        if entry.type != "commit":
            line["url"] = call.github.links.repo(repository, f"/git/{entry.type}s/{entry.sha}")
        lines.append(line)
    url = call.github.links.repo(repository, f"/git/trees/{tree}")
    return {"sha": tree, "url": url, "tree": lines, "truncated": False}


@ROUTER.on("POST", f"{_REPO}/trees")
def create_tree(call: Call) -> Reply:
    """Write a tree from entries, on top of a base tree if given."""
    repository = call.repository(WRITE_CONTENTS)
    git = call.git(repository)
    entries = call.items("tree")
    if not entries:
        raise unprocessable("Invalid tree info")
    base = call.maybe_text("base_tree")
    if base is not None and git.type_of(base) not in ("tree", "commit"):
        raise unprocessable("base_tree is not a valid tree oid")
    changes = [_change(call, git, entry) for entry in entries]
    try:
        tree = git.write_tree(changes, base)
    except ValueError:
        raise unprocessable("tree.path contains a malformed path component") from None
    return Reply(201, _tree(call, repository, git, tree))


def _change(call: Call, git: GitRepository, entry: Any) -> TreeChange:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise unprocessable("Must supply a valid tree.path")
    path, mode = entry["path"], entry.get("mode")
    if mode not in _MODES:
        raise unprocessable("Must supply a valid tree.mode")
    workflows = grants(call.actor.permissions, WRITE_WORKFLOWS.permission, "write")
    if path.startswith(".github/workflows/") and call.by_app and not workflows:
        raise not_accessible(WRITE_WORKFLOWS.accepted())
    if "content" in entry:
        if not isinstance(entry["content"], str):
            raise unprocessable("tree.content must be a string")
        return TreeChange(path, mode, git.write_blob(entry["content"].encode()))
    if "sha" not in entry:
        raise unprocessable("Must supply either tree.sha or tree.content")
    sha = entry["sha"]
    if sha is not None and (not isinstance(sha, str) or git.type_of(sha) != _MODES[mode]):
        raise unprocessable(f"tree.sha {sha} is not a valid {_MODES[mode]}")
    return TreeChange(path, mode, sha)


@ROUTER.on("GET", f"{_REPO}/blobs/{{sha}}")
def get_blob(call: Call) -> Reply:
    """Return a blob in base64."""
    repository = call.repository(READ_CONTENTS)
    git = call.git(repository)
    sha = call.params["sha"]
    if git.type_of(sha) != "blob":
        raise not_found()
    content = git.blob(sha)
    return Reply(
        200,
        {
            "sha": sha,
            "node_id": sha,
            "size": len(content),
            "url": call.github.links.repo(repository, f"/git/blobs/{sha}"),
            "content": base64.encodebytes(content).decode(),
            "encoding": "base64",
        },
    )
