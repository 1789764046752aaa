"""The life of a session, path by path, on the local engine.

Functions and tasks are mocked, the table is real. The retries of the definition under test come faster and
end sooner than the deployed ones (`kit.hurried`); everything else is the deployed definition.
"""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright_engine.ecs.shapes import QUOTA_REACHED
from tests.statemachine.kit import (
    GOOD_PATH,
    MAX_SESSIONS,
    OPENED,
    SUCCEEDED,
    TASK,
    answers,
    failed,
    not_placed,
    not_started,
    reclaimed,
    returns,
    throws,
)

if TYPE_CHECKING:
    from tests.statemachine.kit import Finished, Machine

LOCK = str(OPENED["lock_key"])
OPEN = [answers(OPENED)]
GOOD: dict[str, Any] = {
    "OpenPullRequest": OPEN,
    "RunAgent": [returns(TASK)],
    "ReportOutcome": [answers(SUCCEEDED)],
}


@pytest.fixture
def session_id(machine: Machine) -> str:
    """Name of a session that owns the branch's lock."""
    name = f"implement-7-{uuid.uuid4()}"
    machine.lock(name)
    return name


def _is_closed(machine: Machine, finished: Finished, error: str) -> bool:
    """Return whether the session failed with that error, in every place, and holds nothing any more."""
    record = machine.session(finished)
    return (
        finished.status == "FAILED"
        and finished.error == error
        and (record["status"], record["error"]) == ("FAILED", error)
        and "closed_at" in record
        and finished.session_id not in (machine.get("SLOTS") or {}).get("holders", [])
    )


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
    assert _is_closed(machine, finished, "InvalidRequest")
    assert finished.cause == "It failed with InvalidRequest."
    assert finished.report["opened"] is None
    assert finished.report["task"] is None
    assert finished.report["error"]["Error"] == "InvalidRequest"
    record = machine.session(finished)
    assert json.loads(record["input"]) == request_
    assert "repository" not in record


