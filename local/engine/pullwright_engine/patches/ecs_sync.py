"""`ecs:runTask.sync` in Step Functions: what LocalStack leaves out.

Defects: the exit code was ignored (a task that failed was a success); a task that could not be started was
a success too; failures of RunTask broke the state with an IndexError; an execution that was stopped, or a
state that timed out, left its task running; and one answer that ECS did not give in time ended the session,
where AWS asks again. LocalStack asked ECS about each task twice a second: twenty tasks kept a processor busy,
and every other call waited for it. AWS hears of a task's end by an event, by the rule that
https://docs.aws.amazon.com/step-functions/latest/dg/ecs-iam.html names. Here Step Functions asks once, when
the task has ended. A capacity provider strategy was silently dropped; AWS's own CDK writes it
into such states: https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_stepfunctions_tasks.EcsRunTask.html
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.services.stepfunctions.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.failure_event import (
    FailureEventException,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
    state_task_service_ecs,
)
from localstack.services.stepfunctions.asl.utils.boto_client import boto_client_for
from localstack.services.stepfunctions.asl.utils.encoding import to_json_str

from pullwright_engine.patches.unanswered_calls import failure, is_unanswered

LOG = logging.getLogger(__name__)
STOP_REASON = "Stopped by AWS Step Functions"
LOOK_SECONDS = 0.2
"""Between two looks at whether an execution that waits for a task was ended."""
_BUSY, _UNWELL = 429, 500


def failed(task: dict[str, Any]) -> bool:
    """Return whether a stopped task is a failure of the state."""
    return any(container.get("ExitCode", 1) != 0 for container in task["Containers"])


def is_passing(error: BotoCoreError | ClientError) -> bool:
    """Return whether a call may succeed when it is repeated: no answer, a server error or throttling."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status >= _UNWELL or status == _BUSY
    return is_unanswered(error)


class _Watched:
    """The function that Step Functions polls, and how to stop the task that it asks about.

    Args:
        wait: returns when the task or its execution has ended.
    """

    def __init__(
        self,
        wait: Callable[[], None],
        poll: Callable[[], Any],
        fail: Callable[[Any], Exception],
        stop: Callable[[], Any],
    ) -> None:
        self._wait = wait
        self._poll = poll
        self._fail = fail
        self._stop = stop
        self._ended = False

    def __call__(self) -> Any:
        self._wait()
        try:
            task = self._poll()
        except (BotoCoreError, ClientError) as error:
            if not is_passing(error):
                raise
            LOG.warning("ECS does not say how a task is: %s", error)
            return None
        self._ended = task is not None
        if self._ended and failed(task):
            raise self._fail(task)
        return task

    def stop_unless_ended(self) -> None:
        if not self._ended:
            self._stop()


def _wait_for_end(env: Any, submitted: dict[str, Any]) -> None:
    """Wait while both an execution and its task go on; a task of somebody else is not waited for."""
    from pullwright_engine.ecs.provider import find  # noqa: PLC0415 - ECS is loaded when it is first called

    run = find(submitted["ClusterArn"], submitted["TaskArn"])
    while run is not None and env.is_running() and not run.join(LOOK_SECONDS):
        pass


def apply() -> None:
    """Wrap the three steps of the integration."""
    state_class = state_task_service_ecs.StateTaskServiceEcs
    original_service_task = state_class._eval_service_task
    original_resolver = state_class._build_sync_resolver
    original_sync = state_class._eval_sync

    def eval_service_task(
        self: Any,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> None:
        if self._get_boto_service_action() != "run_task":
            original_service_task(self, env, resource_runtime_part, normalised_parameters, state_credentials)
            return
        client = boto_client_for(
            service="ecs", region=resource_runtime_part.region, state_credentials=state_credentials
        )
        answer = client.run_task(**normalised_parameters)
        if answer.get("failures"):
            self._normalise_response(response=answer, service_action_name="run_task")
            cause = json.dumps(
                {"Failures": answer["Failures"], "Tasks": answer.get("Tasks", [])}, default=str
            )
            raise FailureEventException(failure(self, env, CustomErrorName("AmazonECS.Unknown"), cause))
        answer.pop("ResponseMetadata", None)
        self._normalise_response(response=answer, service_action_name="run_task")
        env.stack.append(answer)

    def build_sync_resolver(
        self: Any,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> _Watched:
        submitted = env.stack[-1]["Tasks"][0]
        poll = original_resolver(self, env, resource_runtime_part, normalised_parameters, state_credentials)
        client = boto_client_for(
            service="ecs", region=resource_runtime_part.region, state_credentials=state_credentials
        )

        name = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
        return _Watched(
            lambda: _wait_for_end(env, submitted),
            poll,
            lambda task: FailureEventException(failure(self, env, name, to_json_str(task))),
            lambda: client.stop_task(
                cluster=submitted["ClusterArn"], task=submitted["TaskArn"], reason=STOP_REASON
            ),
        )

    def eval_sync(self: Any, env: Any, sync_resolver: Any, **arguments: Any) -> Any:
        try:
            return original_sync(self, env=env, sync_resolver=sync_resolver, **arguments)
        finally:
            if isinstance(sync_resolver, _Watched):
                sync_resolver.stop_unless_ended()

    state_task_service_ecs._SUPPORTED_API_PARAM_BINDINGS["runtask"].add("CapacityProviderStrategy")
    state_class._eval_service_task = eval_service_task
    state_class._build_sync_resolver = build_sync_resolver
    state_class._eval_sync = eval_sync
