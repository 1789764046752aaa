"""Stores what an installation has used: in the sessions table, or in this process alone.

The item has the account's name as its key, because an App has one installation on each account, and everybody
who works on a repository knows its owner. It needs no cleaning: what a session took and never used is paid
for by time. Whatever stands there that we would not have written is written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pullwright.aws import calling
from pullwright.github.budget import FARTHEST_SECONDS, SECONDS_EACH, Room, Usage
from pullwright.table import allowance_key, writing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

ATTRIBUTES = ("paid_until", "blocked_until", "pause")
"""What the item holds beside its key."""
# Others may change the item between two tries; that many in a row means that something else is wrong.
_TRIES = 8
# Of a value that is no number, or is missing, this is false.
_OWED = "paid_until > :now AND paid_until <= {}"


APP = "/app"
"""Stands for what the App does as itself: no account has such a name."""


class Allowance(Protocol):
    """Stores one installation's usage."""

    def look(self) -> Usage:
        """Read it.

        Raises:
            AwsUnavailable: it cannot be read.
        """

    def spend(self, now: float, writes: int, room: Room) -> tuple[bool, Usage]:
        """Take writes if they fit.

        Returns:
            Whether they do, and the usage after that.

        Raises:
            AwsUnavailable: it cannot be written.
        """

    def limit(self, now: float, named: float | None) -> Usage:
        """Note that GitHub has refused, see `Usage.limited`; return the usage after that.

        Raises:
            AwsUnavailable: it cannot be written.
        """


class MemoryAllowance:
    """Stores it in this process; the simulation of many sessions does too."""

    def __init__(self) -> None:
        self.usage = Usage()

    def look(self) -> Usage:
        """See `Allowance`."""
        return self.usage

    def spend(self, now: float, writes: int, room: Room) -> tuple[bool, Usage]:
        """See `Allowance`."""
        fits = room is Room.ENDING or self.usage.seconds_until_room(now, writes, room) == 0
        if fits:
            self.usage = self.usage.after(now, writes)
        return fits, self.usage

    def limit(self, now: float, named: float | None) -> Usage:
        """See `Allowance`."""
        if named is not None or self.usage.blocked_for(now) == 0:
            self.usage = self.usage.limited(now, named)
        return self.usage


class TableAllowance:
    """Stores it in the sessions table, for all sessions and functions.

    Args:
        account: see `allowance_key`.
    """

    def __init__(self, client: DynamoDBClient, table: str, account: str) -> None:
        self._client = client
        self._table = table
        self._key = {"pk": {"S": allowance_key(account)}}
        self._seen = Usage()

    def look(self) -> Usage:
        """See `Allowance`."""
        with calling("read GitHub's allowance"):
            found = self._client.get_item(
                TableName=self._table,
                Key=self._key,
                ConsistentRead=True,
                ProjectionExpression=", ".join(ATTRIBUTES),
            )
        self._seen = _usage(found.get("Item", {}))
        return self._seen

    def spend(self, now: float, writes: int, room: Room) -> tuple[bool, Usage]:
        """See `Allowance`. Usually one call; another if what was read last is out of date."""
        cost = writes * SECONDS_EACH
        most = FARTHEST_SECONDS if room is Room.ENDING else (room - writes) * SECONDS_EACH
        times = {":now": now, ":far": now + FARTHEST_SECONDS}
        for _ in range(_TRIES):
            if self._seen.owed(now) > 0:
                values = {":cost": cost, ":now": now, ":most": now + most}
                update, condition = "SET paid_until = paid_until + :cost", _OWED.format(":most")
            else:
                values = {":new": now + cost, **times}
                update, condition = "SET paid_until = :new", f"NOT ({_OWED.format(':far')})"
            if self._update(update, condition, values):
                return True, self._seen
            if room is not Room.ENDING and self._seen.seconds_until_room(now, writes, room) > 0:
                break
        return False, self._seen

    def limit(self, now: float, named: float | None) -> Usage:
        """See `Allowance`. The first to be refused sets the pause; the others follow it."""
        if named is None:
            usage = self.look().limited(now, None)
            update = "SET blocked_until = :until, pause = :pause"
            condition = "NOT (blocked_until > :now AND blocked_until <= :far)"
            values = {":pause": usage.pause, ":now": now}
        else:
            usage = self._seen.limited(now, named)
            update = "SET blocked_until = :until"
            condition, values = "NOT (blocked_until >= :until AND blocked_until <= :far)", {}
        values |= {":until": usage.blocked_until, ":far": now + FARTHEST_SECONDS}
        self._update(update, condition, values)
        return self._seen

    def _update(self, update: str, condition: str, values: dict[str, float]) -> bool:
        """Change the item if the condition holds; either way remember what it holds then."""
        with writing("write GitHub's allowance") as write:
            write.item = self._client.update_item(
                TableName=self._table,
                Key=self._key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={n: {"N": f"{value:.3f}"} for n, value in values.items()},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ).get("Attributes", {})
        self._seen = _usage(write.item)
        return write.is_done


def _usage(item: Item) -> Usage:
    """Read the item; a value that is not a number counts as absent."""
    found = {name: item.get(name, {}).get("N") for name in ATTRIBUTES}
    return Usage(**{name: float(number) for name, number in found.items() if number is not None})
