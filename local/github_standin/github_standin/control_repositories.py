"""Creating, changing and removing repositories, as the control requests ask."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from github_standin import events, forks, installs, pushes
from github_standin.git.repository import Signature, TreeChange
from github_standin.records import Repository
from github_standin.shapes.repositories import MERGE_SETTINGS
from github_standin.times import stamp
from standin.control import FieldError

if TYPE_CHECKING:
    from github_standin.control_models import ChangedRepository, NewRepository
    from github_standin.github import GitHub
    from github_standin.records import Account, Role


_MERGING = (*MERGE_SETTINGS, "rebase_keeps_empty")
_FEATURES = ("has_issues", "has_pull_requests")


def roles(github: GitHub, by_login: dict[str, Role]) -> dict[int, Role]:
    """Return roles by account.

    Raises:
        FieldError: there is no account with a login.
    """
    found: dict[int, Role] = {}
    for login, role in by_login.items():
        account = github.account(login)
        if account is None:
            raise FieldError(f"permissions.{login}", "there is no such user; POST /_standin/users first")
        found[account.id] = role
    return found


def create(github: GitHub, body: NewRepository) -> Repository:
    """Create a repository with what the request gives it.

    Raises:
        FieldError: it cannot be created so.
    """
    owner_login, _, name = body.full_name.partition("/")
    if name.endswith(".git"):
        raise FieldError("full_name", "give the name without .git")
    if github.repository(owner_login, name) is not None:
        raise FieldError("full_name", f"{body.full_name} exists already")
    if body.source is not None and body.files is not None:
        raise FieldError("files", "source and files exclude each other")
    members = roles(github, body.permissions or {})
    source = None if body.source is None else Path(body.source)
    if source is not None and not (source.is_absolute() and github.git_store.is_repository(source)):
        raise FieldError("source", "not the absolute path of a git repository")
    branch = body.default_branch
    if source is not None and branch is None:
        branch = github.git_store.head_branch(source)
    owner = github.need_account(owner_login, "Organization")
    now = github.now()
    made = Repository(
        id=github.store.next_id("repository"),
        owner_id=owner.id,
        owner=owner.login,
        name=name,
        private=bool(body.private),
        archived=bool(body.archived),
        description=body.description,
        default_branch=branch or "main",
        roles=members,
        organization_roles=roles(github, body.organization_permissions or {}),
        protected_branches=body.protected_branches or [],
        rulesets=[ruleset.model_dump() for ruleset in body.rulesets or ()],
        drafts=body.drafts is not False,
        created_at=now,
        updated_at=now,
        pushed_at=now,
    )
    for setting in (*_FEATURES, *_MERGING):
        if (value := getattr(body, setting)) is not None:
            setattr(made, setting, value)
    _fill(github, made, owner, source, body.files or {})
    github.store.repositories.put(made)
    if body.installed is not False:
        installs.install(github, made, body.installation_permissions)
    return made


def _fill(
    github: GitHub, made: Repository, owner: Account, source: Path | None, files: dict[str, str]
) -> None:
    try:
        git = github.git_store.create(made.owner, made.name, source=source)
    except subprocess.CalledProcessError as error:
        github.git_store.remove(made.owner, made.name)
        raise FieldError("source", error.stderr.decode(errors="replace").strip()) from None
    heads = [ref.removeprefix("refs/heads/") for ref in git.refs()]
    if heads and made.default_branch not in heads:
        made.default_branch = "main" if "main" in heads else heads[0]
    git.set_head(made.default_branch)
    if not files:
        return
    who = Signature(owner.login, f"{owner.id}+{owner.login}@{github.links.noreply}", stamp(github.now()))
    changes = [TreeChange(path, "100644", git.write_blob(text.encode())) for path, text in files.items()]
    try:
        tree = git.write_tree(changes)
    except ValueError as error:
        github.git_store.remove(made.owner, made.name)
        raise FieldError("files", f"{error} is no path that git takes") from None
    commit = git.write_commit(tree, [], "Initial commit", who, who)
    git.set_ref(f"refs/heads/{made.default_branch}", commit)


def change(github: GitHub, repository: Repository, body: ChangedRepository) -> None:
    """Change what the request names.

    Raises:
        FieldError: there is no account with a login.
    """
    if body.permissions is not None:
        repository.roles |= roles(github, body.permissions)
    if body.organization_permissions is not None:
        repository.organization_roles |= roles(github, body.organization_permissions)
    for name in (*_FEATURES, "private", "archived", "drafts", "protected_branches", *_MERGING):
        value = getattr(body, name)
        if value is not None:
            setattr(repository, name, value)
    if body.rulesets is not None:
        repository.rulesets = [ruleset.model_dump() for ruleset in body.rulesets]
    repository.updated_at = github.now()
    github.store.repositories.put(repository)
    if body.installed is False:
        installs.uninstall_from(github, repository)
    elif body.installation_permissions is not None:
        _regrant(github, repository, body)
    elif body.installed and github.installation_of(repository) is None:
        installs.install(github, repository, None)
    if body.suspended is not None and (found := github.installation_of(repository)) is not None:
        installs.suspend(github, found, suspended=body.suspended)


def _regrant(github: GitHub, repository: Repository, body: ChangedRepository) -> None:
    """Change the permissions of an installation of its own in place; its tokens feel it at once."""
    installation = github.installation_of(repository)
    if installation is None or not installation.own or body.installation_permissions is None:
        installs.install(github, repository, body.installation_permissions)
        return
    installation.permissions = {**body.installation_permissions, "metadata": "read"}
    github.store.installations.put(installation)


def remove(github: GitHub, repository: Repository) -> None:
    """Delete a repository with everything in it."""
    owner = github.store.accounts[repository.owner_id]
    events.repository_event(github, repository, "deleted", owner)
    installs.uninstall_from(github, repository)
    orphans = list(forks.pulls_from(github, repository))
    for table in github.store.of_repositories():
        for record in table:
            if record.repository_id == repository.id:
                table.delete(record.id)
    github.store.repositories.delete(repository.id)
    github.git_store.remove(repository.owner, repository.name)
    pushes.close_all(github, orphans, owner)
