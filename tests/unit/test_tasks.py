"""No task of a session runs on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from pullwright.errors import AwsUnavailable
from pullwright.reporting.tasks import Tasks
from tests.unit.aws_kit import client

ARN = "arn:aws:states:eu-central-1:123456789012:execution:m:s"
CLAIMED = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/claimed"
UNKNOWN = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/unknown"


class Cluster:
    """A cluster and an execution that answer what a test says."""

    def __init__(self, *submitted: str) -> None:
        self.waits: list[float] = []
        self.ecs: Any = Stubber(client("ecs"))
        self.states: Any = Stubber(client("stepfunctions"))
        events: list[dict[str, Any]] = [
            {"timestamp": datetime.now(UTC), "type": "TaskTimedOut", "id": 9},
            *(
                {
                    "timestamp": datetime.now(UTC),
                    "type": "TaskSubmitted",
                    "id": 8,
                    "taskSubmittedEventDetails": {
                        "resourceType": "ecs",
                        "resource": "runTask.sync",
                        "output": json.dumps({"Tasks": [{"TaskArn": arn}]}),
                    },
                }
                for arn in submitted
            ),
        ]
        self.states.add_response("get_execution_history", {"events": events})

    def describes(self, *tasks: dict[str, Any]) -> None:
        """Return the next description of tasks."""
        self.ecs.add_response("describe_tasks", {"tasks": list(tasks)})

    def stops(self, arn: str) -> None:
        """Tell a task to stop."""
        expected = {"cluster": "cluster", "task": arn, "reason": "The session is over."}
        self.ecs.add_response("stop_task", {}, expected)

    def stop(self, claimed: str | None, seconds: float = 60) -> Any:
        """Run what is tested, and check that every call was made."""
        with self.ecs, self.states:
            tasks = Tasks(self.ecs.client, self.states.client, "cluster", sleep=self.waits.append)
            end = tasks.stop(ARN, claimed, seconds=seconds)
            self.ecs.assert_no_pending_responses()
        return end


def task(arn: str, status: str, **fields: Any) -> dict[str, Any]:
    """Return a task as ECS describes it."""
    return {"taskArn": arn, "lastStatus": status, **fields}


def test_a_running_task_is_stopped_and_waited_for() -> None:
    """The end that is returned is the one after the task has stopped."""
    cluster = Cluster(CLAIMED)
    cluster.describes(task(CLAIMED, "RUNNING"))
    cluster.stops(CLAIMED)
    cluster.describes(task(CLAIMED, "DEPROVISIONING"))
    container = {"name": "runner", "exitCode": 143, "reason": "r"}
    cluster.describes(task(CLAIMED, "STOPPED", stopCode="UserInitiated", containers=[container]))
    end = cluster.stop(CLAIMED)
    assert (end.StopCode, end.ExitCode, end.Reason) == ("UserInitiated", 143, "r")
    assert len(cluster.waits) == 2


def test_a_task_that_never_claimed_is_found() -> None:
    """A task that only the execution's history knows is stopped too; the claimed one decides."""
    cluster = Cluster(UNKNOWN, CLAIMED)
    cluster.describes(task(UNKNOWN, "RUNNING"), task(CLAIMED, "STOPPED"))
    cluster.stops(UNKNOWN)
    cluster.describes(task(UNKNOWN, "STOPPED"), task(CLAIMED, "STOPPED"))
    assert cluster.stop(CLAIMED).TaskArn == CLAIMED


def test_without_a_task_nothing_is_asked() -> None:
    """A session whose task was never launched needs no ECS."""
    assert Cluster().stop(None) is None


def test_a_forgotten_execution_has_no_task() -> None:
    """An execution that AWS does not know any more keeps no session open."""
    cluster = Cluster()
    cluster.states = Stubber(client("stepfunctions"))
    cluster.states.add_client_error("get_execution_history", "ExecutionDoesNotExist")
    assert cluster.stop(None) is None


