"""Records in memory, each written through to SQLite, so that nothing is lost on a kill."""

from __future__ import annotations

import sqlite3
import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Record(BaseModel):
    """A record with an id."""

    id: int


R = TypeVar("R", bound=Record)


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


class Database:
    """The file of all records of a stand-in.

    Args:
        path: the database's file, made when missing.
        first_ids: the first number of a kind; 1,000,001 for those that are not there.
    """

    def __init__(self, path: Path, first_ids: Mapping[str, int]) -> None:
        self._first_ids = first_ids
        # The callers hold one lock around everything, so that threads never meet here.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # Whoever forgets to: Python 3.13 warns of each connection that is left open.
        self._close = weakref.finalize(self, self._connection.close)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The system keeps what was written when this process dies; a power cut may lose the last second.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS records (kind TEXT, id INTEGER, data TEXT, PRIMARY KEY (kind, id))"
        )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS sequences (kind TEXT PRIMARY KEY, next INTEGER NOT NULL)"
        )

    def table(self, kind: str, model: type[R]) -> Table[R]:
        """Return all records of one kind."""
        return Table(self._connection, kind, model)

    def next_id(self, kind: str) -> int:
        """Return a number that no record of this kind has had."""
        row = self._connection.execute(
            "INSERT INTO sequences (kind, next) VALUES (?, ?) "
            "ON CONFLICT (kind) DO UPDATE SET next = next + 1 RETURNING next",
            (kind, self._first_ids.get(kind, 1_000_001)),
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close the database."""
        self._close()
