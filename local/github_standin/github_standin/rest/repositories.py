"""Repositories, branches and the people who work on them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from github_standin.answers import ApiError, Reply, forbidden, not_accessible
from github_standin.auth import role_of
from github_standin.permissions import ADMINISTER, METADATA, READ_CONTENTS, ROLES
from github_standin.renames import rename
from github_standin.routing import Router
from github_standin.shapes import accounts, commits
from github_standin.shapes.repositories import repository as shape_repository
from github_standin.shapes.repositories import role_flags

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Account, Repository

ROUTER = Router()
_LEGACY = {"maintain": "write", "triage": "read"}


def _shape(call: Call, found: Repository) -> dict[str, Any]:
    shaped = shape_repository(call.github, found)
    shaped["network_count"] = shaped["subscribers_count"] = 0
    if call.actor.kind == "user" and call.actor.account is not None:
        shaped["permissions"] = role_flags(role_of(found, call.actor.account))
    elif call.actor.kind == "installation":
        # For an App's token they say only what it may do with the contents.
        contents = call.actor.permissions.get("contents") if call.actor.reaches(found) else None
        flags = dict.fromkeys(("admin", "maintain", "push", "triage", "pull"), False)
        shaped["permissions"] = {**flags, "push": contents == "write", "pull": contents is not None}
    return shaped


@ROUTER.on("GET", "/repos/{owner}/{repo}")
def get_repository(call: Call) -> Reply:
    """Return a repository."""
    return Reply(200, _shape(call, call.repository(METADATA)))


@ROUTER.on("PATCH", "/repos/{owner}/{repo}")
def change_repository(call: Call) -> Reply:
    """Change a repository's settings."""
    found = call.repository(ADMINISTER)
    archived, private = call.flag("archived"), call.flag("private")
    if found.archived and archived is not False:
        raise forbidden("Repository was archived so is read-only.")
    if (name := call.maybe_text("name")) is not None:
        rename(call.github, found, name)
    branch = call.maybe_text("default_branch")
    if branch is not None:
        git = call.git(found)
        if git.branch(branch) is None:
            raise ApiError(
                422, f"The branch {branch} was not found. Please push that ref first or create it."
            )
        git.set_head(branch)
        found.default_branch = branch
    for feature in ("has_issues", "has_pull_requests"):
        if (value := call.flag(feature)) is not None:
            setattr(found, feature, value)
    found.archived = found.archived if archived is None else archived
    found.private = found.private if private is None else private
    found.description = call.maybe_text("description") or found.description
    found.updated_at = call.github.now()
    call.github.store.repositories.put(found)
    return Reply(200, _shape(call, found))


def _branch(call: Call, found: Repository, name: str, sha: str) -> dict[str, Any]:
    protected = any(fnmatchcase(name, pattern) for pattern in found.protected_branches)
    return {
        "name": name,
        "commit": {"sha": sha, "url": call.github.links.repo(found, f"/commits/{sha}")},
        "protected": protected,
    }


@ROUTER.on("GET", "/repos/{owner}/{repo}/branches")
def list_branches(call: Call) -> Reply:
    """List branches."""
    found = call.repository(READ_CONTENTS)
    heads = call.github.git(found).refs()
    names = sorted(heads)
    return call.page(names, lambda ref: _branch(call, found, ref.removeprefix("refs/heads/"), heads[ref]))


@ROUTER.on("GET", "/repos/{owner}/{repo}/branches/{branch:path}")
def get_branch(call: Call) -> Reply:
    """Return one branch."""
    found = call.repository(READ_CONTENTS)
    git = call.github.git(found)
    name = call.params["branch"]
    sha = git.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    shaped = _branch(call, found, name, sha)
    shaped["commit"] = commits.commit(call.github, found, git.commit(sha))
    shaped["_links"] = {
        "self": call.github.links.repo(found, f"/branches/{name}"),
        "html": call.github.links.page(found, f"/tree/{name}"),
    }
    shaped["protection"] = {"enabled": shaped["protected"]}
    shaped["protection_url"] = call.github.links.repo(found, f"/branches/{name}/protection")
    return Reply(200, shaped)


def _collaborator(call: Call) -> tuple[Repository, Account]:
    found = call.repository(METADATA)
    if call.actor.kind == "anonymous":
        raise ApiError(401, "Requires authentication")
    if call.actor.kind == "installation" and not call.actor.reaches(found):
        raise not_accessible(METADATA.accepted())
    if call.actor.kind == "user" and ROLES[role_of(found, call.account())] < ROLES["write"]:
        raise forbidden("Must have push access to view collaborator permission.")
    account = call.github.account(call.params["login"])
    # Apps are no collaborators, whatever their permissions.
    if account is None or account.type != "User":
        raise ApiError(404, f"{call.params['login']} is not a user")
    return found, account


@ROUTER.on("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission")
def collaborator_permission(call: Call) -> Reply:
    """Return somebody's permission (admin, write, read or none) and role."""
    found, account = _collaborator(call)
    role = role_of(found, account)
    user = {
        **accounts.user(call.github, account),
        "permissions": role_flags(role),
        "role_name": role,
    }
    return Reply(200, {"permission": _LEGACY.get(role, role), "user": user, "role_name": role})
