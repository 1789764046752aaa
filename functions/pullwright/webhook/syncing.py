"""Events after which a repository's workers are read anew: they go to the queue.

The message says whose workers, not what they are: whoever carries it out reads what holds by then, so that
the order of messages does not matter.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field

FOLDER = ".pullwright"
_REASON = "The repository's workers are read from its default branch."
# Of a push that adds more, GitHub's list of commits need not be whole.
_MOST_COMMITS = 20
# Of one message, which may have 256 KiB; beyond it everything that the installation reaches is read.
_MOST_REPOSITORIES = 100
_REACHES_ANEW = frozenset({"created", "unsuspend", "new_permissions_accepted"})
_LISTS = ("added", "removed", "modified")


def syncing(event: str, payload: Mapping[str, Any]) -> Message | None:
    """Return the message if an event may have changed a repository's workers, or which there are to be read.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#installation,
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#push and
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository

    Returns:
        The message for the queue; None for every other event.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    # Whatever JSON may hold there, a text can be looked up.
    action = str(payload.get("action"))
    if event == "installation" and action in _REACHES_ANEW:
        return _sync(payload, None)
    if event == "installation_repositories" and action == "added":
        return _sync(payload, _added(payload))
    if event == "push" and _is_about_workers(payload):
        return _sync(payload, [field(payload, "repository.full_name", str)], commit=payload.get("after"))
    if event == "repository" and (names := _names(payload, action)):
        return _sync(payload, names, is_gone=action == "deleted")
    return None


def _sync(payload: Mapping[str, Any], repositories: list[str] | None, **more: Any) -> Message | None:
    if repositories == []:
        return None
    if repositories is not None and len(repositories) > _MOST_REPOSITORIES:
        repositories = None
    message = {
        "kind": "sync",
        "installation_id": field(payload, "installation.id", int),
        "repositories": repositories,
        **{name: value for name, value in more.items() if value},
    }
    only = repositories[0] if repositories is not None and len(repositories) == 1 else ""
    return Message(json.dumps(message, separators=(",", ":")), _REASON, only)


def _added(payload: Mapping[str, Any]) -> list[str]:
    added = payload.get("repositories_added")
    names = [as_object(it).get("full_name") for it in (added if isinstance(added, list) else [])]
    return [name for name in names if isinstance(name, str)]


def _is_about_workers(payload: Mapping[str, Any]) -> bool:
    """Return whether a push to the default branch may have changed a file in our folder.

    A push whose list of files cannot be whole counts: it costs a few reads to find that nothing has changed.
    """
    default = as_object(payload.get("repository")).get("default_branch")
    if payload.get("ref") != f"refs/heads/{default}" or payload.get("deleted") is True:
        return False
    commits = payload.get("commits")
    if payload.get("forced") is True or payload.get("created") is True or not isinstance(commits, list):
        return True
    return not 0 < len(commits) < _MOST_COMMITS or any(map(_touches, commits))


def _touches(commit: Any) -> bool:
    for name in _LISTS:
        paths = as_object(commit).get(name)
        if not isinstance(paths, list) or any(str(path).split("/")[0] == FOLDER for path in paths):
            return True
    return False


def _names(payload: Mapping[str, Any], action: str) -> list[str]:
    """Return the names, new and old, of a repository about which something has changed that matters here."""
    changes = as_object(payload.get("changes"))
    name = field(payload, "repository.full_name", str)
    owner, _, short = name.partition("/")
    if action == "deleted" or (action == "edited" and "default_branch" in changes):
        return [name]
    if action == "renamed":
        former = as_object(as_object(changes.get("repository")).get("name")).get("from")
        return [name, f"{owner}/{former}"] if isinstance(former, str) else [name]
    if action == "transferred":
        return [name, *(f"{login}/{short}" for login in _former_owners(changes))]
    return []


def _former_owners(changes: Mapping[str, Any]) -> Iterator[str]:
    source = as_object(as_object(changes.get("owner")).get("from"))
    for kind in ("user", "organization"):
        login = as_object(source.get(kind)).get("login")
        if isinstance(login, str):
            yield login
