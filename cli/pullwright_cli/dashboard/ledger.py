"""Rows of all sessions of some days, read once a minute: thousands take longer than a page may."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright_cli.listing import Filter, sessions

if TYPE_CHECKING:
    from pullwright_cli.session import Deployed

_KEPT_SECONDS = 60.0
_EVERY = 1_000_000


class Account(NamedTuple):
    """What was read, and when."""

    rows: list[dict[str, Any]]
    read_at: datetime
    until: float


class Ledger:
    """Reads sessions, and keeps them for a minute."""

    def __init__(self, stack: Deployed) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self._accounts: dict[int, Account] = {}

    def account(self, days: int) -> Account:
        """Return the sessions that began within so many days. Others who ask wait for it."""
        with self._lock:
            found = self._accounts.get(days)
            if found is None or found.until < time.monotonic():
                now = datetime.now(UTC)
                since = (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
                rows = sessions(self._stack, Filter(since=since, limit=_EVERY))
                found = self._accounts[days] = Account(rows, now, time.monotonic() + _KEPT_SECONDS)
            return found
