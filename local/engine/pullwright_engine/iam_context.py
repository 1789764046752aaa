"""Condition keys of IAM: for a DynamoDB request on one item, and for a request on a role.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

import re
from collections.abc import Mapping
from typing import Any

_EXPRESSIONS = ("UpdateExpression", "ConditionExpression", "ProjectionExpression")
_LEGACY = ("AttributeUpdates", "Expected", "Item")
_WORD = re.compile(r"[#:]?[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset(
    {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
    | {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"}
    | {"if_not_exists", "list_append"}
)


def item_context(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition keys of a request that names one item by a partition key; empty for any other.

    Returns:
        `dynamodb:LeadingKeys` and `dynamodb:Attributes` as lists; `dynamodb:ReturnValues` if it was given.
    """
    key = request.get("Key") or {
        name: value for name, value in (request.get("Item") or {}).items() if name == "pk"
    }
    if not key:
        return {}
    attributes = set(key) | set(request.get("AttributesToGet") or ())
    for legacy in _LEGACY:
        attributes |= set(request.get(legacy) or ())
    names = request.get("ExpressionAttributeNames") or {}
    for expression in _EXPRESSIONS:
        words = set(_WORD.findall(request.get(expression) or "")) - _KEYWORDS
        attributes |= {names.get(word, word) for word in words if not word.startswith(":")}
    leading = next(iter(key.values()))
    found: dict[str, Any] = {
        "dynamodb:LeadingKeys": [next(iter(leading.values()))],
        "dynamodb:Attributes": sorted(attributes),
    }
    if "ReturnValues" in request:
        found["dynamodb:ReturnValues"] = request["ReturnValues"]
    return found


def role_context(request: Mapping[str, Any], account: str) -> dict[str, Any]:
    """Return the condition key of a request on a role: the boundary that it names, else the role's own.

    Returns:
        An empty list as the value where there is no boundary; nothing where there is no such role.
    """
    if "RoleName" not in request:
        return {}
    if "PermissionsBoundary" in request:
        return {"iam:PermissionsBoundary": request["PermissionsBoundary"]}
    # Imported here, as moto's models take a second to import.
    from moto.iam.models import iam_backends  # noqa: PLC0415

    for role in iam_backends[account]["aws"].roles.values():
        if role.name == request["RoleName"]:
            return {"iam:PermissionsBoundary": role.permissions_boundary_arn or []}
    return {}
