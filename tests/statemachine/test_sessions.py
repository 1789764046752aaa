"""The life of a session, path by path, on the local engine.

Functions and tasks are mocked, the table is real. The retries of the definition under test come faster and
end sooner than the deployed ones (`kit.hurried`); everything else is the deployed definition.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.statemachine.kit import (
    GOOD,
    GOOD_PATH,
    LOCK,
    OPEN,
    OPENED,
    SUCCEEDED,
    TASK,
    answers,
    failed,
    is_closed,
    throws,
)

if TYPE_CHECKING:
    from tests.statemachine.kit import Machine


def test_a_good_session_is_eight_states_and_two_functions(machine: Machine, session_id: str) -> None:
    """A session that goes well enters eight states and calls two functions and one task."""
    finished = machine.run(session_id, **GOOD)

    assert finished.entered == GOOD_PATH
    assert len(finished.calls("lambda")) == 2
    assert len(finished.calls("ecs")) == 1
    assert finished.status == "SUCCEEDED"
    assert finished.output == {
        "repository": "acme/shop",
        "branch": "claude/7",
        "pull_request": 8,
        "pull_request_url": "https://github.com/acme/shop/pull/8",
        "outcome": "changed",
        "sentence": SUCCEEDED["sentence"],
    }


def test_a_good_session_leaves_a_full_record_and_nothing_taken(machine: Machine, session_id: str) -> None:
    """The record tells the session from start to end; slot and lock are free again."""
    finished = machine.run(session_id, **GOOD)

    record = machine.session(finished)
    assert record["session_id"] == session_id
    assert record["execution_arn"] == finished.arn
    assert record["repository"] == "acme/shop"
    assert json.loads(record["input"]) == {"repository": "acme/shop", "issue": 7}
    assert record["created_at"] <= record["admitted_at"] <= record["closed_at"]
    assert (record["status"], record["outcome"], record["sentence"]) == (
        "SUCCEEDED",
        "changed",
        SUCCEEDED["sentence"],
    )
    assert (record["report_due"], record["ttl"]) == (False, "1900000000")
    assert machine.get(LOCK) is None
    assert "holders" not in (machine.get("SLOTS") or {})


def test_the_session_id_is_all_that_a_task_is_told(machine: Machine, session_id: str) -> None:
    """RunTask gets the family, the network of the stack and one environment variable."""
    finished = machine.run(session_id, **GOOD)

    (call,) = finished.calls("ecs")
    assert call["TaskDefinition"] == "agent"
    assert call["EnableExecuteCommand"] is False
    assert call["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] == ["subnet-1", "subnet-2"]
    assert call["Overrides"]["ContainerOverrides"] == [
        {"Name": "runner", "Environment": [{"Name": "SESSION_ID", "Value": session_id}]}
    ]


def test_a_session_can_run_the_image_of_staging(machine: Machine, session_id: str) -> None:
    """Its request says so; it enters the same states as any other."""
    finished = machine.run(session_id, {"repository": "acme/shop", "issue": 7, "image": "staging"}, **GOOD)

    (call,) = finished.calls("ecs")
    assert call["TaskDefinition"] == "agent-staging"
    assert finished.entered == GOOD_PATH


def test_the_functions_are_told_who_asks(machine: Machine, session_id: str) -> None:
    """OpenPullRequest gets the raw input, ReportOutcome what was opened and how the task ended."""
    finished = machine.run(session_id, **GOOD)

    opening = finished.calls("lambda")[0]["Payload"]
    assert opening.pop("started_at") == machine.session(finished)["created_at"]
    assert opening == {
        "session_id": session_id,
        "execution_arn": finished.arn,
        "input": {"repository": "acme/shop", "issue": 7},
    }
    assert finished.report["opened"] == OPENED
    assert finished.report["error"] is None
    assert finished.report["task"] == {
        "TaskArn": TASK["TaskArn"],
        "StopCode": "EssentialContainerExited",
        "StoppedReason": "Essential container in task exited",
        "ExitCode": 0,
    }


def test_a_request_that_was_taken_along_ends_well_with_nothing_opened(
    machine: Machine, session_id: str
) -> None:
    """It waits, hears that another session has its request, and leaves that one's lock alone."""
    taken = SUCCEEDED | {"outcome": "taken_along", "sentence": "Another one has it.", "lock_key": ""}
    machine.put(LOCK, owner={"S": "the other execution"})
    finished = machine.run(
        session_id,
        OpenPullRequest=[throws("BranchBusy"), throws("TakenAlong")],
        ReportOutcome=[answers(taken)],
    )
    assert finished.entered[-3:] == ["CloseSession", "Outcome", "Succeeded"]
    assert finished.status == "SUCCEEDED"
    assert finished.output == {"outcome": "taken_along", "sentence": "Another one has it."}
    assert machine.session(finished)["outcome"] == "taken_along"
    assert machine.get(LOCK) is not None


