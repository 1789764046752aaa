"""Repositories, branches and the people who work on them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from github_standin import events
from github_standin.answers import ApiError, forbidden, not_accessible
from github_standin.auth import role_of
from github_standin.control_repositories import remove
from github_standin.links import escape
from github_standin.permissions import ADMINISTER, METADATA, READ_CONTENTS, ROLES
from github_standin.renames import rename
from github_standin.routing import Router
from github_standin.shapes import accounts, commits
from github_standin.shapes.repositories import repository as shape_repository
from github_standin.shapes.repositories import role_flags
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Account, Repository

ROUTER = Router()
_LEGACY = {"maintain": "write", "triage": "read"}


def shape(call: Call, repository: Repository) -> dict[str, Any]:
    """Return a repository in full, with what the caller may do in it and what it is a fork of."""
    shaped = shape_repository(call.github, repository)
    if (parent := call.github.store.repositories.get(repository.parent_id)) is not None:
        shaped["parent"] = shaped["source"] = shape_repository(call.github, parent)
    shaped["network_count"] = shaped["subscribers_count"] = 0
    if call.actor.kind == "user" and call.actor.account is not None:
        shaped["permissions"] = role_flags(role_of(repository, call.actor.account))
    elif call.actor.kind == "installation":
        # For an App's token they say only what it may do with the contents.
        contents = call.actor.permissions.get("contents") if call.actor.reaches(repository) else None
        flags = dict.fromkeys(("admin", "maintain", "push", "triage", "pull"), False)
        shaped["permissions"] = {**flags, "push": contents == "write", "pull": contents is not None}
    return shaped


@ROUTER.on("GET", "/repos/{owner}/{repo}")
def get_repository(call: Call) -> Reply:
    """Return a repository."""
    return Reply(200, shape(call, call.repository(METADATA)))


@ROUTER.on("PATCH", "/repos/{owner}/{repo}")
def change_repository(call: Call) -> Reply:
    """Change a repository's settings."""
    repository = call.repository(ADMINISTER)
    archived, private = call.flag("archived"), call.flag("private")
    if repository.archived and archived is not False:
        raise forbidden("Repository was archived so is read-only.")
    before = repository.model_copy()
    if (name := call.maybe_text("name")) is not None:
        rename(call.github, repository, name)
    branch = call.maybe_text("default_branch")
    if branch is not None:
        git = call.git(repository)
        if git.branch(branch) is None:
            raise ApiError(
                422, f"The branch {branch} was not found. Please push that ref first or create it."
            )
        git.set_head(branch)
        repository.default_branch = branch
    for feature in ("has_issues", "has_pull_requests"):
        if (value := call.flag(feature)) is not None:
            setattr(repository, feature, value)
    repository.archived = repository.archived if archived is None else archived
    repository.private = repository.private if private is None else private
    repository.description = call.maybe_text("description") or repository.description
    repository.updated_at = call.github.now()
    call.github.store.repositories.put(repository)
    _tell(call, before, repository)
    return Reply(200, shape(call, repository))


def _tell(call: Call, before: Repository, repository: Repository) -> None:
    """Tell what has changed, an event for each."""
    account = call.account()
    if repository.name != before.name:
        changes: dict[str, Any] = {"repository": {"name": {"from": before.name}}}
        events.repository_event(call.github, repository, "renamed", account, changes)
    if repository.default_branch != before.default_branch:
        changes = {"default_branch": {"from": before.default_branch}}
        events.repository_event(call.github, repository, "edited", account, changes)
    for is_now, was, yes, no in (
        (repository.archived, before.archived, "archived", "unarchived"),
        (repository.private, before.private, "privatized", "publicized"),
    ):
        if is_now != was:
            events.repository_event(call.github, repository, yes if is_now else no, account)


@ROUTER.on("DELETE", "/repos/{owner}/{repo}")
def delete_repository(call: Call) -> Reply:
    """Delete a repository as its admin."""
    remove(call.github, call.repository(ADMINISTER))
    return Reply(204)


def _branch(call: Call, repository: Repository, name: str, sha: str) -> dict[str, Any]:
    protected = any(fnmatchcase(name, pattern) for pattern in repository.protected_branches)
    return {
        "name": name,
        "commit": {"sha": sha, "url": call.github.links.repo(repository, f"/commits/{sha}")},
        "protected": protected,
    }


@ROUTER.on("GET", "/repos/{owner}/{repo}/branches")
def list_branches(call: Call) -> Reply:
    """List branches."""
    repository = call.repository(READ_CONTENTS)
    heads = call.github.git(repository).refs()
    names = sorted(heads)
    return call.page(
        names, lambda ref: _branch(call, repository, ref.removeprefix("refs/heads/"), heads[ref])
    )


@ROUTER.on("GET", "/repos/{owner}/{repo}/branches/{branch:path}")
def get_branch(call: Call) -> Reply:
    """Return one branch."""
    repository = call.repository(READ_CONTENTS)
    git = call.github.git(repository)
    name = call.params["branch"]
    sha = git.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    shaped = _branch(call, repository, name, sha)
    shaped["commit"] = commits.commit(call.github, repository, git.commit(sha))
    shaped["_links"] = {
        "self": call.github.links.repo(repository, f"/branches/{escape(name)}"),
        "html": call.github.links.page(repository, f"/tree/{escape(name)}"),
    }
    shaped["protection"] = {"enabled": shaped["protected"]}
    shaped["protection_url"] = call.github.links.repo(repository, f"/branches/{escape(name)}/protection")
    return Reply(200, shaped)


def _collaborator(call: Call) -> tuple[Repository, Account]:
    repository = call.repository(METADATA)
    if call.actor.kind == "anonymous":
        raise ApiError(401, "Requires authentication")
    if call.actor.kind == "installation" and not call.actor.reaches(repository):
        raise not_accessible(METADATA.accepted())
    if call.actor.kind == "user" and ROLES[role_of(repository, call.account())] < ROLES["write"]:
        raise forbidden("Must have push access to view collaborator permission.")
    account = call.github.account(call.params["login"])
    # Apps are no collaborators, whatever their permissions.
    if account is None or account.type != "User":
        raise ApiError(404, f"{call.params['login']} is not a user")
    return repository, account


@ROUTER.on("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission")
def collaborator_permission(call: Call) -> Reply:
    """Return a collaborator's permission (admin, write, read or none) and role."""
    repository, account = _collaborator(call)
    role = role_of(repository, account)
    user = {
        **accounts.user(call.github, account),
        "permissions": role_flags(role),
        "role_name": role,
    }
    return Reply(200, {"permission": _LEGACY.get(role, role), "user": user, "role_name": role})
