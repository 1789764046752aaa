"""Defects: conditions of resources were looked at too late, or not at all, when a stack is updated.

An update failed over what a resource refers to where the condition does not hold, or held only before, or
only afterwards, and over the other branch of a Fn::If; and a resource whose condition no longer holds stayed.
CloudFormation ignores such a resource with all that it names, and an update removes it:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
"""

from typing import Any, NamedTuple

from localstack.services.cloudformation.engine.v2.change_set_model import (
    NodeCondition,
    NodeMapping,
    NodeParameter,
    Nothing,
    is_nothing,
)
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
    ChangeSetModelPreproc,
    PreprocEntityDelta,
)
from localstack.services.cloudformation.engine.v2.change_set_model_transform import ChangeSetModelTransform
from localstack.services.cloudformation.engine.v2.change_set_model_validator import ChangeSetModelValidator


class _Sides(NamedTuple):
    """Which sides of an update a resource or an output belongs to."""

    before: bool
    after: bool


_BOTH = _Sides(before=True, after=True)
_OF_AN_IF = 3


def _sides(self: Any, node: Any) -> _Sides:
    reference = node.condition_reference
    if is_nothing(reference):
        return _BOTH
    held = self._resolve_resource_condition_reference(reference)
    # What is new has no condition before, and what is gone none afterwards.
    return _Sides(held.before is not False, held.after is not False)


def _cut(delta: Any, sides: _Sides) -> Any:
    """Return a value without the sides that do not count."""
    if sides == _BOTH or not isinstance(delta, PreprocEntityDelta):
        return delta
    return PreprocEntityDelta(
        before=delta.before if sides.before else Nothing, after=delta.after if sides.after else Nothing
    )


class _Within:
    """Has all that is visited meanwhile belong to these sides."""

    def __init__(self, model: Any, sides: _Sides) -> None:
        self._stack = vars(model).setdefault("_sides", [_BOTH])
        self._sides = sides

    def __enter__(self) -> None:
        self._stack.append(self._sides)

    def __exit__(self, *_: object) -> None:
        self._stack.pop()


def _visiting(original: Any) -> Any:
    def visit(self: Any, change_set_entity: Any) -> Any:
        # These are others' too, and what they are is remembered.
        if isinstance(change_set_entity, NodeCondition | NodeMapping | NodeParameter):
            with _Within(self, _BOTH):
                delta = original(self, change_set_entity)
        else:
            delta = original(self, change_set_entity)
        return _cut(delta, vars(self).get("_sides", [_BOTH])[-1])

    return visit


def _conditional(original: Any) -> Any:
    def visit(self: Any, *nodes: Any, **named: Any) -> Any:
        [node] = (*nodes, *named.values())
        with _Within(self, _BOTH):
            sides = _sides(self, node)
        if not any(sides):
            return PreprocEntityDelta(before=Nothing, after=Nothing)
        with _Within(self, sides):
            delta = original(self, node)
        return _cut(delta, sides)

    return visit


def _branching(original: Any) -> Any:
    def visit(self: Any, node_intrinsic_function: Any) -> Any:
        branches = node_intrinsic_function.arguments.array
        if len(branches) != _OF_AN_IF:
            return original(self, node_intrinsic_function)
        name = self.visit(branches[0])
        if is_nothing(name.before) or is_nothing(name.after):
            return original(self, node_intrinsic_function)
        held = [self.visit(self._get_node_condition_if_exists(it)) for it in (name.before, name.after)]
        if bool(held[0].before) == bool(held[1].after):
            return original(self, node_intrinsic_function)
        with _Within(self, _Sides(before=True, after=False)):
            before = self.visit(branches[1 if held[0].before else 2]).before
        with _Within(self, _Sides(before=False, after=True)):
            after = self.visit(branches[1 if held[1].after else 2]).after
        return PreprocEntityDelta(before=before, after=after)

    return visit


def _visit_resources(self: Any, node_resources: Any) -> None:
    """Visit what belongs to one of the sides: an update has to remove what belongs to the first alone."""
    for resource in node_resources.resources:
        if any(_sides(self, resource)):
            self.visit(resource)


def apply() -> None:
    """Look at each resource and output on the sides alone to which it belongs."""
    model = ChangeSetModelPreproc
    model.visit = _visiting(model.visit)
    # Two of its kinds look at a resource's properties once more, by themselves.
    for kind in (model, ChangeSetModelTransform, ChangeSetModelValidator):
        kind.visit_node_resource = _conditional(kind.visit_node_resource)
    model.visit_node_intrinsic_function_fn_if = _branching(model.visit_node_intrinsic_function_fn_if)
    model.visit_node_output = _conditional(model.visit_node_output)
    model.visit_node_resources = _visit_resources