@pytest.mark.parametrize(
    "request_",
    [
        {"prompt": "x"},
        [1],
        7,
        {"repository": ""},
        {"repository": "r" * 3000},
        {"repository": {"a": None}},
    ],
)
def test_input_that_makes_no_sense_leaves_a_record(machine: Machine, request_: Any) -> None:
    """Whatever the input is, OpenPullRequest gets it, its refusal ends the session, the record says why."""
    finished = machine.run(
        request=request_,
        OpenPullRequest=[throws("InvalidRequest", "no")],
        ReportOutcome=[answers(failed("InvalidRequest"))],
    )

    assert finished.entered == [
        "RecordSession",
        "OpenPullRequest",
        "ReportOutcome",
        "CloseSession",
        "Outcome",
        "Failed",
    ]
    assert finished.calls("lambda")[0]["Payload"]["input"] == request_
    assert is_closed(machine, finished, "InvalidRequest")
    assert finished.cause == "It failed with InvalidRequest."
    assert finished.report["opened"] is None
    assert finished.report["task"] is None
    assert finished.report["error"]["Error"] == "InvalidRequest"
    record = machine.session(finished)
    assert json.loads(record["input"]) == request_
    assert "repository" not in record


@pytest.mark.parametrize("wait", ["BranchBusy", "EvaluationWaits"])
def test_what_comes_free_is_waited_for(machine: Machine, session_id: str, wait: str) -> None:
    """A follow-up tries until its branch is free, an evaluation's session until the budget has room."""
    finished = machine.run(
        session_id,
        OpenPullRequest=[throws(wait), throws(wait), *OPEN],
        RunAgent=GOOD["RunAgent"],
        ReportOutcome=GOOD["ReportOutcome"],
    )

    assert finished.entered == GOOD_PATH
    assert len(finished.calls("lambda")) == 4


def test_a_trigger_on_a_busy_branch_ends_and_leaves_the_lock(machine: Machine) -> None:
    """AlreadyRunning is not tried again, and the other session's lock stays."""
    owner = machine.lock("implement-7-somebody-else")

    finished = machine.run(
        OpenPullRequest=[throws("AlreadyRunning")], ReportOutcome=[answers(failed("AlreadyRunning"))]
    )

    assert is_closed(machine, finished, "AlreadyRunning")
    keys = [item["pk"]["S"] for item in machine.table.scan(TableName="sessions")["Items"]]
    assert {key for key in keys if key.startswith("SLOTS")} <= {"SLOTS", "SLOTS#acme/shop"}
    assert len(finished.calls("lambda")) == 2
    lock = machine.get(LOCK)
    assert lock is not None
    assert lock["owner"] == owner


def test_a_lock_of_another_execution_is_never_deleted(machine: Machine) -> None:
    """Even a verdict that names somebody else's lock does not free it."""
    machine.lock("implement-7-somebody-else")

    finished = machine.run(**GOOD)

    assert finished.entered == GOOD_PATH
    assert machine.get(LOCK) is not None


def test_a_report_is_tried_again(machine: Machine, session_id: str) -> None:
    """GitHub being away for a moment does not cost the session its report."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=GOOD["RunAgent"],
        ReportOutcome=[throws("GitHubUnavailable"), *GOOD["ReportOutcome"]],
    )

    assert finished.entered == GOOD_PATH


@pytest.mark.parametrize("opened", [True, False])
def test_a_report_that_fails_for_good_stays_due(machine: Machine, session_id: str, opened: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """The session is closed as InternalError, and its record says that a report is due."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN if opened else [throws("IssueClosed")],
        RunAgent=GOOD["RunAgent"],
        ReportOutcome=[throws("AttributeError", "a defect")],
    )

    assert finished.entered[-4:] == ["ReportOutcome", "CloseSession", "Outcome", "Failed"]
    assert is_closed(machine, finished, "InternalError")
    record = machine.session(finished)
    assert (record["report_due"], record["ttl"], record["failure_class"]) == (True, "0", "service")
    assert (machine.get(LOCK) is None) == opened


@pytest.mark.parametrize(("verdict", "status"), [(SUCCEEDED, "SUCCEEDED"), (failed("TurnLimit"), "FAILED")])
def test_a_session_that_cannot_be_closed_still_ends(
    machine: Machine, session_id: str, verdict: dict[str, Any], status: str
) -> None:
    """When the table refuses for good, the execution ends by the verdict and the sweep gets the rest."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=GOOD["RunAgent"],
        ReportOutcome=[answers(verdict)],
        CloseSession=[throws("DynamoDb.InternalServerErrorException")],
    )

    assert finished.status == status
    assert finished.entered[-3:-1] == ["CloseSession", "Outcome"]
    assert machine.session(finished)["status"] == "RUNNING"
