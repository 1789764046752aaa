"""The state of one stand-in, and how to find things in it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from github_standin.declaration import Declaration
from github_standin.git.store import GitStore
from github_standin.lags import Lag
from github_standin.limits import Meter
from github_standin.links import Links
from github_standin.records import Account
from github_standin.store import Store
from github_standin.webhooks import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Literal

    from github_standin.git.repository import GitRepository
    from github_standin.manifests import Conversion
    from github_standin.records import Access, App, Comment, Installation, Issue, Repository
    from github_standin.review_records import CommitComment

_LEAST = Declaration()


class GitHub:
    """Everything that one stand-in knows; hold `lock` to read or change it.

    Args:
        clock: returns Unix seconds.
    """

    def __init__(
        self,
        folder: Path,
        root_url: str,
        clock: Callable[[], float] = time.time,
        declaration: Declaration = _LEAST,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.store = Store(folder / "state.sqlite3")
        self.git_store = GitStore(folder.resolve())
        self.links = Links(root_url)
        self.now = clock
        self.declaration = declaration
        self.outbox = Outbox(self.store, self.lock, self._time)
        self.meter = Meter(self.store, self._time)
        self.lag = Lag(self.store, self._time)
        self.merge_checks: set[tuple[int, str, str]] = set()
        """Pull requests, bases and heads of which it was asked whether they can be merged."""
        self.log_links: dict[str, tuple[int, float]] = {}
        """Addresses of jobs' logs: the job's id, and until when they are good."""
        self.conversions: dict[str, Conversion] = {}
        """Codes of manifests that were not exchanged yet."""

    def _time(self) -> float:
        # Tests replace the clock of a running stand-in; its parts follow.
        return self.now()

    @property
    def app(self) -> App | None:
        """The registered App."""
        return self.store.settings.app

    def asked(self, app: App | None) -> tuple[dict[str, Access], list[str]]:
        """Return the permissions and events that the App asks for, and each new installation gives it."""
        declared = self.declaration
        if app is None or app.permissions is None or app.events is None:
            return {name: it.access for name, it in declared.permissions.items()}, list(declared.events)
        return dict(app.permissions), list(app.events)

    # Accounts

    def account(self, login: str) -> Account | None:
        """Find an account by login, whatever the case."""
        wanted = login.lower()
        return next((account for account in self.store.accounts if account.login.lower() == wanted), None)

    def need_account(self, login: str, type_: Literal["User", "Organization", "Bot"]) -> Account:
        """Find an account, or make it."""
        account = self.account(login)
        if account is None:
            number = self.store.next_id("account")
            account = self.store.accounts.put(
                Account(id=number, login=login, type=type_, created_at=self.now())
            )
        return account

    def bot(self) -> Account:
        """Return the account that the App acts as."""
        if self.app is None:
            raise LookupError("no App is registered")
        return self.need_account(f"{self.app.slug}[bot]", "Bot")

    # Repositories

    def repository(self, owner: str, name: str) -> Repository | None:
        """Find a repository, whatever the case."""
        wanted = f"{owner}/{name}".lower()
        return next((r for r in self.store.repositories if r.full_name.lower() == wanted), None)

    def renamed(self, owner: str, name: str) -> Repository | None:
        """Find a repository by a name that it had before, and that nobody else has now."""
        wanted = f"{owner}/{name}".lower()
        if self.repository(owner, name) is not None:
            return None
        return next((r for r in self.store.repositories if wanted in r.former_names), None)

    def git(self, repository: Repository) -> GitRepository:
        """Return a repository's git side."""
        return self.git_store.open(repository.owner, repository.name)

    def installation_of(self, repository: Repository) -> Installation | None:
        """Return the installation that reaches a repository."""
        return next((i for i in self.store.installations if repository.id in i.repository_ids), None)

    # Issues

    def issues_of(self, repository: Repository) -> Iterator[Issue]:
        """Yield issues and pull requests, oldest first."""
        return (i for i in self.store.issues if i.repository_id == repository.id and not i.deleted)

    def issue(self, repository: Repository, number: int) -> Issue | None:
        """Find an issue or a pull request by number, a deleted one too."""
        return next(
            (i for i in self.store.issues if i.repository_id == repository.id and i.number == number), None
        )

    def transferred(self, repository: Repository, number: int) -> Issue | None:
        """Find an issue that had this number here before it went to another repository."""
        place = (repository.id, number)
        return next((i for i in self.store.issues if place in i.former_places), None)

    def comments_of(self, issue: Issue) -> list[Comment]:
        """Return the comments on an issue, oldest first."""
        place = (issue.repository_id, issue.number)
        return [c for c in self.store.comments if (c.repository_id, c.number) == place]

    def comments_on(self, repository: Repository, commit: str) -> list[CommitComment]:
        """Return the comments on a commit, oldest first."""
        place = (repository.id, commit)
        return [c for c in self.store.commit_comments if (c.repository_id, c.commit_id) == place]

    def head_repository(self, repository: Repository, issue: Issue) -> Repository | None:
        """Return the repository of a pull request's head, or None if that fork is gone."""
        if issue.pull is None:
            raise ValueError(f"#{issue.number} is no pull request")
        if issue.pull.fork_id is None:
            return repository
        return self.store.repositories.get(issue.pull.fork_id)

    def head_of(self, repository: Repository, issue: Issue) -> str:
        """Return a pull request's head commit: while it is open, where its branch is now."""
        if issue.pull is None:
            raise ValueError(f"#{issue.number} is no pull request")
        place = self.head_repository(repository, issue)
        if issue.state == "closed" or place is None:
            return issue.pull.head_sha
        return self.git(place).branch(issue.pull.head) or issue.pull.head_sha

    def close(self) -> None:
        """Stop delivering and close the database."""
        self.outbox.stop()
        self.store.close()
