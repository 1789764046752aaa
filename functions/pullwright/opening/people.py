"""What authors may do in a repository."""

from dataclasses import dataclass, field

from pullwright.apps import is_app, is_listed
from pullwright.github import GitHubClient
from pullwright.models import AuthorRole

_MAY_WRITE = frozenset({"admin", "write"})
_MOST_LOOKUPS = 30


@dataclass(slots=True)
class People:
    """Asks GitHub once for each person, and for a limited number of them.

    `author_association` says less than it seems to, so it is never asked.

    Attributes:
        allowed_apps: slugs of the Apps that count as people who may write, separated by commas.
    """

    client: GitHubClient
    repository: str
    allowed_apps: str
    _roles: dict[str, AuthorRole] = field(default_factory=dict)

    def may_write(self, login: str) -> bool:
        """Return whether a person may write to the repository; False for unknown people."""
        return self.role(login) is AuthorRole.WRITER

    def role(self, login: str) -> AuthorRole:
        """Return what a person may do in the repository.

        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user

        Args:
            login: of a person, or of an App's account.
        """
        if is_app(login):
            return AuthorRole.WRITER if is_listed(login, self.allowed_apps) else AuthorRole.APP
        key = login.casefold()
        if key not in self._roles:
            if len(self._roles) >= _MOST_LOOKUPS:
                return AuthorRole.UNKNOWN
            may_write = self.client.permission_of(self.repository, login) in _MAY_WRITE
            self._roles[key] = AuthorRole.WRITER if may_write else AuthorRole.READER
        return self._roles[key]