def test_a_task_that_still_saves_its_work_is_waited_for_again() -> None:
    """When this function's time is up first, the state machine has to ask again."""
    cluster = Cluster(CLAIMED)
    cluster.describes(task(CLAIMED, "RUNNING"))
    cluster.stops(CLAIMED)
    cluster.describes(task(CLAIMED, "DEACTIVATING", stoppingAt=datetime.now(UTC)))
    with pytest.raises(AwsUnavailable, match="not ended"):
        cluster.stop(CLAIMED, seconds=1)


def test_a_task_that_never_ends_does_not_hold_up_the_verdict() -> None:
    """After its grace has passed, the session is reported without it."""
    cluster = Cluster(CLAIMED)
    cluster.describes(task(CLAIMED, "RUNNING"))
    cluster.stops(CLAIMED)
    cluster.describes(task(CLAIMED, "RUNNING", stoppingAt=datetime(2025, 1, 1, tzinfo=UTC)))
    assert cluster.stop(CLAIMED, seconds=1).TaskArn == CLAIMED


def started(session_id: str) -> dict[str, Any]:
    """Return what ECS tells of a task that the state machine started for a session."""
    variables = [{"name": "SESSION_ID", "value": session_id}]
    return {"overrides": {"containerOverrides": [{"name": "runner", "environment": variables}]}}


def test_a_task_that_only_claimed_is_stopped_if_it_is_the_session_s() -> None:
    """RunTask's answer may be lost: then ECS says for which session the claiming task was started."""
    cluster = Cluster()
    cluster.describes(task(CLAIMED, "RUNNING", **started("s")))
    cluster.stops(CLAIMED)
    cluster.describes(task(CLAIMED, "STOPPED", stopCode="UserInitiated"))
    assert cluster.stop(CLAIMED).StopCode == "UserInitiated"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        started("another"),
        {"overrides": {"containerOverrides": [{"name": "runner"}]}},
        {
            "overrides": {
                "containerOverrides": [
                    {"name": "other", "environment": [{"name": "SESSION_ID", "value": "s"}]}
                ]
            }
        },
        {"overrides": {"containerOverrides": started("s")["overrides"]["containerOverrides"] * 2}},
    ],
)
@pytest.mark.parametrize("silently", [True, False])
def test_a_claim_stops_no_task_of_others(fields: dict[str, Any], *, silently: bool) -> None:
    """A session that names somebody else's task as its own has that one neither stopped nor reported."""
    cluster = Cluster()
    cluster.describes(task(CLAIMED, "RUNNING", **fields))
    with cluster.ecs, cluster.states:
        tasks = Tasks(cluster.ecs.client, cluster.states.client, "cluster")
        if silently:
            assert tasks.silence(ARN, CLAIMED, "no heartbeat") is False
        else:
            assert tasks.stop(ARN, CLAIMED, seconds=60) is None
        cluster.ecs.assert_no_pending_responses()


@pytest.mark.parametrize(
    "claimed",
    [
        "arn:aws:ecs:eu-central-1:123456789012:task/elsewhere/claimed",
        "arn:aws:ecs:us-east-1:123456789012:task/cluster/claimed",
        "arn:aws:ecs:eu-central-1:210987654321:task/cluster/claimed",
        "nonsense",
    ],
)
def test_a_claim_outside_of_the_cluster_is_not_asked_about(claimed: str) -> None:
    """ECS would refuse the whole question, and with it what the session really launched."""
    cluster = Cluster(UNKNOWN)
    cluster.describes(task(UNKNOWN, "RUNNING"))
    cluster.ecs.add_response("stop_task", {})
    cluster.describes(task(UNKNOWN, "STOPPED"))
    with cluster.ecs, cluster.states:
        name = "arn:aws:ecs:eu-central-1:123456789012:cluster/cluster"
        tasks = Tasks(cluster.ecs.client, cluster.states.client, name, sleep=cluster.waits.append)
        end = tasks.stop(ARN, claimed, seconds=60)
        cluster.ecs.assert_no_pending_responses()
    assert end is not None
    assert end.TaskArn == UNKNOWN
