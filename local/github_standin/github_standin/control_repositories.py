"""Creating, changing and removing repositories, as the control requests ask."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from github_standin import installs
from github_standin.git.repository import Signature, TreeChange
from github_standin.records import Repository
from github_standin.shapes.repositories import MERGE_SETTINGS
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.control_models import ChangedRepository, NewRepository
    from github_standin.records import Account, Role
    from github_standin.world import World


_MERGING = (*MERGE_SETTINGS, "rebase_keeps_empty")
_FEATURES = ("has_issues", "has_pull_requests")


class FieldError(Exception):
    """A control request that is wrong, and says which field.

    Args:
        field: where, such as `permissions.maintainer`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def roles(world: World, given: dict[str, Role]) -> dict[int, Role]:
    """Return roles by account.

    Raises:
        FieldError: a login is nobody's.
    """
    found: dict[int, Role] = {}
    for login, role in given.items():
        account = world.account(login)
        if account is None:
            raise FieldError(f"permissions.{login}", "there is no such user; POST /_standin/users first")
        found[account.id] = role
    return found


def create(world: World, body: NewRepository) -> Repository:
    """Create a repository with what the request gives it.

    Raises:
        FieldError: it cannot be created so.
    """
    owner_login, _, name = body.full_name.partition("/")
    if name.endswith(".git"):
        raise FieldError("full_name", "give the name without .git")
    if world.repository(owner_login, name) is not None:
        raise FieldError("full_name", f"{body.full_name} exists already")
    if body.source is not None and body.files is not None:
        raise FieldError("files", "source and files exclude each other")
    given = roles(world, body.permissions or {})
    source = None if body.source is None else Path(body.source)
    if source is not None and not (source.is_absolute() and world.git_store.is_repository(source)):
        raise FieldError("source", "not the absolute path of a git repository")
    branch = body.default_branch
    if source is not None and branch is None:
        branch = world.git_store.head_branch(source)
    owner = world.need_account(owner_login, "Organization")
    now = world.now()
    made = Repository(
        id=world.store.next_id("repository"),
        owner_id=owner.id,
        owner=owner.login,
        name=name,
        private=bool(body.private),
        archived=bool(body.archived),
        description=body.description,
        default_branch=branch or "main",
        roles=given,
        organization_roles=roles(world, body.organization_permissions or {}),
        protected_branches=body.protected_branches or [],
        rulesets=[one.model_dump() for one in body.rulesets or ()],
        drafts=body.drafts is not False,
        created_at=now,
        updated_at=now,
        pushed_at=now,
    )
    for setting in (*_FEATURES, *_MERGING):
        if (value := getattr(body, setting)) is not None:
            setattr(made, setting, value)
    _fill(world, made, owner, source, body.files or {})
    world.store.repositories.put(made)
    if body.installed is not False:
        installs.install(world, made, body.installation_permissions)
    return made


def _fill(world: World, made: Repository, owner: Account, source: Path | None, files: dict[str, str]) -> None:
    try:
        git = world.git_store.create(made.owner, made.name, source=source)
    except subprocess.CalledProcessError as error:
        world.git_store.remove(made.owner, made.name)
        raise FieldError("source", error.stderr.decode(errors="replace").strip()) from None
    heads = [ref.removeprefix("refs/heads/") for ref in git.refs()]
    if heads and made.default_branch not in heads:
        made.default_branch = "main" if "main" in heads else heads[0]
    git.set_head(made.default_branch)
    if not files:
        return
    who = Signature(owner.login, f"{owner.id}+{owner.login}@{world.links.noreply}", stamp(world.now()))
    changes = [TreeChange(path, "100644", git.write_blob(text.encode())) for path, text in files.items()]
    try:
        tree = git.write_tree(changes)
    except ValueError as error:
        world.git_store.remove(made.owner, made.name)
        raise FieldError("files", f"{error} is no path that git takes") from None
    commit = git.write_commit(tree, [], "Initial commit", who, who)
    git.set_ref(f"refs/heads/{made.default_branch}", commit)


def change(world: World, repository: Repository, body: ChangedRepository) -> None:
    """Change what the request names.

    Raises:
        FieldError: a login is nobody's.
    """
    if body.permissions is not None:
        repository.roles |= roles(world, body.permissions)
    if body.organization_permissions is not None:
        repository.organization_roles |= roles(world, body.organization_permissions)
    for name in (*_FEATURES, "private", "archived", "drafts", "protected_branches", *_MERGING):
        value = getattr(body, name)
        if value is not None:
            setattr(repository, name, value)
    if body.rulesets is not None:
        repository.rulesets = [one.model_dump() for one in body.rulesets]
    repository.updated_at = world.now()
    world.store.repositories.put(repository)
    if body.installed is False:
        installs.uninstall_from(world, repository)
    elif body.installation_permissions is not None:
        _regrant(world, repository, body)
    elif body.installed and world.installation_of(repository) is None:
        installs.install(world, repository, None)
    if body.suspended is not None and (found := world.installation_of(repository)) is not None:
        installs.suspend(world, found, suspended=body.suspended)


def _regrant(world: World, repository: Repository, body: ChangedRepository) -> None:
    """Change the permissions of an installation of its own in place; its tokens feel it at once."""
    found = world.installation_of(repository)
    if found is None or not found.own or body.installation_permissions is None:
        installs.install(world, repository, body.installation_permissions)
        return
    found.permissions = {**body.installation_permissions, "metadata": "read"}
    world.store.installations.put(found)


def remove(world: World, repository: Repository) -> None:
    """Delete a repository with everything in it."""
    installs.uninstall_from(world, repository)
    for issue in world.store.issues:
        if issue.repository_id == repository.id:
            world.store.issues.delete(issue.id)
    for comment in world.store.comments:
        if comment.repository_id == repository.id:
            world.store.comments.delete(comment.id)
    for run in world.store.check_runs:
        if run.repository_id == repository.id:
            world.store.check_runs.delete(run.id)
    world.store.repositories.delete(repository.id)
    world.git_store.remove(repository.owner, repository.name)
