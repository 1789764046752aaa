"""What both stand-ins keep their records in."""

from __future__ import annotations

import gc
import sqlite3
from typing import TYPE_CHECKING

import pytest

from standin.store import Database, Record

if TYPE_CHECKING:
    from pathlib import Path


def test_a_database_that_nobody_has_any_more_is_closed(tmp_path: Path) -> None:
    """Its connection is, too, whose tables may still be held by somebody."""
    database = Database(tmp_path / "state.sqlite3", {})
    table = database.table("record", Record)
    table.put(Record(id=1))
    del database
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        table.put(Record(id=2))


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    """What was written is there for the next."""
    database = Database(tmp_path / "state.sqlite3", {})
    database.table("record", Record).put(Record(id=1))
    database.close()
    database.close()
    again = Database(tmp_path / "state.sqlite3", {})
    assert [record.id for record in again.table("record", Record)] == [1]
    again.close()
