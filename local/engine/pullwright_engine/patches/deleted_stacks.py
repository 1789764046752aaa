"""Defects: a stack had no description, and once it was deleted nobody could tell what it had consisted of.

CloudFormation lists the resources of a deleted stack by the stack's id for 90 days, those that it retained as
DELETE_SKIPPED:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from typing import Any

from localstack.aws.api.cloudformation import ResourceStatus
from localstack.services.cloudformation.v2.entities import Stack
from localstack.services.cloudformation.v2.provider import CloudformationProviderV2

_DELETING = "DELETE_IN_PROGRESS"


def skip(stack: Any, logical_id: str) -> None:
    """Note that the deletion of a stack leaves a resource."""
    vars(stack).setdefault("_skipped", set()).add(logical_id)


def _keeping(original: Any) -> Any:
    def set_resource_status(self: Any, *, logical_resource_id: str, status: Any, **more: Any) -> None:
        known = self.resource_states.get(logical_resource_id)
        original(self, logical_resource_id=logical_resource_id, status=status, **more)
        if known is None or status != ResourceStatus.DELETE_COMPLETE or self.status != _DELETING:
            return
        is_skipped = logical_resource_id in getattr(self, "_skipped", ())
        kept = ResourceStatus.DELETE_SKIPPED if is_skipped else status
        self.resource_states[logical_resource_id] = {**known, "ResourceStatus": kept}

    return set_resource_status


def _describing(original: Any) -> Any:
    def describe(self: Any, stack: Any) -> Any:
        stack.description = (stack.template or {}).get("Description")
        return original(self, stack)

    return describe


def apply() -> None:
    """Keep the resources of deleted stacks, and describe a stack as its template does."""
    Stack.set_resource_status = _keeping(Stack.set_resource_status)
    CloudformationProviderV2._describe_stack = _describing(CloudformationProviderV2._describe_stack)
