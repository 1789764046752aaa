"""Defect: a call that got no answer failed its state with `States.Runtime`, which is not to be retried.

On AWS it is `Lambda.SdkClientException`, or the same of another service, and state machines retry it
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html). LocalStack calls its own
services over connections that it keeps, and under load one of them ends while it is used.
"""

import logging
from typing import Any

from botocore import exceptions as botocore
from localstack.aws.api.stepfunctions import HistoryEventType, TaskFailedEventDetails
from localstack.services.stepfunctions.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from localstack.services.stepfunctions.asl.component.state.state_execution import execute_state
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
    state_task_service,
)
from localstack.services.stepfunctions.asl.eval.event.event_detail import EventDetails

LOG = logging.getLogger(__name__)
# How Step Functions spells them in the names of errors.
_SPELT = {"lambda": "Lambda", "ecs": "ECS", "dynamodb": "DynamoDb"}


def is_unanswered(error: Exception) -> bool:
    """Return whether nobody answered a call, so that it may have been carried out or not."""
    return isinstance(error, botocore.HTTPClientError | botocore.ConnectionError)


def failure(state: Any, env: Any, name: Any, cause: str) -> FailureEvent:
    """Return the failure of a state that calls a service."""
    return FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(
            taskFailedEventDetails=TaskFailedEventDetails(
                resourceType=state._get_sfn_resource_type(),
                resource=state._get_sfn_resource(),
                error=name.error_name,
                cause=cause,
            )
        ),
    )


def apply() -> None:
    """Use AWS's names for these failures."""
    original = execute_state.ExecutionState._from_error

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        if not isinstance(self, state_task_service.StateTaskService) or isinstance(ex, FailureEventException):
            return original(self, env, ex)
        LOG.warning("%s failed: %r", self.resource.resource_arn, ex)
        if not is_unanswered(ex):
            return original(self, env, ex)
        service = self.resource.api_name
        name = CustomErrorName(f"{_SPELT.get(service, service)}.SdkClientException")
        return failure(self, env, name, str(ex))

    execute_state.ExecutionState._from_error = from_error