def test_a_busy_branch_is_waited_for(machine: Machine, session_id: str) -> None:
    """A follow-up that finds its branch busy tries again until it is free."""
    finished = machine.run(
        session_id,
        OpenPullRequest=[throws("BranchBusy"), throws("BranchBusy"), *OPEN],
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

    assert _is_closed(machine, finished, "AlreadyRunning")
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


@pytest.mark.parametrize("whose", ["SLOTS", "SLOTS#acme/shop"])
def test_no_free_slot_in_time_is_no_capacity(machine: Machine, session_id: str, whose: str) -> None:
    """When the stack's or the repository's slots stay taken the session ends without a task or a slot."""
    others = [f"other-{number}" for number in range(MAX_SESSIONS)]
    machine.put(whose, holders={"SS": others})

    finished = machine.run(
        session_id, OpenPullRequest=OPEN, ReportOutcome=[answers(failed("NoCapacity", lock_key=LOCK))]
    )

    assert "RunAgent" not in finished.entered
    assert finished.report["error"]["Error"] == "NoCapacity"
    assert finished.report["opened"] == OPENED
    assert _is_closed(machine, finished, "NoCapacity")
    assert machine.get(LOCK) is None
    slots = machine.get(whose)
    assert slots is not None
    assert sorted(slots["holders"]) == others


def test_paused_slots_let_nobody_in_and_nobody_out(machine: Machine, session_id: str) -> None:
    """While the operator takes no new work a free slot is none; a session that holds one goes on with it."""
    machine.put("SLOTS", paused={"BOOL": True})
    waiting = machine.run(
        session_id, OpenPullRequest=OPEN, ReportOutcome=[answers(failed("NoCapacity", lock_key=LOCK))]
    )
    assert "RunAgent" not in waiting.entered
    assert waiting.report["error"]["Error"] == "NoCapacity"

    machine.put("SLOTS", paused={"BOOL": True}, holders={"SS": [f"{session_id}-2"]})
    assert machine.run(f"{session_id}-2", **GOOD).entered == GOOD_PATH


def test_the_queue_s_end_is_the_admission(machine: Machine, session_id: str) -> None:
    """A session that waited for a slot was admitted when it got one, not when it began to wait for it.

    AWS evaluates a task's arguments anew for each attempt, while the context's EnteredTime stays:
    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    machine.put("SLOTS", holders={"SS": [f"other-{number}" for number in range(MAX_SESSIONS)]})
    arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{session_id}"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(machine.run, session_id, **GOOD)
        while not _was_refused(machine, arn):
            time.sleep(0.05)
        freed_at = datetime.now(UTC)
        machine.put("SLOTS", holders={"SS": ["other-0"]})
        finished = running.result()

    looks = ["WaitForSlot", "LookForSlot", "CheckSlots"]
    waited = len(finished.entered) - len(GOOD_PATH) - 1
    assert finished.entered == [*GOOD_PATH[:3], *looks * (waited // 3), *GOOD_PATH[2:]]
    record = machine.session(finished)
    assert datetime.fromisoformat(record["admitted_at"]) >= freed_at - timedelta(milliseconds=1)
    assert record["created_at"] < record["admitted_at"] <= record["closed_at"]


def test_a_session_that_holds_its_slot_already_finds_room(machine: Machine, session_id: str) -> None:
    """A slot that was taken though the answer was lost, and then met a conflict, is not waited for."""
    others = [f"other-{number}" for number in range(MAX_SESSIONS)]
    machine.put("SLOTS", holders={"SS": [session_id, "other"]})
    machine.put("SLOTS#acme/shop", holders={"SS": others})
    arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{session_id}"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(machine.run, session_id, **GOOD)
        while not _was_refused(machine, arn):
            time.sleep(0.05)
        machine.put("SLOTS#acme/shop", holders={"SS": others[1:]})
        finished = running.result()

    assert finished.status == "SUCCEEDED"
    assert finished.entered[-len(GOOD_PATH) + 2 :] == GOOD_PATH[2:]
    slots = machine.get("SLOTS")
    assert slots is not None
    assert slots["holders"] == ["other"]


def test_looking_in_vain_is_reported(machine: Machine, session_id: str) -> None:
    """A table that cannot be read ends the wait with its error; a moment without it does not."""
    machine.put("SLOTS", holders={"SS": [f"other-{number}" for number in range(MAX_SESSIONS)]})
    failing = throws("DynamoDb.InternalServerErrorException")

    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        LookForSlot=[failing],
        ReportOutcome=[answers(failed("AwsUnavailable", lock_key=LOCK))],
    )

    assert finished.report["error"]["Error"] == "DynamoDb.InternalServerErrorException"
    assert "RunAgent" not in finished.entered
    assert _is_closed(machine, finished, "AwsUnavailable")


def _was_refused(machine: Machine, arn: str) -> bool:
    """Return whether a session has asked for a slot in vain."""
    try:
        events = machine.states.get_execution_history(executionArn=arn, maxResults=1_000)["events"]
    except machine.states.exceptions.ExecutionDoesNotExist:
        return False
    failures = (event.get("taskFailedEventDetails", {}) for event in events)
    return any(one.get("resourceType") == "aws-sdk:dynamodb" for one in failures)


def test_a_slot_that_is_already_ours_is_taken_again(machine: Machine, session_id: str) -> None:
    """Admission repeated after a lost answer succeeds though all slots are taken, one of them by us."""
    machine.put("SLOTS", holders={"SS": [session_id, "other"]})

    finished = machine.run(session_id, **GOOD)

    assert finished.entered == GOOD_PATH
    slots = machine.get("SLOTS")
    assert slots is not None
    assert slots["holders"] == ["other"]


def test_ecs_being_busy_is_tried_again_in_place(machine: Machine, session_id: str) -> None:
    """Throttling and want of capacity at RunTask are retried without a further state."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[throws("ECS.ThrottlingException"), throws("AmazonECS.Unknown"), returns(TASK)],
        ReportOutcome=GOOD["ReportOutcome"],
    )

    assert finished.entered == GOOD_PATH
    assert len(finished.calls("ecs")) == 3


@pytest.mark.parametrize("reason", [QUOTA_REACHED, "Capacity is unavailable at this time.", "RESOURCE:CPU"])
def test_room_for_a_task_is_waited_for_round_after_round(
    machine: Machine, session_id: str, reason: str
) -> None:
    """Each round has all its attempts, and only after the last one ReportOutcome is told what ECS said."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[not_placed(reason)],
        ReportOutcome=[answers(failed("NoCapacity", lock_key=LOCK))],
    )

    launches = [state for state in finished.entered if state in {"RunAgent", "CheckLaunch"}]
    assert launches == ["RunAgent", "CheckLaunch"] * 2
    assert len(finished.calls("ecs")) == 2 * 3
    assert json.loads(finished.report["error"]["Cause"])["Failures"] == [{"Reason": reason}]
    assert _is_closed(machine, finished, "NoCapacity")


@pytest.mark.parametrize(
    "refusal", [not_placed("MISSING"), not_placed("AGENT"), throws("AmazonECS.Unknown", "")]
)
def test_a_launch_that_time_does_not_mend_is_not_waited_for(
    machine: Machine, session_id: str, refusal: dict[str, Any]
) -> None:
    """The name is the same as for a used-up quota, so one round is spent before the reason is looked at."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[refusal],
        ReportOutcome=[answers(failed("TaskNotStarted", lock_key=LOCK))],
    )

    assert finished.entered.count("RunAgent") == 1
    assert _is_closed(machine, finished, "TaskNotStarted")


