"""Whether this deployment works for a session's repository: the first check."""

from pullwright.errors import OwnerNotAllowed, PullRequestsDisabled, RepositoryArchived
from pullwright.github.app import GitHubApp
from pullwright.github.payloads import RepositoryInfo
from pullwright.owners import has_any, is_allowed


def check_owner(app: GitHubApp, repository: str, allowed: str) -> str:
    """Refuse another owner's repository before any token for it exists.

    A name that is not listed may be an old one: then its installation says whose the repository is now, and
    `check_name` what it is called.

    Args:
        app: tells its owner, whose repositories are meant where nothing is listed.

    Returns:
        The list that holds.

    Raises:
        OwnerNotAllowed: it is somebody else's.
        AppNotInstalled: it has no installation that could tell.
    """
    allowed = allowed or app.owner()
    if not is_allowed(repository, allowed):
        installation, renamed = app.installation_of(repository)
        owner = installation.account.login if installation.account is not None else None
        if renamed is None or not owner or not has_any(owner, allowed):
            raise _refusal(repository)
    return allowed


def check_name(full_name: str, allowed: str) -> None:
    """Refuse a repository by its current name.

    Raises:
        OwnerNotAllowed: it is somebody else's.
    """
    if not is_allowed(full_name, allowed):
        raise _refusal(full_name)


def check_settings(repository: RepositoryInfo) -> None:
    """Refuse a repository that takes no pull request.

    Raises:
        RepositoryArchived, PullRequestsDisabled: it takes none.
    """
    if repository.archived:
        raise RepositoryArchived(f"The repository {repository.full_name} is archived.")
    if not repository.has_pull_requests:
        raise PullRequestsDisabled(f"Pull requests are turned off in {repository.full_name}.")


def _refusal(repository: str) -> OwnerNotAllowed:
    return OwnerNotAllowed(f"This Pullwright does not work for the repository {repository}.")
