"""Defects: an execution that was stopped forgets with what error and cause, and may end as failed.

Its history has error and cause; DescribeExecution and the event of its end, which have them on AWS, did not.
And one that was stopped, or timed out, between two states failed for being unable to go on.
"""

from datetime import datetime
from typing import Any

from localstack.aws.api.stepfunctions import ExecutionStatus
from localstack.services.stepfunctions.asl.eval import environment
from localstack.services.stepfunctions.asl.eval.program_state import ProgramStopped, ProgramTimedOut
from localstack.services.stepfunctions.backend import execution


def apply() -> None:
    """Keep the error and cause of StopExecution."""
    original = execution.Execution.stop
    original_error = environment.Environment.set_error

    def stop(self: execution.Execution, stop_date: datetime, error: str | None, cause: str | None) -> None:
        if self.exec_status in (None, ExecutionStatus.RUNNING):
            self.error, self.cause = error, cause
        original(self, stop_date=stop_date, error=error, cause=cause)

    def set_error(self: environment.Environment, error: Any) -> None:
        if not isinstance(self.program_state(), (ProgramStopped, ProgramTimedOut)):
            original_error(self, error=error)

    execution.Execution.stop = stop
    environment.Environment.set_error = set_error
