"""No task of a preview runs on, not even one that its execution does not know."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from pullwright.errors import AwsUnavailable
from pullwright.previewing.tasks import PreviewTasks
from tests.unit.aws_kit import client
from tests.unit.preview_kit import execution

LOST, OTHERS = (f"arn:aws:ecs:eu-central-1:123456789012:task/cluster/{name}" for name in ("lost", "others"))


def _task(arn: str, preview_id: str, status: str = "RUNNING") -> dict[str, Any]:
    override = {"name": "preview", "environment": [{"name": "PREVIEW_ID", "value": preview_id}]}
    return {"taskArn": arn, "lastStatus": status, "overrides": {"containerOverrides": [override]}}


def _stop(ecs: Any) -> Any:
    states: Any = Stubber(client("stepfunctions"))
    states.add_response("get_execution_history", {"events": []})
    with ecs, states:
        tasks = PreviewTasks(ecs.client, states.client, "cluster", families=("preview", "preview-staging"))
        end = tasks.stop(execution("p-1"), None, seconds=0)
        ecs.assert_no_pending_responses()
    return end


def test_a_task_whose_start_was_not_answered_is_stopped() -> None:
    """It is found by the preview that it was started for, in either family; no other is touched."""
    ecs: Any = Stubber(client("ecs"))
    for family, tasks in (("preview", [_task(OTHERS, "p-2"), _task(LOST, "p-1")]), ("preview-staging", [])):
        wanted = {"cluster": "cluster", "family": family, "desiredStatus": "RUNNING"}
        ecs.add_response("list_tasks", {"taskArns": [task["taskArn"] for task in tasks]}, wanted)
    ecs.add_response("describe_tasks", {"tasks": [_task(OTHERS, "p-2"), _task(LOST, "p-1")]})
    ecs.add_response(
        "describe_tasks", {"tasks": [_task(LOST, "p-1")]}, {"cluster": "cluster", "tasks": [LOST]}
    )
    stopped = {"cluster": "cluster", "task": LOST, "reason": "The session is over."}
    ecs.add_response("stop_task", {}, stopped)
    ecs.add_response("describe_tasks", {"tasks": [_task(LOST, "p-1", "STOPPED")]})
    assert _stop(ecs).TaskArn == LOST


def test_tasks_that_cannot_be_listed_are_asked_for_again() -> None:
    """Else one of them might run on."""
    ecs: Any = Stubber(client("ecs"))
    ecs.add_client_error("list_tasks", "ServerException")
    with pytest.raises(AwsUnavailable):
        _stop(ecs)
