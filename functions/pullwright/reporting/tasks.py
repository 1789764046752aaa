"""Stops the tasks of a session, whatever the state machine knows of them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pullwright.aws import calling, code_of
from pullwright.claims import is_in_cluster, started_for
from pullwright.errors import AwsUnavailable
from pullwright.executions import session_of_execution
from pullwright.log import logger
from pullwright.reporting.event import TaskEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_stepfunctions import SFNClient

# The stopTimeout of 120 seconds, in which the runner saves its work, and some more for ECS.
_ENDS_WITHIN = timedelta(seconds=180)
_POLL_SECONDS = 2.0
_LAST_EVENTS = 200
_STOPPED = "STOPPED"
_FORGOTTEN = "ExecutionDoesNotExist"


class Tasks:
    """The tasks of one cluster.

    Args:
        cluster: ARN of the cluster.
    """

    def __init__(
        self,
        ecs: ECSClient,
        states: SFNClient,
        cluster: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ecs = ecs
        self._states = states
        self._cluster = cluster
        self._sleep = sleep

    def stop(self, execution_arn: str, claimed: str | None, *, seconds: float) -> TaskEnd | None:
        """Stop the tasks of a session's execution and wait for their end.

        Args:
            claimed: ARN with which a task claimed the session, if one did. It may name any task: one that
                was not started for this session is left alone.
            seconds: how long to wait for the end at most.

        Returns:
            How the claimed task ended, or the last one that was launched; None if there was none.

        Raises:
            AwsUnavailable: AWS did not answer, or the task needs longer to end.
        """
        arns, tasks = self._of(execution_arn, claimed)
        if not arns:
            return None
        for task in _running(tasks):
            self._stop(task, "The session is over.")
        waited = 0.0
        if _running(tasks) and seconds <= 0:
            tasks = self._describe(arns)
        while _running(tasks) and waited < seconds:
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
            tasks = self._describe(arns)
        for task in _running(tasks):
            if _may_still_end(task):
                # Its result is still to come: the state machine asks again.
                raise AwsUnavailable("The session's task has not ended yet.")
            logger.error("a task was told to stop and still runs", task_arn=task["taskArn"])
        tasks.sort(key=lambda task: arns.index(task["taskArn"]))
        return TaskEnd.of(tasks[0]) if tasks else None

    def silence(self, execution_arn: str, claimed: str | None, reason: str) -> bool:
        """Stop the tasks of a session's execution without waiting.

        Args:
            claimed: as for `stop`.
            reason: shown as the task's `stoppedReason`.

        Returns:
            False if they had ended, or were told to end, before.

        Raises:
            AwsUnavailable: AWS did not answer.
        """
        _, tasks = self._of(execution_arn, claimed)
        running = [task for task in _running(tasks) if task.get("desiredStatus") != _STOPPED]
        for task in running:
            self._stop(task, reason)
        return bool(running)

    def newest(self, execution_arn: str) -> Mapping[str, Any] | None:
        """Return the task that an execution launched last, as ECS describes it.

        Returns:
            None if there is none yet, or ECS does not know it, or it has stopped.

        Raises:
            AwsUnavailable: AWS did not answer.
        """
        launched = self._launched(execution_arn)[:1]
        return next(iter(_running(self._describe(launched))), None)

    def has_stopped(self, execution_arn: str) -> bool:
        """Return whether the task that an execution launched last has stopped, as far as ECS still knows it.

        Raises:
            AwsUnavailable: AWS did not answer.
        """
        return any(
            task["lastStatus"] == _STOPPED for task in self._describe(self._launched(execution_arn)[:1])
        )

    def _of(self, execution_arn: str, claimed: str | None) -> tuple[list[str], list[dict[str, Any]]]:
        """Return the session's tasks: their ARNs, the claimed one first, and what ECS still knows of them."""
        launched = list(dict.fromkeys(self._launched(execution_arn)))
        if claimed in launched:
            launched.sort(key=lambda arn: arn != claimed)
            return launched, self._describe(launched)
        session_id = session_of_execution(execution_arn)
        mine = [
            task
            for task in self._describe([claimed] if claimed and is_in_cluster(claimed, self._cluster) else [])
            if task["taskArn"] == claimed and started_for(task) == session_id
        ]
        return [task["taskArn"] for task in mine] + launched, mine + self._describe(launched)

    def _stop(self, task: Mapping[str, Any], reason: str) -> None:
        with calling("stop the session's task"):
            self._ecs.stop_task(cluster=self._cluster, task=task["taskArn"], reason=reason)

    def _launched(self, execution_arn: str) -> list[str]:
        """Return the tasks that the execution launched, newest first, also those without a claim."""
        with calling("read the execution's history"):
            try:
                events = self._states.get_execution_history(
                    executionArn=execution_arn, reverseOrder=True, maxResults=_LAST_EVENTS
                )["events"]
            except ClientError as error:
                # AWS forgets an execution after 90 days, and its tasks long before.
                if code_of(error) != _FORGOTTEN:
                    raise
                return []
        arns = []
        for event in events:
            submitted = event.get("taskSubmittedEventDetails", {})
            if submitted.get("resourceType") == "ecs":
                arns.extend(_arns_in(submitted.get("output", "")))
        return arns

    def _describe(self, arns: list[str]) -> list[dict[str, Any]]:
        if not arns:
            return []
        with calling("describe the session's tasks"):
            answer = self._ecs.describe_tasks(cluster=self._cluster, tasks=arns)
        return [dict(task) for task in answer["tasks"]]


def _running(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [task for task in tasks if task.get("lastStatus") != _STOPPED]


def _may_still_end(task: Mapping[str, Any]) -> bool:
    stopping = task.get("stoppingAt")
    if stopping is None and task.get("desiredStatus") == _STOPPED:
        # It was told a moment ago, and ECS has not got round to it.
        return True
    return isinstance(stopping, datetime) and datetime.now(UTC) - stopping < _ENDS_WITHIN


def _arns_in(output: str) -> list[str]:
    try:
        return [str(task["TaskArn"]) for task in json.loads(output)["Tasks"]]
    except (ValueError, LookupError, TypeError):
        return []
