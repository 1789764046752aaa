"""Defect: a CloudFormation type that LocalStack does not have was silently created as if it existed.

With its own switch for that off, it asks a catalogue which the free build lacks, and then refuses every
type. Here it asks whether there is a provider; `faked_types` lists what may be missing.
"""

from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_resource_support_checker import (
    ChangeSetResourceSupportChecker,
)
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack.utils.catalog.common import (
    CloudFormationResourcesSupportAtRuntime,
    CloudFormationResourcesSupportInLatest,
)


def apply() -> None:
    """Support exactly the types that have a provider."""

    def status(_self: Any, resource_type: str) -> Any:
        if ResourceProviderExecutor.try_load_resource_provider(resource_type) is not None:
            return CloudFormationResourcesSupportAtRuntime.AVAILABLE
        return CloudFormationResourcesSupportInLatest.NOT_SUPPORTED

    ChangeSetResourceSupportChecker._resource_support_status = status
