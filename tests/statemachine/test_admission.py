"""A session waits for a slot, is admitted, or is told that there was none."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.statemachine.kit import (
    GOOD,
    GOOD_PATH,
    LOCK,
    MAX_SESSIONS,
    OPEN,
    OPENED,
    answers,
    failed,
    is_closed,
    throws,
)

if TYPE_CHECKING:
    from tests.statemachine.kit import Machine


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
    assert is_closed(machine, finished, "NoCapacity")
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
    assert is_closed(machine, finished, "AwsUnavailable")


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
