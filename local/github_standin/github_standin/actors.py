"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from github_standin.permissions import grants

if TYPE_CHECKING:
    from github_standin.records import Access, Account, Installation, InstallationToken, Repository


@dataclass(frozen=True)
class Actor:
    """Who makes a request.

    Attributes:
        account: the person, or the App's bot for an installation.
    """

    kind: Literal["anonymous", "app", "installation", "user"]
    account: Account | None = None
    installation: Installation | None = None
    token: InstallationToken | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """Return the key under which the actor's use is counted."""
        number = self.installation.id if self.installation else self.account.id if self.account else 0
        return f"{self.kind}:{number}"

    @property
    def called(self) -> str:
        """The name that GitHub's refusals give the actor."""
        if self.installation is not None:
            return f"installation ID {self.installation.id}"
        return f"user ID {self.account.id}" if self.account else "127.0.0.1"

    @property
    def permissions(self) -> dict[str, Access]:
        """What an installation's token may do: its own permissions that the installation still has."""
        if self.token is None or self.installation is None:
            return {}
        held = self.installation.permissions
        return {n: a for n, a in self.token.permissions.items() if grants(held, n, a)}

    def reaches(self, repository: Repository) -> bool:
        """Tell whether an installation's token covers a repository."""
        if self.token is None or self.installation is None:
            return False
        if repository.id not in self.installation.repository_ids:
            return False
        return self.token.repository_ids is None or repository.id in self.token.repository_ids


ANONYMOUS = Actor("anonymous")
