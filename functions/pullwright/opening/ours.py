"""Which pull requests are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pullwright.github import GitHubClient
    from pullwright.github.app import GitHubApp
    from pullwright.github.payloads import PullRequest
    from pullwright.store import Store


def is_ours(pull: PullRequest, repository: str, app: GitHubApp, store: Store, client: GitHubClient) -> bool:
    """Return whether we opened a pull request, or a session has worked on its branch."""
    if not pull.comes_from(repository):
        return False
    if pull.user is not None and pull.user.id == app.bot_id(client):
        return True
    record = store.read_branch(repository, pull.head.ref)
    return record is not None and record.pull_request == pull.number
