"""Defect: an update failed over what a resource refers to, though the resource's condition does not hold.

CloudFormation ignores such a resource with all that it names:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
"""

from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model import Nothing, is_nothing
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
    ChangeSetModelPreproc,
    PreprocEntityDelta,
)


def apply() -> None:
    """Leave out a resource whose condition held neither before nor afterwards."""
    original = ChangeSetModelPreproc.visit_node_resource

    def visit(self: Any, node_resource: Any) -> Any:
        reference = node_resource.condition_reference
        if not is_nothing(reference):
            held = self._resolve_resource_condition_reference(reference)
            if not any(value is True for value in (held.before, held.after)):
                return PreprocEntityDelta(before=Nothing, after=Nothing)
        return original(self, node_resource)

    ChangeSetModelPreproc.visit_node_resource = visit
