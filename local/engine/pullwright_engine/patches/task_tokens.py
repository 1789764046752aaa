"""Defect: all attempts of a state share one task token.

So the second attempt of `.waitForTaskToken` saw the first one's outcome at once, and the second attempt of
`.sync` ran into `States.Timeout`. Every retry gets a token of its own here, as on AWS.
"""

from typing import Any

from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
    resource,
    state_task_service_callback,
)


def apply() -> None:
    """Issue a new token before each attempt but the first."""
    state_class = state_task_service_callback.StateTaskServiceCallback
    original = state_class._evaluate_with_timeout

    def evaluate_with_timeout(self: Any, env: Any) -> None:
        context = env.states.context_object
        if (
            self._is_integration_pattern()
            and resource.ResourceCondition.WaitForTaskToken in self._supported_integration_patterns
            and context.context_object_data["State"].get("RetryCount")
        ):
            env.callback_pool_manager.add(context.update_task_token())
        original(self, env)

    state_class._evaluate_with_timeout = evaluate_with_timeout
