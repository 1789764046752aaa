"""What the sessions of a month cost: totals that outlive the records.

One item for each repository, worker, person and model of a month, so that every sum over them can be made.
It is written in one transaction with the session's record, which says so: however often a session's end is
repeated, and whoever ends it, it counts once, in the month (UTC) in which it began. The index `by_status`
finds the items: their status is `MONTHLY` and their time the month.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from pullwright.table import month_key, session_key

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.record import SessionRecord
    from pullwright.transactions import Transactions

MONTHLY = "MONTHLY"
"""Status of the items, by which the index finds them."""
# A key has 2,048 bytes at most, and a task may have written into its record what it likes.
_LONGEST_BYTES = 300
# A task says what it cost and took, and no session's limits are higher: none can spoil a month's total.
_MOST_USD = Decimal(1000)
_MOST_TURNS = 100_000
_SIX_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Spent:
    """What one session adds.

    Attributes:
        usd: None if a task had begun and its cost is not known.
    """

    has_failed: bool
    usd: float | None
    turns: int


class Months:
    """The totals in the sessions table."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def count(self, record: SessionRecord, spent: Spent, *, now: datetime) -> None:
        """Add a session to its month's totals, once.

        Args:
            record: the session's, as it was read.
            now: the time in UTC, where the record does not tell when it began.

        Raises:
            AwsUnavailable: the table did not take it.
        """
        if record.counted_in is not None:
            return
        month = f"{record.created_at or now:%Y-%m}"
        names = {
            "repository": _cut(record.repository),
            "worker": _cut(record.worker),
            "requested_by": _cut(record.requested_by),
            "model": _cut(record.model),
        }
        # The key of an index, as `repository` is, may be missing and not be empty.
        known = {name: text for name, text in names.items() if text}
        numbers = {
            ":one": 1,
            ":failed": int(spent.has_failed),
            ":usd": _exact(spent.usd),
            ":turns": min(max(spent.turns, 0), _MOST_TURNS),
            ":unknown": int(spent.usd is None or not isfinite(spent.usd)),
        }
        key = month_key(month, *names.values())
        sets = ["#status = :monthly", "heartbeat_at = :month", *(f"{name} = :{name}" for name in known)]
        self._transactions.write(
            "count the month's spending",
            self._transactions.update(
                session_key(record.session_id),
                "SET counted_in = :month",
                "attribute_not_exists(counted_in)",
                {":month": {"S": month}},
            ),
            self._transactions.update(
                key,
                f"SET {', '.join(sets)} "
                "ADD session_count :one, failed_count :failed, cost_usd :usd, turns :turns, "
                "unknown_count :unknown",
                None,
                {
                    ":monthly": {"S": MONTHLY},
                    ":month": {"S": month},
                    **{f":{name}": {"S": text} for name, text in known.items()},
                    **{name: {"N": str(value)} for name, value in numbers.items()},
                },
            ),
        )


def _exact(usd: float | None) -> Decimal:
    if usd is None or not isfinite(usd):
        return Decimal(0)
    return min(max(Decimal(str(usd)), Decimal(0)), _MOST_USD).quantize(_SIX_DECIMALS)


def _cut(text: str | None) -> str:
    return (text or "").encode(errors="replace")[:_LONGEST_BYTES].decode(errors="ignore")
