"""A worker with a schedule: a push brings it, EventBridge's rule looks at it, and each time counts once."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.sessions import Session
from pullwright.table import workers_key
from tests.integration.test_conversation import READ, edit, play
from tests.integration.test_reconcile import sweep, until
from tests.integration.test_workers import WORKERS, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.sessions import Stack
    from tests.integration.conftest import Repository

DOWNTIME = timedelta(hours=3)


def schedule(repository: Repository) -> datetime:
    """Push a worker that is due every hour, as if three hours ago; return when it was last due.

    Nothing has looked at it since: what is missed is three times.
    """
    due = (datetime.now(UTC) - timedelta(minutes=10)).replace(second=0, microsecond=0)
    chore = f"on: {{schedule: '{due.minute} * * * *'}}\ninstructions: Look after {repository.name}.\n"
    repository.person.commit(repository.name, "main", {f"{WORKERS}/chore.yaml": chore})
    key = workers_key(repository.name)
    head = until(lambda: _scheduled(repository), "the schedule")
    since = (datetime.now(UTC) - DOWNTIME).isoformat()
    head["schedules"]["L"][0]["M"]["since"]["S"] = since
    repository.stack.client("dynamodb").update_item(
        TableName=repository.stack.outputs["SessionsTable"],
        Key={"pk": {"S": key}},
        UpdateExpression="SET schedules = :schedules",
        ExpressionAttributeValues={":schedules": head["schedules"]},
    )
    return due


def _scheduled(repository: Repository) -> dict[str, Any] | None:
    head: dict[str, Any] = stored(repository).get(workers_key(repository.name), {})
    return head if head.get("status") == {"S": "SCHEDULED"} else None


@contextmanager
def sweeping(stack: Stack) -> Iterator[Callable[[], None]]:
    """Give what has EventBridge invoke the sweep at once, by the targets that the deployed rule has.

    The rule itself does so every five minutes, for which no test waits: a second one, with the same targets,
    listens to an event of ours.
    """
    events, function = stack.client("events"), stack.outputs["ReconcileFunctionName"]
    name, source = f"now-{uuid.uuid4().hex[:8]}", f"tests.{uuid.uuid4().hex[:8]}"
    rules = [rule for rule in events.list_rules()["Rules"] if rule.get("ScheduleExpression")]
    targets = {rule["Name"]: events.list_targets_by_rule(Rule=rule["Name"])["Targets"] for rule in rules}
    [(rule, meant)] = [(it, targets[it["Name"]]) for it in rules if function in str(targets[it["Name"]])]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(5 minutes)", "ENABLED")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=name, Targets=meant)

    def send() -> None:
        entry = {"Source": source, "DetailType": "Scheduled Event", "Detail": "{}"}
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    try:
        yield send
    finally:
        events.remove_targets(Rule=name, Ids=[target["Id"] for target in meant])
        events.delete_rule(Name=name)


def test_a_schedule_fires_by_itself_once_for_what_was_missed(repository: Repository, stack: Stack) -> None:
    """After hours in which nobody looked, two sweeps start one session, for the last time that was due."""
    play(stack, repository, READ, edit("hello", "good day"), {"text": "Done."})
    due = schedule(repository)
    with sweeping(stack) as sweep_now:
        sweep_now()
        [arn] = until(lambda: stack.executions(repository.name), "the session")
        sweep_now()
    session = Session(stack, arn)
    assert session.id.startswith(f"chore-{int(due.timestamp()) // 60}-")
    assert session.input == {"repository": repository.name, "worker": "chore"}
    assert session.wait(120) == "SUCCEEDED", session.record()
    record = session.record()
    assert (record.worker, record.outcome, record.requested_by) == ("chore", "changed", None)
    assert session.id not in sweep(stack)["scheduled"]
    assert stack.executions(repository.name) == [arn]
    [pull] = repository.pulls()
    assert pull["number"] == record.pull_request
