"""What sessions may cost in a day, all together and those of one repository.

A session's own limit is reserved before anything is made for it, and what it has cost is booked in its place
when it ends. So sessions that run at once cannot pass the limit together. Both are written in one transaction
with the session's record, which says that it was done: however often a function is repeated, and whoever ends
the session, it counts once, on the day (UTC) on which it began.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pullwright.aws import calling
from pullwright.errors import AwsUnavailable, DailyLimit
from pullwright.figures import money
from pullwright.table import day_key, refused_items, session_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from pullwright.record import SessionRecord

# Long enough to look back at a month.
_KEPT = timedelta(days=35)
# Sessions that begin in the same moment get into each other's way, which DynamoDB leaves to its callers:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_TRIES = 10
_LONGEST_PAUSE = 1.0
_SIX_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """US dollars a day; 0 is no limit."""

    usd: float = 0.0
    usd_of_repository: float = 0.0


class Spending:
    """The days' sums in the sessions table."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep

    def reserve(
        self, session_id: str, usd: float, limits: DailyLimits, *, repository: str, now: datetime
    ) -> None:
        """Reserve a session's limit within today's; one that has its reservation keeps it.

        Args:
            limits: US dollars a day, of the stack and of each repository.
            now: the time, in UTC.

        Raises:
            DailyLimit: there is no room left today, or never would be.
            AwsUnavailable: the table did not take it.
        """
        day = now.astimezone(UTC).date()
        scopes = [
            (day_key(day), limits.usd, "this Pullwright", "DailyUsd"),
            (day_key(day, repository), limits.usd_of_repository, repository, "DailyUsdPerRepository"),
        ]
        scopes = [scope for scope in scopes if scope[1]]
        if not scopes:
            return
        amount = _exact(usd)
        for _, limit, whose, parameter in scopes:
            if amount > _exact(limit):
                raise _never(usd, limit, whose, parameter)
        values = {":amount": {"N": str(amount)}, ":none": {"N": "0"}}
        values |= {":ttl": {"N": str(int((now + _KEPT).timestamp()))}}
        refused = self._write(
            self._update(
                session_key(session_id),
                "SET reserved_usd = :amount, spend_keys = :keys",
                "attribute_not_exists(reserved_usd) AND attribute_not_exists(is_over)",
                {":amount": values[":amount"], ":keys": {"SS": [key for key, *_ in scopes]}},
            ),
            *(
                self._update(
                    key,
                    "SET usd = if_not_exists(usd, :none) + :amount, #ttl = :ttl",
                    "attribute_not_exists(usd) OR usd <= :room",
                    values | {":room": {"N": str(_exact(limit) - amount)}},
                )
                for key, limit, *_ in scopes
            ),
        )
        if refused and refused[0] > 0:
            _, limit, whose, parameter = scopes[refused[0] - 1]
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
        self._write(
            self._update(
                session_key(record.session_id),
                "SET booked_usd = :booked",
                "attribute_exists(reserved_usd) AND attribute_not_exists(booked_usd)",
                {":booked": {"N": str(booked)}},
            ),
            *(
                self._update(key, "ADD usd :change", None, {":change": {"N": str(booked - reserved)}})
                for key in sorted(record.spend_keys)
            ),
        )

    def _update(
        self, key: str, expression: str, condition: str | None, values: Mapping[str, Any]
    ) -> TransactWriteItemTypeDef:
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {
                # DynamoDB refuses a value that is given and not used.
                name: value
                for name, value in values.items()
                if name in f"{expression} {condition}"
            },
        }
        if condition is not None:
            update["ConditionExpression"] = condition
        if "#ttl" in expression:
            update["ExpressionAttributeNames"] = {"#ttl": "ttl"}
        return {"Update": update}  # type: ignore[typeddict-item] # built key by key

    def _write(self, *items: TransactWriteItemTypeDef) -> list[int]:
        """Write all or nothing; return the positions of the items whose conditions did not hold."""
        with calling("count the day's spending"):
            for _ in range(_TRIES):
                try:
                    self._client.transact_write_items(TransactItems=items)
                except ClientError as error:
                    if refused := refused_items(error):
                        return refused
                else:
                    return []
                self._sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - spreads callers out, guards nothing
        raise AwsUnavailable("AWS could not count the day's spending: too many sessions began at once.")


def _exact(usd: float) -> Decimal:
    return max(Decimal(str(usd)).quantize(_SIX_DECIMALS), Decimal(0)).normalize() + 0


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
