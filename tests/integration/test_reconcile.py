"""Whatever dies, one sweep later the pull request says so, the session is closed and nothing runs."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.people import call
from pullwright.executions import execution_arn
from tests.integration.conftest import LABEL, Repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.sessions import Session, Stack

PATIENCE = 60.0


def sweep(stack: Stack, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Invoke the sweep as its schedule does; return what it did."""
    answer = stack.client("lambda").invoke(
        FunctionName=stack.outputs["ReconcileFunctionName"], Payload=json.dumps(event or {})
    )
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def until(found: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for something and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.2)
    pytest.fail(f"{what}: not within {seconds:.0f} s")


def items(stack: Stack) -> list[dict[str, Any]]:
    """Everything in the table."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["SessionsTable"])
    return sorted((item for page in pages for item in page["Items"]), key=lambda item: str(item["pk"]["S"]))


def tasks(session: Session) -> list[dict[str, Any]]:
    """Return the session's task, as ECS describes it."""
    described: list[dict[str, Any]] = session.stack.client("ecs").describe_tasks(
        cluster=session.stack.outputs["EcsClusterArn"], tasks=[session.record().task_arn]
    )["tasks"]
    return described


def runner_pid(session: Session) -> int:
    """Return the process that is the task's container."""
    return int(tasks(session)[0]["containers"][0]["runtimeId"].rpartition("-")[2])


def begin(repository: Repository, *, by_label: bool = False) -> Session:
    """Start a session whose model does not answer for minutes, and wait until its task is at work."""
    title = f"Slow {uuid.uuid4().hex}"
    script = {"match": title, "steps": [{"text": "At last.", "delay": 600}]}
    assert repository.stack.model_url is not None
    call(repository.stack.model_url, "PUT", f"/_standin/scripts/{title[5:]}", script)
    issue = repository.issue(title)
    if by_label:
        repository.person.label(repository.name, issue, LABEL)
        session = repository.stack.wait_for_execution(repository.name, issue, 30)
    else:
        session = repository.stack.start({"repository": repository.name, "issue": issue})
    until(lambda: session.record().task_arn is not None, "a task claims the session")
    return session


def assert_over(session: Session, repository: Repository, error: str, *words: str) -> None:
    """Check that a session failed, that its one comment says why, and that it holds and runs nothing."""
    record = until(lambda: session.record().closed_at and session.record(), "the session is closed")
    assert (record.status, record.error) == ("FAILED", error), record
    [pull] = repository.pulls()
    [comment] = repository.comments(pull["number"])
    assert all(word in comment for word in (*words, "What you can do")), comment
    left = items(session.stack)
    assert session.arn not in [item.get("owner", {}).get("S") for item in left]
    assert not [item for item in left if session.id in item.get("holders", {}).get("SS", [])]
    assert [task["lastStatus"] for task in tasks(session)] == ["STOPPED"]


def _failed_deliveries(stack: Stack) -> list[dict[str, Any]]:
    """Deliveries of labels whose last attempt failed."""
    listed = call(stack.github_url, "GET", "/_standin/deliveries?action=labeled")
    last = {one["guid"]: one for one in sorted(listed, key=lambda one: int(one["id"]))}
    return [one for one in last.values() if one["status"] != "OK"]


def test_a_stopped_execution_is_finished_by_one_sweep(repository: Repository) -> None:
    """After stop-execution the task ends, the comment says why, and a second sweep changes nothing."""
    session = begin(repository)
    pid = runner_pid(session)
    repository.stack.client("stepfunctions").stop_execution(
        executionArn=session.arn, cause="No longer needed."
    )
    sweep(repository.stack)
    assert_over(session, repository, "SessionStopped", "Somebody stopped the session", "No longer needed")
    assert not Path(f"/proc/{pid}").exists()

    before, text = items(repository.stack), repository.comments(repository.pulls()[0]["number"])
    swept = sweep(repository.stack)
    assert (swept["settled"], swept["reported"], swept["slots"], swept["locks"]) == ([], [], [], [])
    assert [item for item in items(repository.stack) if item["pk"]["S"] == f"SESSION#{session.id}"] == [
        item for item in before if item["pk"]["S"] == f"SESSION#{session.id}"
    ]
    assert repository.comments(repository.pulls()[0]["number"]) == text


def test_the_end_of_an_execution_is_an_event(repository: Repository) -> None:
    """Without any sweep the session is closed soon after its execution was stopped."""
    session = begin(repository)
    repository.stack.client("stepfunctions").stop_execution(executionArn=session.arn)
    assert_over(session, repository, "SessionStopped", "Somebody stopped the session")


