"""Installing the App on repositories, and removing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import events
from github_standin.records import Installation

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Access, Repository


def install(github: GitHub, repository: Repository, permissions: dict[str, Access] | None) -> Installation:
    """Let the App reach a repository.

    An account has one installation, as on GitHub. A repository that asks for permissions of its own gets
    an installation of its own, so that one account can hold repositories with different ones.

    Args:
        permissions: its own ones, or None for the account's installation.
    """
    uninstall_from(github, repository)
    shared = (i for i in github.store.installations if i.account_id == repository.owner_id and not i.own)
    found = next(shared, None) if permissions is None else None
    if found is not None:
        found.repository_ids.append(repository.id)
        github.store.installations.put(found)
        events.installation_event(github, found, "added", [repository])
        return found
    declared, subscribed = github.asked(github.app)
    made = github.store.installations.put(
        Installation(
            id=github.store.next_id("installation"),
            account_id=repository.owner_id,
            permissions=declared if permissions is None else {**permissions, "metadata": "read"},
            events=subscribed,
            repository_ids=[repository.id],
            own=permissions is not None,
            created_at=github.now(),
        )
    )
    events.installation_event(github, made, "created", [repository])
    return made


def uninstall_from(github: GitHub, repository: Repository) -> None:
    """Take a repository out of its installation; the last one ends an installation of its own."""
    installation = github.installation_of(repository)
    if installation is None:
        return
    if installation.own:
        uninstall(github, installation)
        return
    installation.repository_ids.remove(repository.id)
    github.store.installations.put(installation)
    events.installation_event(github, installation, "removed", [], [repository])


def suspend(github: GitHub, installation: Installation, *, suspended: bool) -> None:
    """Suspend an installation or end its suspension; both send an event.

    https://docs.github.com/en/rest/apps/apps#suspend-an-app-installation
    """
    if suspended == (installation.suspended_at is not None):
        return
    installation.suspended_at = github.now() if suspended else None
    github.store.installations.put(installation)
    reached = [github.store.repositories[number] for number in installation.repository_ids]
    events.installation_event(github, installation, "suspend" if suspended else "unsuspend", reached)


def uninstall(github: GitHub, installation: Installation) -> None:
    """Remove an installation with its tokens."""
    reached = [github.store.repositories[number] for number in installation.repository_ids]
    events.installation_event(github, installation, "deleted", reached)
    for token in github.store.tokens:
        if token.installation_id == installation.id:
            github.store.tokens.delete(token.id)
    github.store.installations.delete(installation.id)
