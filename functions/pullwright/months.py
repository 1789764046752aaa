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
_LONGEST = 200
# A task says what it cost, and no session's limit is higher: none can spoil a month's total.
_MOST_USD = Decimal(1000)
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
            ":repository": record.repository,
            ":worker": record.worker,
            ":person": record.requested_by,
            ":model": record.model,
        }
        texts = {name: (value or "")[:_LONGEST] for name, value in names.items()}
        numbers = {
            ":one": 1,
            ":failed": int(spent.has_failed),
            ":usd": _exact(spent.usd),
            ":turns": spent.turns,
            ":unknown": int(spent.usd is None or not isfinite(spent.usd)),
        }
        key = month_key(month, *texts.values())
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
                "SET #status = :monthly, heartbeat_at = :month, repository = :repository, worker = :worker, "
                "requested_by = :person, model = :model "
                "ADD session_count :one, failed_count :failed, cost_usd :usd, turns :turns, "
                "unknown_count :unknown",
                None,
                {
                    ":monthly": {"S": MONTHLY},
                    ":month": {"S": month},
                    **{name: {"S": value} for name, value in texts.items()},
                    **{name: {"N": str(value)} for name, value in numbers.items()},
                },
            ),
        )


def _exact(usd: float | None) -> Decimal:
    if usd is None or not isfinite(usd):
        return Decimal(0)
    return min(max(Decimal(str(usd)), Decimal(0)), _MOST_USD).quantize(_SIX_DECIMALS)
