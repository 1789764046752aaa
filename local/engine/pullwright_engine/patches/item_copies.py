"""Defect: the time in which moto answers grows with the square of an item's attributes.

It copies items by the general means of Python, which sets one attribute after the other, and each setting
measures the whole item anew. A query over some hundred sessions so took a second, during which nothing else
in the table moved.
"""

from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict


def _copied_value(value: Any, _memo: dict[int, Any]) -> Any:
    copied = DynamoType(value)
    if isinstance(copied.value, list):
        copied.value = list(copied.value)
    return copied


def _copied_item(item: Any, memo: dict[int, Any]) -> Any:
    attributes = {name: _copied_value(value, memo) for name, value in item.attrs.items()}
    copied = Item(item.hash_key, item.range_key, {})
    copied.attrs = LimitedSizeDict(attributes)
    return copied


def apply() -> None:
    """Replace `__deepcopy__` of items and values."""
    DynamoType.__deepcopy__ = _copied_value
    Item.__deepcopy__ = _copied_item
