"""Reads the workers of repositories, as they stand on the default branch now, and stores them.

What holds is decided by what GitHub says at that moment, never by what a message says: so messages may come
twice, late and in any order. Whoever writes looks again afterwards whether the branch has moved meanwhile;
whoever is the last to write has therefore seen the newest commit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from pullwright.errors import (
    AppNotInstalled,
    FailureClass,
    GitHubUnavailable,
    PullwrightError,
    RepositoryEmpty,
    RepositoryNotFound,
    SessionStopped,
)
from pullwright.events.messages import QueuedSync
from pullwright.events.worker_set import WorkerSet
from pullwright.github.permissions import SYNC
from pullwright.opening.owner import check_name, check_owner
from pullwright.owners import is_allowed
from pullwright.workers.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pullwright.events.services import EventServices
    from pullwright.github.client import GitHubClient
    from pullwright.github.payloads import RepositoryInfo

PER_SECOND = 2
"""Repositories of an installation that are read in a second at most. Each takes some five requests, and
GitHub allows 900 a minute: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api."""
_PAGE = 100
_AGAIN_SECONDS = 60
_MOST_ATTEMPTS = 3
_ROUNDS = 3
_TOKEN_LASTS = timedelta(hours=1)


class _Place(NamedTuple):
    client: GitHubClient
    info: RepositoryInfo
    installation_id: int


def sync(message: QueuedSync, services: EventServices) -> str:
    """Read and store the workers that a message is about, or put messages for each repository into the queue.

    Safe to repeat.

    Returns:
        What came of it, for the log.

    Raises:
        PullwrightError: GitHub or AWS did not answer; to be asked again.
    """
    if message.repositories is None:
        return _page(message, services)
    if len(message.repositories) != 1:
        _spread(message, message.repositories, services)
        return f"{len(message.repositories)} repositories will be read."
    [repository] = message.repositories
    try:
        place = _reach(message, repository, services)
    except (AppNotInstalled, RepositoryNotFound) as error:
        if not message.is_gone and _put_back(message, services):
            return f"It will be asked for again: {error.sentence}"
        is_removed = _forget_name(repository, services)
        return "Its workers were removed." if is_removed else f"Nothing is stored: {error.sentence}"
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Asking again changes nothing.
            return f"Nothing was read: {error.sentence}"
        raise
    try:
        return _update(message, place, services)
    except RepositoryNotFound as error:
        # It is there: what is missing is a commit or a file that GitHub has named itself.
        raise GitHubUnavailable(error.sentence) from error


def forget(installation_id: int, repositories: Iterable[str] | None, services: EventServices) -> None:
    """Have what is stored for an installation looked at again, because the App was taken off or suspended.

    Args:
        repositories: full names; None is all of them.
    """
    names = services.store.workers.repositories_of(installation_id)
    if repositories is not None:
        chosen = {name.lower() for name in repositories}
        names = [name for name in names if name.lower() in chosen]
    message = QueuedSync(kind="sync", installation_id=installation_id, is_gone=True)
    _spread(message, names, services)


def _forget_name(repository: str, services: EventServices) -> bool:
    """Remove what is stored under a name that no repository of ours has, and end the previews under it.

    Events of a repository with another name, such as a label's removal, would find them no more.

    Returns:
        False if no workers were stored.
    """
    if services.previews is not None:
        services.previews.end(
            lambda record: record.preview_repository.lower() == repository.lower(),
            error=SessionStopped.__name__,
            cause=f"The repository {repository} was deleted or moved, has another name, or lost the App.",
        )
    return services.store.workers.remove(repository)


def _page(message: QueuedSync, services: EventServices) -> str:
    try:
        reached = services.app.repositories(message.installation_id, message.page)
    except AppNotInstalled as error:
        if _put_back(message, services):
            return f"It will be asked for again: {error.sentence}"
        return f"Nothing is read: {error.sentence}"
    allowed = services.allowed_owners or services.app.owner()
    names = [it.full_name for it in reached.repositories if is_allowed(it.full_name, allowed)]
    seconds = _spread(message, names, services)
    if message.page * _PAGE < reached.total_count and reached.repositories:
        services.queue.send([(message.model_copy(update={"page": message.page + 1}), seconds)])
    return f"{len(names)} repositories will be read."


def _spread(message: QueuedSync, repositories: Iterable[str], services: EventServices) -> int:
    """Put a message for each repository into the queue, so that GitHub's limits hold for all of them.

    Returns:
        Seconds until the last of them is due.
    """
    common = {"page": 1, "commit": None, "attempt": 1}
    messages = [
        (message.model_copy(update={**common, "repositories": (name,)}), number // PER_SECOND)
        for number, name in enumerate(repositories)
    ]
    services.queue.send(messages)
    return len(messages) // PER_SECOND


def _put_back(message: QueuedSync, services: EventServices) -> bool:
    """Put a message back for a while, because GitHub may not know yet what it has told us.

    Returns:
        False if that was done often enough.
    """
    if message.attempt >= _MOST_ATTEMPTS:
        return False
    again = message.model_copy(update={"attempt": message.attempt + 1})
    services.queue.send([(again, _AGAIN_SECONDS)])
    return True


def _reach(message: QueuedSync, repository: str, services: EventServices) -> _Place:
    """Return a repository as GitHub knows it now; remove what is stored under a name that it has no more."""
    allowed = check_owner(services.app, repository, services.allowed_owners)
    # A token from before may read a public repository that the App was taken off since: only a new one tells.
    token = services.app.token(repository, SYNC, message.installation_id, lasting=_TOKEN_LASTS)
    client = services.app.client(repository, SYNC, token.installation_id)
    info = client.get_repository(repository)
    if info.full_name.lower() != repository.lower():
        _forget_name(repository, services)
    check_name(info.full_name, allowed)
    return _Place(client, info, token.installation_id)


def _update(message: QueuedSync, place: _Place, services: EventServices) -> str:
    client, name, branch = place.client, place.info.full_name, place.info.default_branch
    for _ in range(_ROUNDS):
        commit = _head(client, name, branch)
        try:
            has_written, result = WorkerSet(client, services, name, place.installation_id).update(commit)
        except Overtaken:
            continue
        if has_written:
            branch = client.get_repository(name).default_branch
            if _head(client, name, branch) != commit:
                continue
        if message.commit is not None and not _has(client, name, branch, message.commit, commit):
            # It was pushed over since, or another of GitHub's servers knows it.
            return f"{result} It will be read again." if _put_back(message, services) else result
        return result
    raise Overtaken(f"The workers of {name} change too often to be stored.")


def _head(client: GitHubClient, repository: str, branch: str) -> str | None:
    """Return the newest commit of the default branch; None if there is no commit at all."""
    try:
        return client.find_branch(repository, branch)
    except RepositoryEmpty:
        return None


def _has(client: GitHubClient, repository: str, branch: str, pushed: str, head: str | None) -> bool:
    """Return whether the branch holds the commit that a push brought, also if it went on since."""
    return pushed == head or client.contains(repository, branch, pushed)
