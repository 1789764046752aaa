"""moto, without three searches that took a fifth of the time of the tests that use it.

For each attribute of each item that it answers with, it tries all ten types of DynamoDB, under each name that
a member of some object might have; an item's attribute has one type, under its own name. The methods of its
classes, and the parts of an expression that a check is about, it looks up anew for each call.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from moto import mock_aws
from moto.core import responses
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

__all__ = ["mock_aws"]

given_structure = BaseJSONSerializer._serialize_type_structure
given_methods = responses.method_names_from_class
given_nodes = DepthFirstTraverser.nodes_to_be_processed


def _structure(self: Any, serialized: dict[str, Any], value: Any, shape: StructureShape, key: str) -> None:
    members: dict[str, Shape] = shape.members
    is_plain = (
        bool(key)
        and shape.name == "AttributeValue"
        and isinstance(value, dict)
        and value.keys() <= members.keys()
    )
    if not is_plain:
        given_structure(self, serialized, value, shape, key)
        return
    wrapper: dict[str, Any] = {}
    for name, member in value.items():
        self._serialize(wrapper, member, members[name], name)
    self._default_serialize(serialized, wrapper, shape, key)


_NODES: dict[type[Any], tuple[type[Any], ...]] = {}


def _nodes(self: Any) -> tuple[type[Any], ...]:
    if type(self) not in _NODES:
        _NODES[type(self)] = given_nodes(self)
    return _NODES[type(self)]


BaseJSONSerializer._serialize_type_structure = _structure
responses.method_names_from_class = cache(given_methods)
DepthFirstTraverser.nodes_to_be_processed = _nodes
