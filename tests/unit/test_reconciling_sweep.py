"""The sweep over everything: one session's trouble is no other's, and what nobody holds is freed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pullwright.github.transport import Response
from pullwright.reconciling.executions import ExecutionEnd
from pullwright.reconciling.ledger import Ledger
from pullwright.table import lock_key
from tests.unit.pipeline_kit import REPOSITORY, execution
from tests.unit.reconcile_kit import TABLE, SweptDeployment, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

OTHER = "hexa/gadgets"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[SweptDeployment]:
    """Provide a deployment without sessions."""
    with table() as client:
        yield SweptDeployment(tmp_path, client)


def test_one_session_s_trouble_is_not_the_others(deployment: SweptDeployment) -> None:
    """A broken record, an execution that AWS does not describe and a refusing GitHub hold up nobody else."""
    for session_id in ("broken", "mute", "refused", "fine"):
        deployment.begin(session_id)
        deployment.stop(session_id)
    deployment.sessions.update_session("broken", {"artifacts": "s3://bucket", "outcome": "nonsense"})
    deployment.machine.mute.add(execution("mute"))
    comment = deployment.sessions.read_session("refused").comment_id
    deployment.github.before += [("PATCH", f"/comments/{comment}", Response(503, {}))] * 30
    swept = deployment.sweep(minutes=1)
    assert sorted(swept.settled) == ["fine", "refused"]
    assert sorted(swept.left) == ["broken", "mute"]
    assert "Somebody stopped" in deployment.told("fine")
    assert deployment.sessions.read_session("refused").report == "due"
    assert deployment.sessions.read_session("mute").status == "RUNNING"

    deployment.machine.mute.clear()
    assert deployment.sweep(minutes=6).settled == ["mute"]


@pytest.mark.parametrize("by_event", [True, False])
@pytest.mark.parametrize(
    ("status", "cause", "error", "words", "seconds"),
    [
        ("FAILED", "DynamoDB.InternalServerErrorException", "AwsUnavailable", "could not record", 1),
        ("ABORTED", "", "SessionStopped", "Somebody stopped the session", 160),
        ("TIMED_OUT", "", "TimeLimit", "before its pull request was open", 160),
    ],
)
def test_a_session_that_got_no_record_is_told_of(
    deployment: SweptDeployment,
    status: str,
    cause: str,
    error: str,
    words: str,
    seconds: int,
    *,
    by_event: bool,
) -> None:
    """When it ended in its first state, the issue says so once, and the record is made and closed.

    After a failure at once; else when whatever a state had called has surely ended.
    """
    number = deployment.github.issue()
    end = ExecutionEnd(
        status,
        cause,
        stopped_at=deployment.start,
        started_at=deployment.start,
        input=json.dumps({"repository": REPOSITORY, "issue": number}),
    )
    deployment.stop("s-1", end)
    sweeper = deployment.sweeper(timedelta(seconds=seconds))
    swept = sweeper.settle_one(execution("s-1")) if by_event else sweeper.sweep()
    assert swept.settled == ["s-1"]
    [comment] = deployment.github.comments(number)
    assert words in comment["body"]
    record = deployment.sessions.read_session("s-1")
    assert (record.status, record.error, record.report) == ("FAILED", error, "made")
    before = deployment.items()
    assert deployment.sweep(minutes=6).settled == []
    assert deployment.items() == before


def test_an_old_failure_without_a_record_is_left_alone(deployment: SweptDeployment) -> None:
    """Record go when their time is over; what they told is not told again."""
    end = ExecutionEnd("FAILED", "DynamoDB.X", started_at=deployment.start - timedelta(days=40), input="{}")
    deployment.stop("s-1", end)
    assert deployment.sweep().settled == []
    assert deployment.items() == {}


def test_a_task_that_needs_long_holds_up_nobody(deployment: SweptDeployment) -> None:
    """A session whose task has still to end comes round again in the same sweep, after the others."""
    for session_id, stage in (("slow", "claimed"), ("quick", "admitted")):
        deployment.begin(session_id, stage)
        deployment.stop(session_id)
    assert deployment.sweep(minutes=1).settled == ["quick", "slow"]


def test_a_task_without_heartbeat_is_stopped_and_no_more(deployment: SweptDeployment) -> None:
    """While the execution runs its silent task is told to end, once; the rest is the machine's to do."""
    deployment.begin("silent")
    deployment.begin("starting", "admitted")
    deployment.begin("beating")
    beat = (deployment.start + timedelta(minutes=4)).isoformat()
    deployment.sessions.update_session("beating", {"heartbeat_at": beat})
    before = deployment.items()
    deployment.written()
    assert deployment.sweep(minutes=5).silenced == []
    assert deployment.sweep(minutes=5, seconds=1).silenced == ["silent"]
    assert deployment.sweep(minutes=6).silenced == []
    assert [arn.rpartition("/")[2] for arn, told in deployment.cluster.running.items() if told] == ["silent"]
    assert deployment.items() == before
    assert deployment.written() == []


def test_a_session_of_unknown_state_is_not_silenced(deployment: SweptDeployment) -> None:
    """Where AWS does not say whether the execution runs, its task is left alone."""
    deployment.begin()
    deployment.machine.unlisted.add(execution("s-1"))
    deployment.machine.mute.add(execution("s-1"))
    swept = deployment.sweep(minutes=30)
    assert (swept.silenced, swept.settled, swept.left) == ([], [], ["s-1"])


