"""Defect: CloudFormation looks once a second whether a resource is ready, though most are at once.

A deployment of fifty resources waits for most of its time. Here it looks ten times a second.
"""

from typing import Any

from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

POLL_SECONDS = 0.1


def apply() -> None:
    """Shorten the wait; how long a resource may take in all stays as it is."""
    original = ResourceProviderExecutor.deploy_loop

    def deploy_loop(self: Any, *arguments: Any, **named: Any) -> Any:
        return original(self, *arguments, **{"sleep_time": POLL_SECONDS, **named})

    ResourceProviderExecutor.deploy_loop = deploy_loop
