"""The store: records in memory, each written through to SQLite, so that nothing is lost on a kill."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from github_standin.check_records import CheckRun, CheckSuite, CommitStatus, WorkflowRun
from github_standin.records import (
    Account,
    Comment,
    Delivery,
    Installation,
    InstallationToken,
    Issue,
    Record,
    Repository,
    Settings,
)
from github_standin.review_records import CommitComment, Review, ReviewComment, Thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

R = TypeVar("R", bound=Record)

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


class Table(Generic[R]):
    """All records of one kind."""

    def __init__(self, connection: sqlite3.Connection, kind: str, model: type[R]) -> None:
        self._connection = connection
        self._kind = kind
        rows = connection.execute("SELECT data FROM records WHERE kind = ? ORDER BY id", (kind,))
        self._records = {record.id: record for record in (model.model_validate_json(row[0]) for row in rows)}

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, number: int) -> R:
        return self._records[number]

    def get(self, number: int | None) -> R | None:
        """Return the record with this id, or None."""
        return None if number is None else self._records.get(number)

    def put(self, record: R) -> R:
        """Store a new or changed record, and return it."""
        self._records[record.id] = record
        self._connection.execute(
            "INSERT OR REPLACE INTO records (kind, id, data) VALUES (?, ?, ?)",
            (self._kind, record.id, record.model_dump_json()),
        )
        return record

    def delete(self, number: int) -> None:
        """Forget the record with this id."""
        self._records.pop(number, None)
        self._connection.execute("DELETE FROM records WHERE kind = ? AND id = ?", (self._kind, number))


class Store:
    """All records of the stand-in.

    Args:
        path: the database's file, made when missing.
    """

    def __init__(self, path: Path) -> None:
        # The callers hold one lock around everything, so that threads never meet here.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The system keeps what was written when this process dies; a power cut may lose the last second.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS records (kind TEXT, id INTEGER, data TEXT, PRIMARY KEY (kind, id))"
        )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS sequences (kind TEXT PRIMARY KEY, next INTEGER NOT NULL)"
        )
        self.accounts = Table(self._connection, "account", Account)
        self.installations = Table(self._connection, "installation", Installation)
        self.tokens = Table(self._connection, "token", InstallationToken)
        self.repositories = Table(self._connection, "repository", Repository)
        self.issues = Table(self._connection, "issue", Issue)
        self.comments = Table(self._connection, "comment", Comment)
        self.reviews = Table(self._connection, "review", Review)
        self.threads = Table(self._connection, "thread", Thread)
        self.review_comments = Table(self._connection, "review_comment", ReviewComment)
        self.commit_comments = Table(self._connection, "commit_comment", CommitComment)
        self.statuses = Table(self._connection, "status", CommitStatus)
        self.check_suites = Table(self._connection, "check_suite", CheckSuite)
        self.check_runs = Table(self._connection, "check_run", CheckRun)
        self.workflow_runs = Table(self._connection, "workflow_run", WorkflowRun)
        self.deliveries = Table(self._connection, "delivery", Delivery)
        self._settings = Table(self._connection, "settings", Settings)

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

    def next_id(self, kind: str) -> int:
        """Return a number that no record of this kind has had."""
        row = self._connection.execute(
            "INSERT INTO sequences (kind, next) VALUES (?, ?) "
            "ON CONFLICT (kind) DO UPDATE SET next = next + 1 RETURNING next",
            (kind, _FIRST_IDS.get(kind, 1_000_001)),
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
