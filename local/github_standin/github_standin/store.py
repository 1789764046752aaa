"""The records of the stand-in, by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin.check_records import CheckRun, CheckSuite, CommitStatus, WorkflowRun
from github_standin.records import (
    Account,
    Comment,
    Delivery,
    Installation,
    InstallationToken,
    Issue,
    Repository,
    Settings,
)
from github_standin.review_records import CommitComment, Review, ReviewComment, Thread
from standin.store import Database

if TYPE_CHECKING:
    from pathlib import Path

    from standin.store import Table

# GitHub's numbers are beyond 32 bits in places; starting high finds code that is not ready for it.
_FIRST_IDS = {
    "comment": 2_600_000_001,
    "issue": 2_700_000_001,
    "pull": 1_900_000_001,
    "check_run": 47_000_000_001,
    "check_suite": 39_000_000_001,
    "workflow_run": 16_500_000_001,
    "status": 36_000_000_001,
    "review": 3_300_000_001,
    "review_comment": 2_400_000_001,
    "installation": 71_000_001,
    "delivery": 171_798_691_840_000_001,
    "repository": 801_000_001,
    "account": 150_000_001,
}


class Store(Database):
    """All records of the GitHub stand-in."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _FIRST_IDS)
        self.accounts = self.table("account", Account)
        self.installations = self.table("installation", Installation)
        self.tokens = self.table("token", InstallationToken)
        self.repositories = self.table("repository", Repository)
        self.issues = self.table("issue", Issue)
        self.comments = self.table("comment", Comment)
        self.reviews = self.table("review", Review)
        self.threads = self.table("thread", Thread)
        self.review_comments = self.table("review_comment", ReviewComment)
        self.commit_comments = self.table("commit_comment", CommitComment)
        self.statuses = self.table("status", CommitStatus)
        self.check_suites = self.table("check_suite", CheckSuite)
        self.check_runs = self.table("check_run", CheckRun)
        self.workflow_runs = self.table("workflow_run", WorkflowRun)
        self.deliveries = self.table("delivery", Delivery)
        self._settings = self.table("settings", Settings)

    def of_repositories(self) -> tuple[Table[Any], ...]:
        """Return the tables whose records belong to one repository each, and go with it."""
        return (
            *(self.issues, self.comments, self.check_suites, self.check_runs, self.workflow_runs),
            self.statuses,
            *(self.reviews, self.threads, self.review_comments, self.commit_comments),
        )

    @property
    def settings(self) -> Settings:
        """What is configured; save changes with `save_settings`."""
        return self._settings.get(1) or self._settings.put(Settings(id=1))

    def save_settings(self) -> None:
        """Write changed settings through."""
        self._settings.put(self.settings)
