"""Defect: CloudFormation looks once a second whether a resource is ready, though most are at once.

A deployment of fifty resources waits for most of its time. Here it looks ten times a second.

Not a defect: the SAM CLI looks every thirty seconds whether a stack is gone, which takes two or three here.
So the question about a stack that is being deleted is answered when it is gone.
"""

import time
from functools import wraps
from typing import Any

from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack.services.cloudformation.v2.provider import CloudformationProviderV2

POLL_SECONDS = 0.1
DELETE_SECONDS = 25.0
"""How long an answer may take: clients wait for a minute."""


def _described_when_deleted(original: Any) -> Any:
    @wraps(original)
    def describe_stacks(self: Any, context: Any, stack_name: str | None = None, **more: Any) -> Any:
        deadline = time.monotonic() + DELETE_SECONDS
        while True:
            answer = original(self, context, stack_name=stack_name, **more)
            is_going = stack_name and answer["Stacks"][0]["StackStatus"] == "DELETE_IN_PROGRESS"
            if not is_going or time.monotonic() > deadline:
                return answer
            time.sleep(POLL_SECONDS)

    return describe_stacks


def apply() -> None:
    """Shorten the waits; how long a resource may take in all stays as it is."""
    original = ResourceProviderExecutor.deploy_loop

    def deploy_loop(self: Any, *arguments: Any, **named: Any) -> Any:
        return original(self, *arguments, **{"sleep_time": POLL_SECONDS, **named})

    ResourceProviderExecutor.deploy_loop = deploy_loop
    provider = CloudformationProviderV2
    provider.describe_stacks = _described_when_deleted(provider.describe_stacks)
