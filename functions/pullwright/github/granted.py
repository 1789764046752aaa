"""Tokens for what an installation has granted, where not everybody has granted everything."""

from collections.abc import Mapping, Sequence

from pullwright.errors import PermissionMissing
from pullwright.github.app import GitHubApp
from pullwright.github.client import GitHubClient


def most_granted(
    app: GitHubApp,
    repository: str,
    installation_id: int | None,
    least: Mapping[str, str],
    choices: Sequence[Mapping[str, str]],
) -> tuple[GitHubClient, Mapping[str, str]]:
    """Return a client with the first permissions that are granted, and those.

    Args:
        least: what has to be granted.
        choices: what is wanted instead, best first.

    Raises:
        PermissionMissing: not even the least is granted.
    """
    for permissions in choices:
        try:
            return app.client(repository, permissions, installation_id), permissions
        except PermissionMissing:
            continue
    return app.client(repository, least, installation_id), least