@pytest.mark.parametrize("end", [ExecutionEnd(), ExecutionEnd("SUCCEEDED")])
def test_what_an_ended_execution_holds_is_freed(deployment: SweptDeployment, end: ExecutionEnd) -> None:
    """A lock and slots without an open session go when their execution is over or forgotten."""
    key = lock_key(REPOSITORY, "claude/9")
    deployment.sessions.take_lock(key, owner=execution("gone"), session_id="gone")
    deployment.take_slots("gone")
    deployment.sessions.update_session("gone", {"status": "FAILED", "repository": REPOSITORY})
    deployment.stop("gone", end)
    assert deployment.sweep(minutes=2).locks == [], "a function of the execution may still be about to use it"
    swept = deployment.sweep(minutes=3)
    assert (swept.locks, deployment.held()) == ([key], [])
    assert deployment.sweep(minutes=4).slots == []


def test_what_a_live_or_young_execution_holds_stays(deployment: SweptDeployment) -> None:
    """Locks and slots stay while their execution runs, or has just ended, or its state is not known."""
    ends = {
        "live": None,
        "fresh": ExecutionEnd("ABORTED", stopped_at=deployment.start + timedelta(minutes=9)),
        "mute": ExecutionEnd("ABORTED"),
    }
    for session_id, end in ends.items():
        lock = lock_key(REPOSITORY, session_id)
        deployment.sessions.take_lock(lock, owner=execution(session_id), session_id=session_id)
        deployment.take_slots(session_id)
        deployment.machine.ends[execution(session_id)] = end
    deployment.machine.mute.add(execution("mute"))
    before = deployment.items()
    swept = deployment.sweep(minutes=10)
    assert (swept.slots, swept.locks, swept.left) == ([], [], ["mute"])
    assert deployment.items() == before
    assert sorted(deployment.sweep(minutes=12).slots) == ["fresh"]


def test_a_slot_of_a_session_that_is_still_open_is_not_freed(
    deployment: SweptDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that the index has not caught up with keeps its slot until it is settled."""
    deployment.begin()
    deployment.stop()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "open_sessions", lambda _ledger: [])
        assert deployment.sweep(minutes=5).slots == []
    assert deployment.sweep(minutes=10).settled == ["s-1"]


def test_a_half_freed_slot_is_freed_by_the_next(
    deployment: SweptDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that was killed between the repository's slot and the stack's leaves a trace to go by."""
    deployment.take_slots("gone")
    repository = deployment.ledger.holders(REPOSITORY)
    deployment.sessions.update_session("gone", {"status": "FAILED", "repository": REPOSITORY})
    real = deployment.client.update_item

    def killed_after_the_first(**call: object) -> object:
        monkeypatch.setattr(deployment.client, "update_item", _killed)
        return real(**call)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(deployment.client, "update_item", killed_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        deployment.sweep(minutes=1)
    monkeypatch.undo()
    assert deployment.ledger.holders() == repository
    assert deployment.sweep(minutes=6).slots == ["gone"]
    assert deployment.held() == []


def _killed(**_call: object) -> None:
    raise KeyboardInterrupt


def test_a_slot_goes_with_its_repository_even_without_a_record(deployment: SweptDeployment) -> None:
    """Where the record is gone the execution's input tells whose slot it was; an odd input harms nobody."""
    deployment.take_slots("a")
    deployment.stop("a", ExecutionEnd("FAILED", input=json.dumps({"repository": REPOSITORY})))
    assert deployment.sweep(minutes=5).slots == ["a"]
    assert deployment.held() == []
    deployment.client.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "SLOTS"}},
        UpdateExpression="ADD holders :me",
        ExpressionAttributeValues={":me": {"SS": ["b"]}},
    )
    deployment.stop("b", ExecutionEnd("FAILED", input=json.dumps({"repository": ["odd"]})))
    assert deployment.sweep(minutes=5).slots == ["b"]


def test_a_lock_that_changed_hands_stays(deployment: SweptDeployment) -> None:
    """The sweep frees what its owner held, not what somebody else has taken since."""
    key = lock_key(REPOSITORY, "claude/1")
    deployment.sessions.take_lock(key, owner=execution("new"), session_id="new")
    deployment.sessions.release_lock(key, owner=execution("old"))
    assert deployment.held() == [key]


def test_there_is_time_for_lost_webhooks_whatever_the_sessions_need(deployment: SweptDeployment) -> None:
    """Sessions that cannot be settled do not use up the time: the rest of the sweep still happens."""
    deployment.begin()
    deployment.stop()
    del deployment.cluster.running[str(deployment.sessions.read_session("s-1").task_arn)]
    sweeper = deployment.sweeper(timedelta(minutes=1))
    deployment.github.seen.clear()
    assert Ledger(deployment.client, TABLE).lease("s-1", now="0", until="9")
    swept = sweeper.sweep()
    assert swept.settled == []
    assert [path for _, path in deployment.github.seen if path.endswith("/hook/deliveries")]


def test_the_sweep_says_what_its_queries_cost(deployment: SweptDeployment) -> None:
    """Closed sessions are not read, however many there are."""

    def cost() -> float:
        deployment.ledger = Ledger(deployment.client, TABLE)
        return deployment.sweep(minutes=1).read_units

    deployment.begin(stage="recorded")
    before = cost()
    for number in range(50):
        fields = {"status": "SUCCEEDED", "report": "made", "heartbeat_at": "2025", "closed_at": "2025"}
        deployment.sessions.update_session(f"closed-{number}", fields)
    assert 0 < cost() == before


def test_a_ledger_s_lease_needs_an_open_or_due_session(client: DynamoDBClient) -> None:
    """Nobody can lease what does not exist, and nothing is made by trying."""
    ledger = Ledger(client, TABLE)
    assert ledger.lease("nobody", now="1", until="2") is False
    assert client.scan(TableName=TABLE)["Items"] == []


@pytest.fixture
def client() -> Iterator[DynamoDBClient]:
    """Provide a table."""
    with table() as made:
        yield made
