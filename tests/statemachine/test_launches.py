"""A session's task: what is launched again, on which capacity, and what never is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pullwright_engine.ecs.shapes import QUOTA_REACHED
from tests.statemachine.kit import (
    GOOD,
    GOOD_PATH,
    LOCK,
    OPEN,
    TASK,
    answers,
    failed,
    is_closed,
    not_placed,
    not_started,
    reclaimed,
    returns,
    throws,
)

if TYPE_CHECKING:
    from tests.statemachine.kit import Machine


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
    assert is_closed(machine, finished, "NoCapacity")


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
    assert is_closed(machine, finished, "TaskNotStarted")


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
    assert is_closed(machine, finished, "TaskNotStarted")


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
    assert is_closed(machine, finished, "TaskNotStarted")


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
    assert is_closed(machine, finished, "SpotInterrupted")


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
    assert is_closed(machine, finished, "AgentFailed")
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
    assert is_closed(machine, finished, "TimeLimit")
