"""The tasks of a preview, those of which its execution does not know included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.aws import calling
from pullwright.claims import preview_of
from pullwright.executions import session_of_execution
from pullwright.reporting.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_stepfunctions import SFNClient


class PreviewTasks(Tasks):
    """The tasks of previews in one cluster.

    A RunTask whose answer was lost has started a task that is in no history. Unlike a session's it claims
    nothing, so it is found among those that run by the preview that it was started for.

    Args:
        families: of the previews' task definitions.
    """

    def __init__(self, ecs: ECSClient, states: SFNClient, cluster: str, *, families: Sequence[str]) -> None:
        super().__init__(ecs, states, cluster)
        self._families = families

    def _launched(self, execution_arn: str) -> list[str]:
        known = super()._launched(execution_arn)
        preview_id = session_of_execution(execution_arn)
        lost = [
            str(task["taskArn"])
            for arns in self._running_arns()
            for task in self._describe(arns)
            if preview_of(task) == preview_id and task["taskArn"] not in known
        ]
        return known + lost

    def _running_arns(self) -> list[list[str]]:
        """Return the ARNs of all running previews' tasks, at most a hundred in each list."""
        pages = self._ecs.get_paginator("list_tasks")
        with calling("list the tasks of previews"):
            return [
                page["taskArns"]
                for family in self._families
                for page in pages.paginate(cluster=self._cluster, family=family, desiredStatus="RUNNING")
            ]
