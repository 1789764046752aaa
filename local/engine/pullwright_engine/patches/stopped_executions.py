"""Defect: an execution that was stopped forgets with what error and cause.

Its history has them; DescribeExecution and the event of its end, which have them on AWS, did not.
"""

from datetime import datetime

from localstack.aws.api.stepfunctions import ExecutionStatus
from localstack.services.stepfunctions.backend import execution


def apply() -> None:
    """Keep what StopExecution says."""
    original = execution.Execution.stop

    def stop(self: execution.Execution, stop_date: datetime, error: str | None, cause: str | None) -> None:
        if self.exec_status in (None, ExecutionStatus.RUNNING):
            self.error, self.cause = error, cause
        original(self, stop_date=stop_date, error=error, cause=cause)

    execution.Execution.stop = stop
