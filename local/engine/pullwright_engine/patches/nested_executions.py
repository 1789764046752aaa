"""Not a defect: Step Functions does not ask again and again whether a nested execution has ended.

Twenty sessions of an evaluation kept a third of a processor busy with that. Both executions run in this
process, so the answer is looked up, and asked for once it has come. AWS hears of it by an event, by the rule
that https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html names.
"""

import time
from typing import Any

from localstack.aws.api.stepfunctions import ExecutionStatus
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
    state_task_service_sfn,
)
from localstack.services.stepfunctions.backend.store import sfn_stores

LOOK_SECONDS = 0.2


def _is_running(arn: str) -> bool:
    """Return whether an execution of this engine runs."""
    _, _, _, region, account, *_ = arn.split(":")
    execution = sfn_stores[account][region].executions.get(arn)
    return execution is not None and execution.exec_status in {None, ExecutionStatus.RUNNING}


def apply() -> None:
    """Let the first question wait for the end."""
    state_class = state_task_service_sfn.StateTaskServiceSfn
    original = state_class._build_sync2_resolver

    def build_sync2_resolver(self: Any, env: Any, *arguments: Any, **named: Any) -> Any:
        arn = env.stack[-1]["ExecutionArn"]
        ask = original(self, env, *arguments, **named)

        def resolve() -> Any:
            while env.is_running() and _is_running(arn):
                time.sleep(LOOK_SECONDS)
            return ask()

        return resolve

    state_class._build_sync2_resolver = build_sync2_resolver
