"""The runner's exit codes.

They say at a glance, in `describe-tasks`, how a task ended; what happened in words is in `result.json`. An
error's class has its own (`pullwright.errors`; docs/contracts.md lists them).
"""

from pullwright.errors import InternalError, PullwrightError, SessionClosed, TaskStopped, error_class

DONE = 0
"""Work was pushed, or there was nothing to change."""
DEFECT = InternalError.exit_code
"""The runner itself failed."""
SETTINGS = 2
"""The task's environment is incomplete."""
SERVICE = PullwrightError.exit_code
"""AWS, the broker or GitHub did not answer or refused, before or after the agent's work."""
NOT_OURS = SessionClosed.exit_code
STOPPED = TaskStopped.exit_code


def of(error: str | None) -> int:
    """Return the exit code for a failure.

    Args:
        error: class name from `pullwright.errors`, None when nothing failed.
    """
    return DONE if error is None else (error_class(error) or PullwrightError).exit_code
