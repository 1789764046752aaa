"""Installing the App on repositories, and removing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import events
from github_standin.records import Installation

if TYPE_CHECKING:
    from github_standin.records import Access, Repository
    from github_standin.world import World


def install(world: World, repository: Repository, permissions: dict[str, Access] | None) -> Installation:
    """Let the App reach a repository.

    An account has one installation, as on GitHub. A repository that asks for permissions of its own gets
    an installation of its own, so that one account can hold repositories with different ones.

    Args:
        permissions: its own ones, or None for the account's installation.
    """
    uninstall_from(world, repository)
    shared = (i for i in world.store.installations if i.account_id == repository.owner_id and not i.own)
    found = next(shared, None) if permissions is None else None
    if found is not None:
        found.repository_ids.append(repository.id)
        world.store.installations.put(found)
        events.installation_event(world, found, "added", [repository])
        return found
    declared = {name: asked.access for name, asked in world.declaration.permissions.items()}
    made = world.store.installations.put(
        Installation(
            id=world.store.next_id("installation"),
            account_id=repository.owner_id,
            permissions=declared if permissions is None else {**permissions, "metadata": "read"},
            events=list(world.declaration.events),
            repository_ids=[repository.id],
            own=permissions is not None,
            created_at=world.now(),
        )
    )
    events.installation_event(world, made, "created", [repository])
    return made


def uninstall_from(world: World, repository: Repository) -> None:
    """Take a repository out of its installation; the last one ends an installation of its own."""
    found = world.installation_of(repository)
    if found is None:
        return
    if found.own:
        uninstall(world, found)
        return
    found.repository_ids.remove(repository.id)
    world.store.installations.put(found)
    events.installation_event(world, found, "removed", [], [repository])


def suspend(world: World, installation: Installation, *, suspended: bool) -> None:
    """Block an installation, or let it go on; it is told of both.

    https://docs.github.com/en/rest/apps/apps#suspend-an-app-installation
    """
    if suspended == (installation.suspended_at is not None):
        return
    installation.suspended_at = world.now() if suspended else None
    world.store.installations.put(installation)
    reached = [world.store.repositories[number] for number in installation.repository_ids]
    events.installation_event(world, installation, "suspend" if suspended else "unsuspend", reached)


def uninstall(world: World, installation: Installation) -> None:
    """Remove an installation with its tokens."""
    reached = [world.store.repositories[number] for number in installation.repository_ids]
    events.installation_event(world, installation, "deleted", reached)
    for token in world.store.tokens:
        if token.installation_id == installation.id:
            world.store.tokens.delete(token.id)
    world.store.installations.delete(installation.id)
