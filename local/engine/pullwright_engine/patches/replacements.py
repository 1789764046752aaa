"""Defects: resources were replaced without need, and deleted although their template retains them.

A reference to a resource that is updated counted as a change even where its value stays, so that an alias was
made a second time beside itself; `DeletionPolicy` and `UpdateReplacePolicy` were ignored.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
"""

from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProviderExecutor,
)

from pullwright_engine.patches.deleted_stacks import skip


class _Keeping:
    """An executor of providers that deletes nothing."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def deploy_loop(self, *_: Any, **__: Any) -> ProgressEvent:
        """Leave the resource as it is."""
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model={})


def _policy(executor: Any, logical_id: str, attribute: str) -> str:
    template = executor._change_set.update_model.node_template
    for resource in template.resources.resources:
        if resource.name == logical_id:
            terminal = getattr(resource, attribute)
            return str(getattr(terminal, "modified_value", getattr(terminal, "value", "")))
    return ""


def _is_replaced(before: Any, after: Any) -> bool:
    """Return whether one of the properties that a resource is made with has another value than before."""
    provider = ResourceProviderExecutor.try_load_resource_provider(after.resource_type)
    names = [path.rpartition("/")[2] for path in provider.SCHEMA.get("createOnlyProperties", [])]
    was, will = before.properties.properties, after.properties.properties
    return any(was.get(name) != will.get(name) for name in names)


def _change(original: Any) -> Any:
    def execute(self: Any, name: str, before: Any, after: Any) -> Any:
        if getattr(before, "properties", None) and getattr(after, "requires_replacement", False):
            after.requires_replacement = _is_replaced(before, after)
        return original(self, name, before, after)

    return execute


def _action(original: Any) -> Any:
    def execute(
        self: Any,
        action: Any,
        logical_resource_id: str,
        *args: Any,
        part_of_replacement: bool = False,
        **kw: Any,
    ) -> Any:
        attribute = "update_replace_policy" if part_of_replacement else "deletion_policy"
        kept = {"Retain"}
        if str(self._change_set.change_set_type) != "CREATE":
            kept.add("RetainExceptOnCreate")
        retained = action.value == "Remove" and _policy(self, logical_resource_id, attribute) in kept
        usual = self.resource_provider_executor
        if retained:
            skip(self._change_set.stack, logical_resource_id)
            self.resource_provider_executor = _Keeping(usual)
        try:
            return original(
                self, action, logical_resource_id, *args, part_of_replacement=part_of_replacement, **kw
            )
        finally:
            self.resource_provider_executor = usual

    return execute


def apply() -> None:
    """Compare values, and ask the template before a resource is deleted."""
    executor = ChangeSetModelExecutor
    executor._execute_resource_change = _change(executor._execute_resource_change)
    executor._execute_resource_action = _action(executor._execute_resource_action)