def test_a_mistake_in_run_task_is_reported_at_once(machine: Machine, session_id: str) -> None:
    """An error of RunTask that no retry can mend is not tried again."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[throws("ECS.ClusterNotFoundException")],
        ReportOutcome=[answers(failed("TaskNotStarted", lock_key=LOCK))],
    )

    assert finished.entered.count("RunAgent") == 1
    assert len(finished.calls("ecs")) == 1
    assert finished.report["error"]["Error"] == "ECS.ClusterNotFoundException"
    assert _is_closed(machine, finished, "TaskNotStarted")


def test_a_task_that_does_not_start_is_relaunched_three_times(machine: Machine, session_id: str) -> None:
    """A launch that fails again and again is given up after the third relaunch and reported."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[not_started()],
        ReportOutcome=[answers(failed("TaskNotStarted", lock_key=LOCK))],
    )

    launches = [state for state in finished.entered if state in {"RunAgent", "CheckLaunch"}]
    assert launches == ["RunAgent", "CheckLaunch"] * 4
    assert finished.report["error"]["Error"] == "States.TaskFailed"
    assert json.loads(finished.report["error"]["Cause"])["StopCode"] == "TaskFailedToStart"
    assert _is_closed(machine, finished, "TaskNotStarted")


def _providers(finished: Any) -> list[str]:
    """Return the capacity that each task was asked for."""
    asked = [call["CapacityProviderStrategy"] for call in finished.calls("ecs")]
    assert all("LaunchType" not in call for call in finished.calls("ecs"))
    return [strategy[0]["CapacityProvider"] for strategy in asked]


@pytest.mark.parametrize("code", ["SpotInterruption", "TerminationNotice"])
def test_ten_reclaims_in_a_row_are_followed_by_another_task(
    machine: Machine, session_id: str, code: str
) -> None:
    """The last is on capacity that stays; that it be taken back all the same is the session's failure.

    AWS's examples have either code: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
    """
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[reclaimed(code)],
        ReportOutcome=[answers(failed("SpotInterrupted", lock_key=LOCK))],
    )

    launches = [state for state in finished.entered if state in {"RunAgent", "CheckLaunch"}]
    assert launches == ["RunAgent", "CheckLaunch"] * 11
    assert _providers(finished) == ["FARGATE_SPOT"] * 10 + ["FARGATE"]
    assert json.loads(finished.report["error"]["Cause"])["StopCode"] == code
    assert _is_closed(machine, finished, "SpotInterrupted")


def test_a_task_without_spare_capacity_gets_other(machine: Machine, session_id: str) -> None:
    """A task that did not start on spare capacity is launched again on capacity that is always there."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[not_started()],
        ReportOutcome=[answers(failed("TaskNotStarted", lock_key=LOCK))],
    )
    assert _providers(finished) == ["FARGATE_SPOT", *["FARGATE"] * 3]


def test_a_task_that_ran_is_never_run_again(machine: Machine, session_id: str) -> None:
    """A task that exits with an error is reported, not repeated."""
    cause = {**TASK, "Containers": [{"Name": "runner", "ExitCode": 7}]}

    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[throws("States.TaskFailed", json.dumps(cause))],
        ReportOutcome=[answers(failed("AgentFailed", lock_key=LOCK))],
    )

    assert finished.entered[2:6] == ["AdmitSession", "RunAgent", "CheckLaunch", "ReportOutcome"]
    assert len(finished.calls("ecs")) == 1
    assert json.loads(finished.report["error"]["Cause"]) == cause
    assert _is_closed(machine, finished, "AgentFailed")
    assert machine.get(LOCK) is None


def test_a_task_that_takes_too_long_is_never_run_again(machine: Machine, session_id: str) -> None:
    """A state timeout may leave the task running, so it is reported and not relaunched."""
    finished = machine.run(
        session_id,
        OpenPullRequest=OPEN,
        RunAgent=[throws("States.Timeout")],
        ReportOutcome=[answers(failed("TimeLimit", lock_key=LOCK))],
    )

    assert finished.entered[2:5] == ["AdmitSession", "RunAgent", "ReportOutcome"]
    assert len(finished.calls("ecs")) == 1
    assert finished.report["error"]["Error"] == "States.Timeout"
    assert _is_closed(machine, finished, "TimeLimit")


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
    assert _is_closed(machine, finished, "InternalError")
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
