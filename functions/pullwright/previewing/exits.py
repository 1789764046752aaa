"""The exit codes of a preview's task: the runner ends with them, and the verdict says them in words.

`docs/contracts.md` lists them. A code is all that ECS is told, so each way to end that people can do
something about has one of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright import errors
from pullwright.errors import PullwrightError

if TYPE_CHECKING:
    from collections.abc import Mapping

KILLED = 137
EXITS: Mapping[int, PullwrightError] = {
    0: errors.TaskStopped(
        "The preview's task was told to stop, and not by this deployment.",
        remedy="Push again, or add the label again.",
    ),
    1: errors.InternalError("The program that runs the preview failed."),
    2: errors.InternalError("The environment of the preview's task is incomplete."),
    3: errors.AwsUnavailable("The preview's task could not reach AWS, the broker or GitHub."),
    4: errors.SessionClosed("The preview was over when its task began."),
    21: errors.PreviewBuildFailed("The build command failed."),
    22: errors.PreviewServerEnded("The server ended by itself."),
    23: errors.PreviewCommitGone("GitHub does not have the commit any more."),
    24: errors.GitHubUnavailable("GitHub did not give the commit, however often it was asked."),
    25: errors.PreviewBuildTooLong("The build took longer than build and start may take."),
    26: errors.PreviewSecretInvalid("The secret with the variables of previews cannot be read."),
    27: errors.HistoryRefused("Git refuses the commit's files as dangerous."),
    KILLED: errors.TaskLost(
        "The preview's task was killed (exit code 137).",
        remedy="Push again; if it happens again, ask the operator to raise PreviewMemory.",
    ),
    143: errors.TaskStopped(
        "The preview's task was stopped while it began.", remedy="Push again, or add the label again."
    ),
}
"""How a task with that exit code ended, where ECS knows nothing better."""


def exit_code_of(error: PullwrightError) -> int:
    """Return the exit code with which the runner ends a preview's task after an error."""
    if error.exit_code != PullwrightError.exit_code:
        return error.exit_code
    return next((code for code, known in EXITS.items() if type(known) is type(error)), error.exit_code)