def test_a_killed_runner_is_explained(repository: Repository) -> None:
    """A runner that gets SIGKILL leaves no result, and still the comment says what happened."""
    session = begin(repository)
    os.kill(runner_pid(session), signal.SIGKILL)
    session.wait(PATIENCE)
    assert_over(session, repository, "TaskLost", "137")
    assert session.id not in sweep(repository.stack)["settled"]


def test_a_silent_task_is_stopped_and_the_machine_reports(repository: Repository) -> None:
    """A session at work is left alone; one whose heartbeat stopped loses its task, and ends by itself."""
    session = begin(repository)
    assert session.id not in sweep(repository.stack)["silenced"]
    os.kill(runner_pid(session), signal.SIGSTOP)
    repository.stack.client("dynamodb").update_item(
        TableName=repository.stack.outputs["SessionsTable"],
        Key={"pk": {"S": f"SESSION#{session.id}"}},
        UpdateExpression="SET heartbeat_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"S": "2025-01-01T00:00:00+00:00"}},
    )
    assert sweep(repository.stack)["silenced"] == [session.id]
    os.kill(runner_pid(session), signal.SIGCONT)
    assert session.wait(PATIENCE) == "FAILED"
    assert_over(session, repository, "TaskLost", "no sign of life")


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 502}])
def test_a_lost_webhook_becomes_one_session(repository: Repository, fault: dict[str, Any]) -> None:
    """A delivery that failed is found by one sweep, and gives one session, however often we sweep."""
    issue = repository.issue()
    faults = [{"method": "WEBHOOK", "path_regex": "issues.labeled", "times": 1, **fault}]
    call(repository.stack.github_url, "PUT", "/_standin/faults", faults)
    repository.person.label(repository.name, issue, LABEL)
    until(lambda: _failed_deliveries(repository.stack), "the delivery fails")
    assert repository.stack.executions(repository.name, issue) == []

    until(lambda: len(sweep(repository.stack)["redelivered"]) == 1, "the sweep asks for it")
    session = repository.stack.wait_for_execution(repository.name, issue, 30)
    assert sweep(repository.stack)["redelivered"] == []
    session.wait(120)
    assert repository.stack.executions(repository.name, issue) == [session.arn]
    assert len(repository.pulls()) == 1


def test_a_label_that_is_removed_ends_its_session(repository: Repository) -> None:
    """The session stops, its comment says who removed the label, and the label may be added again."""
    session = begin(repository, by_label=True)
    issue = session.input["issue"]
    repository.rest("DELETE", f"/issues/{issue}/labels/{LABEL}")
    assert_over(session, repository, "LabelRemoved", f"The label {LABEL} was removed by maintainer.")


def test_leftovers_without_a_session_are_freed(stack: Stack) -> None:
    """A lock and a slot whose execution does not exist are freed, though no record tells of them."""
    table, name = stack.outputs["SessionsTable"], f"gone-{uuid.uuid4().hex}"
    arn = execution_arn(stack.outputs["StateMachineArn"], name)
    key = f"LOCK#tests/gone#{name}"
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(
        TableName=table,
        Item={
            "pk": {"S": key},
            "owner": {"S": arn},
            "session_id": {"S": name},
            "status": {"S": "LOCKED"},
            "heartbeat_at": {"S": "2025-01-01T00:00:00+00:00"},
        },
    )
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "SLOTS"}},
        UpdateExpression="ADD holders :me",
        ExpressionAttributeValues={":me": {"SS": [name]}},
    )
    swept = sweep(stack)
    assert key in swept["locks"]
    assert name in swept["slots"]
    assert not [item for item in items(stack) if item["pk"]["S"] == key]
    assert not [item for item in items(stack) if name in item.get("holders", {}).get("SS", [])]


def test_ten_thousand_closed_sessions_cost_a_sweep_nothing(stack: Stack) -> None:
    """The sweep's queries read open sessions only, however many closed ones there are."""
    before = sweep(stack)["read_units"]
    table, dynamodb = stack.outputs["SessionsTable"], stack.client("dynamodb")
    keys = [{"pk": {"S": f"SESSION#closed-{number}"}} for number in range(10_000)]
    fields = {"status": {"S": "SUCCEEDED"}, "report": {"S": "made"}}
    times = {key: {"S": "2025-01-01T00:00:00+00:00"} for key in ("heartbeat_at", "closed_at", "created_at")}
    for first in range(0, len(keys), 25):
        puts = [{"PutRequest": {"Item": {**key, **fields, **times}}} for key in keys[first : first + 25]]
        dynamodb.batch_write_item(RequestItems={table: puts})
    swept = sweep(stack)
    for first in range(0, len(keys), 25):
        deletes = [{"DeleteRequest": {"Key": key}} for key in keys[first : first + 25]]
        dynamodb.batch_write_item(RequestItems={table: deletes})
    assert swept["open_sessions"] <= 5
    assert swept["read_units"] <= before + 5
