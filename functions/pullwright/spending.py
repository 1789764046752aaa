"""What sessions may cost in a day, all together and those of one repository.

A session's own limit is reserved before anything is made for it, and what it has cost is booked in its place
when it ends. So sessions that run at once cannot pass the limit together. Those of an evaluation have its
budget as one limit more, which no day renews. Both are written in one transaction
with the session's record, which says that it was done: however often a function is repeated, and whoever ends
the session, it counts once, on the day (UTC) on which it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pullwright.errors import DailyLimit, EvaluationBudget, EvaluationWaits
from pullwright.figures import money
from pullwright.table import EVALUATION, day_key, evaluation_key, session_key

if TYPE_CHECKING:
    from datetime import date

    from pullwright.record import SessionRecord
    from pullwright.transactions import Transactions

# Long enough to look back at a month.
_KEPT = timedelta(days=35)
_WHAT = "count the day's spending"
_SIX_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """US dollars a day; 0 is no limit."""

    usd: float = 0.0
    usd_of_repository: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What the sessions of one evaluation may cost together, in US dollars."""

    evaluation: str
    usd: float


class Spending:
    """The days' sums in the sessions table."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def reserve(
        self,
        session_id: str,
        usd: float,
        limits: DailyLimits,
        *,
        repository: str,
        now: datetime,
        budget: Budget | None = None,
    ) -> None:
        """Reserve a session's limit within today's; one that has its reservation keeps it.

        Args:
            limits: US dollars a day, of the stack and of each repository.
            now: the time, in UTC.
            budget: of its evaluation, if it belongs to one.

        Raises:
            DailyLimit: there is no room left today, or never would be.
            EvaluationBudget: nor is there in the budget.
            EvaluationWaits: there may be when other sessions of the evaluation have ended.
            AwsUnavailable: the table did not take it.
        """
        day = now.astimezone(UTC).date()
        scopes = [
            (day_key(day), limits.usd, "this Pullwright", "DailyUsd"),
            (day_key(day, repository), limits.usd_of_repository, repository, "DailyUsdPerRepository"),
        ]
        if budget is not None:
            name = f"the evaluation {budget.evaluation}"
            scopes.append((evaluation_key(budget.evaluation), budget.usd, name, "its budget"))
        scopes = [scope for scope in scopes if scope[1]]
        if not scopes:
            return
        amount = _exact(usd)
        for key, limit, whose, parameter in scopes:
            if amount > _exact(limit):
                raise (
                    _never_in_budget(usd, limit) if _is_budget(key) else _never(usd, limit, whose, parameter)
                )
        values: dict[str, Any] = {":me": {"SS": [session_id]}}
        values |= {":amount": {"N": str(amount)}, ":none": {"N": "0"}}
        values |= {":ttl": {"N": str(int((now + _KEPT).timestamp()))}}
        update = self._transactions.update
        refused = self._transactions.write(
            _WHAT,
            update(
                session_key(session_id),
                "SET reserved_usd = :amount, spend_keys = :keys",
                "attribute_not_exists(reserved_usd) AND attribute_not_exists(is_over)",
                {":amount": values[":amount"], ":keys": {"SS": [key for key, *_ in scopes]}},
            ),
            *(
                update(
                    key,
                    f"SET usd = if_not_exists(usd, :none) + :amount, #ttl = :ttl"
                    f"{' ADD holders :me' if _is_budget(key) else ''}",
                    "attribute_not_exists(usd) OR usd <= :room",
                    values | {":room": {"N": str(_exact(limit) - amount)}},
                )
                for key, limit, *_ in scopes
            ),
        )
        if refused and refused[0] > 0:
            key, limit, whose, parameter = scopes[refused[0] - 1]
            if _is_budget(key):
                raise self._no_room(key, amount, limit)
            raise _used_up(usd, limit, whose, parameter, day + timedelta(days=1))

    def settle(self, record: SessionRecord, cost_usd: float | None) -> None:
        """Replace a session's reservation by its cost, once.

        Never more than that: it is the session's own limit, which the gateway does not let it pass, and what
        a task says must not be able to use up everybody's day.

        Args:
            record: the session's; without a reservation there is nothing to do.
            cost_usd: what it has cost; None if that is not known, and then it counts in full.

        Raises:
            AwsUnavailable: the table did not take it.
        """
        reserved = record.reserved_usd
        if reserved is None or not record.spend_keys or record.booked_usd is not None:
            return
        booked = reserved if cost_usd is None else min(_exact(cost_usd), reserved)
        update = self._transactions.update
        self._transactions.write(
            _WHAT,
            update(
                session_key(record.session_id),
                "SET booked_usd = :booked",
                "attribute_exists(reserved_usd) AND attribute_not_exists(booked_usd)",
                {":booked": {"N": str(booked)}},
            ),
            *(
                update(
                    key,
                    f"ADD usd :change{' DELETE holders :me' if _is_budget(key) else ''}",
                    None,
                    {":change": {"N": str(booked - reserved)}, ":me": {"SS": [record.session_id]}},
                )
                for key in sorted(record.spend_keys)
            ),
        )

    def _no_room(self, key: str, amount: Decimal, limit: float) -> EvaluationWaits | EvaluationBudget:
        """Return why a session finds no room in its evaluation's budget: for now, or for good."""
        item = self._transactions.read(key)
        # What others keep free and do not use up comes back.
        if item.get("holders") or item.get("usd", Decimal(0)) + amount <= _exact(limit):
            return EvaluationWaits("Other sessions of the evaluation may still use up its budget.")
        return EvaluationBudget(
            f"The evaluation's budget of {money(limit)} has no room for a session of {money(float(amount))}."
        )


def _exact(usd: float) -> Decimal:
    return max(Decimal(str(usd)).quantize(_SIX_DECIMALS), Decimal(0)).normalize() + 0


def _is_budget(key: str) -> bool:
    return key.startswith(EVALUATION)


def _never_in_budget(usd: float, limit: float) -> EvaluationBudget:
    return EvaluationBudget(
        f"This session may cost up to {money(usd)}, and all of its evaluation together {money(limit)}."
    )


def _never(usd: float, limit: float, whose: str, parameter: str) -> DailyLimit:
    return DailyLimit(
        f"This session may cost up to {money(usd)}, and a day's sessions of {whose} together {money(limit)}.",
        remedy=f"Start it with a lower `limits.usd`, or ask the operator to raise {parameter}.",
    )


def _used_up(usd: float, limit: float, whose: str, parameter: str, opens: date) -> DailyLimit:
    when = f"{opens.isoformat()} 00:00 UTC"
    return DailyLimit(
        f"Sessions of {whose} may cost {money(limit)} a day together. What was spent today, and what "
        f"running sessions may still spend, leaves too little for this session's {money(usd)} until {when}.",
        remedy=f"Start it again after {when}, or earlier when running sessions have ended and cost less; a "
        f"lower `limits.usd` may fit today. The operator can raise {parameter}.",
    )
