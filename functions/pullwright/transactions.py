"""Writes to several items of the sessions table: all of them or none, again if another one was in the way."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pullwright.aws import calling
from pullwright.errors import AwsUnavailable
from pullwright.table import read_item, refused_items

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Sessions that begin or end at once get into each other's way, which DynamoDB leaves to its callers:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_TRIES = 10
_LONGEST_PAUSE = 1.0
# All of them are words that DynamoDB reserves.
_NAMES = {"#status": "status", "#ttl": "ttl"}


class Transactions:
    """Updates of the sessions table that belong together.

    Args:
        sleep: waits so many seconds.
    """

    def __init__(
        self, client: DynamoDBClient, table: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep

    def read(self, key: str) -> dict[str, Any]:
        """Return one item without DynamoDB's types; empty if there is none.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        return read_item(self._client, self._table, key)

    def update(
        self, key: str, expression: str, condition: str | None, values: Mapping[str, Any]
    ) -> TransactWriteItemTypeDef:
        """Return the update of one item.

        Args:
            values: with DynamoDB's types; those that neither expression names are left out.
        """
        # DynamoDB refuses a value or name that is given and not used.
        text = f"{expression} {condition}"
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {name: value for name, value in values.items() if name in text},
        }
        if condition is not None:
            update["ConditionExpression"] = condition
        if names := {name: real for name, real in _NAMES.items() if name in text}:
            update["ExpressionAttributeNames"] = names
        return {"Update": update}  # type: ignore[typeddict-item] # built key by key

    def write(self, what: str, *items: TransactWriteItemTypeDef) -> list[int]:
        """Write all or nothing; return the positions of the items whose conditions did not hold.

        Args:
            what: as for `calling`.

        Raises:
            AwsUnavailable: the table did not take it.
        """
        with calling(what):
            for _ in range(_TRIES):
                try:
                    self._client.transact_write_items(TransactItems=items)
                except ClientError as error:
                    if refused := refused_items(error):
                        return refused
                else:
                    return []
                self._sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - spreads callers out, guards nothing
        raise AwsUnavailable(f"AWS could not {what}: too many sessions began or ended at once.")
