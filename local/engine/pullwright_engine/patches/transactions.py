"""Defect: a DynamoDB transaction that fails undoes what others wrote meanwhile.

moto copies whole tables before a transaction and puts the copies in their place when it fails, without a
lock: every session that waits for a slot so undoes the records and locks of those that run. Copying also
fails with "dictionary changed size during iteration", and its time grows with the table. Here operations come
one after the other, and a transaction keeps copies of its own items only.
"""

import copy
import threading
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_ONE_AT_A_TIME = threading.RLock()
_OPERATIONS = (
    "put_item",
    "get_item",
    "update_item",
    "delete_item",
    "query",
    "scan",
    "batch_get_item",
    "transact_write_items",
)


def _touched(backend: Any, items: list[dict[str, Any]]) -> list[tuple[Any, Any, Any]]:
    """Tables, keys and copies of the items that a transaction names; nothing for tables with a range key."""
    found = []
    for item in items:
        operation = next(iter(item.values()))
        table = backend.tables.get(operation.get("TableName"))
        if table is None or table.has_range_key:
            continue
        holder = operation.get("Key") or operation.get("Item") or {}
        if table.hash_key_attr in holder:
            key = DynamoType(holder[table.hash_key_attr])
            found.append((table, key, copy.deepcopy(table.items.get(key))))
    return found


def _itself(table: Any, _memo: dict[int, Any]) -> Any:
    return table


def apply() -> None:
    """Serialize operations on the table, and copy only the items of a transaction."""
    original = DynamoDBBackend.transact_write_items

    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
        touched = _touched(self, transact_items)
        if len(touched) < len(transact_items):
            original(self, transact_items)
            return
        Table.__deepcopy__ = _itself
        try:
            original(self, transact_items)
        except Exception:
            for table, key, before in touched:
                if before is None:
                    table.items.pop(key, None)
                else:
                    table.items[key] = before
            raise
        finally:
            del Table.__deepcopy__

    DynamoDBBackend.transact_write_items = transact_write_items
    for name in _OPERATIONS:
        if hasattr(DynamoDBBackend, name):
            setattr(DynamoDBBackend, name, _serial(getattr(DynamoDBBackend, name)))


def _serial(operation: Callable[..., Any]) -> Callable[..., Any]:
    def serial(*arguments: Any, **named: Any) -> Any:
        with _ONE_AT_A_TIME:
            return operation(*arguments, **named)

    return serial
