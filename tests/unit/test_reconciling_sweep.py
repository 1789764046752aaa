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
from tests.unit.reconcile_kit import TABLE, Yard, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

OTHER = "hexa/gadgets"


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """Provide a deployment without sessions."""
    with table() as client:
        yield Yard(tmp_path, client)


def test_one_session_s_trouble_is_not_the_others(yard: Yard) -> None:
    """A broken record, an execution that AWS does not describe and a refusing GitHub hold up nobody else."""
    for session_id in ("broken", "mute", "refused", "fine"):
        yard.begin(session_id)
        yard.stop(session_id)
    yard.sessions.update_session("broken", {"artifacts": "s3://bucket", "outcome": "nonsense"})
    yard.machine.mute.add(execution("mute"))
    comment = yard.sessions.read_session("refused").comment_id
    yard.github.before += [("PATCH", f"/comments/{comment}", Response(503, {}))] * 30
    swept = yard.sweep(minutes=1)
    assert sorted(swept.settled) == ["fine", "refused"]
    assert sorted(swept.left) == ["broken", "mute"]
    assert "Somebody stopped" in yard.told("fine")
    assert yard.sessions.read_session("refused").report == "due"
    assert yard.sessions.read_session("mute").status == "RUNNING"

    yard.machine.mute.clear()
    assert yard.sweep(minutes=6).settled == ["mute"]


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
    yard: Yard, status: str, cause: str, error: str, words: str, seconds: int, *, by_event: bool
) -> None:
    """When it ended in its first state, the issue says so once, and the record is made and closed.

    After a failure at once; else when whatever a state had called has surely ended.
    """
    number = yard.github.issue()
    end = ExecutionEnd(
        status,
        cause,
        stopped_at=yard.start,
        started_at=yard.start,
        input=json.dumps({"repository": REPOSITORY, "issue": number}),
    )
    yard.stop("s-1", end)
    sweeper = yard.sweeper(timedelta(seconds=seconds))
    swept = sweeper.settle_one(execution("s-1")) if by_event else sweeper.sweep()
    assert swept.settled == ["s-1"]
    [comment] = yard.github.comments(number)
    assert words in comment["body"]
    record = yard.sessions.read_session("s-1")
    assert (record.status, record.error, record.report) == ("FAILED", error, "made")
    before = yard.items()
    assert yard.sweep(minutes=6).settled == []
    assert yard.items() == before


def test_an_old_failure_without_a_record_is_left_alone(yard: Yard) -> None:
    """Record go when their time is over; what they told is not told again."""
    end = ExecutionEnd("FAILED", "DynamoDB.X", started_at=yard.start - timedelta(days=40), input="{}")
    yard.stop("s-1", end)
    assert yard.sweep().settled == []
    assert yard.items() == {}


def test_a_task_that_needs_long_holds_up_nobody(yard: Yard) -> None:
    """A session whose task has still to end comes round again in the same sweep, after the others."""
    for session_id, stage in (("slow", "claimed"), ("quick", "admitted")):
        yard.begin(session_id, stage)
        yard.stop(session_id)
    assert yard.sweep(minutes=1).settled == ["quick", "slow"]


def test_a_task_without_heartbeat_is_stopped_and_no_more(yard: Yard) -> None:
    """While the execution runs its silent task is told to end, once; the rest is the machine's to do."""
    yard.begin("silent")
    yard.begin("starting", "admitted")
    yard.begin("beating")
    beat = (yard.start + timedelta(minutes=4)).isoformat()
    yard.sessions.update_session("beating", {"heartbeat_at": beat})
    before = yard.items()
    yard.written()
    assert yard.sweep(minutes=5).silenced == []
    assert yard.sweep(minutes=5, seconds=1).silenced == ["silent"]
    assert yard.sweep(minutes=6).silenced == []
    assert [arn.rpartition("/")[2] for arn, told in yard.cluster.running.items() if told] == ["silent"]
    assert yard.items() == before
    assert yard.written() == []


def test_a_session_of_unknown_state_is_not_silenced(yard: Yard) -> None:
    """Where AWS does not say whether the execution runs, its task is left alone."""
    yard.begin()
    yard.machine.unlisted.add(execution("s-1"))
    yard.machine.mute.add(execution("s-1"))
    swept = yard.sweep(minutes=30)
    assert (swept.silenced, swept.settled, swept.left) == ([], [], ["s-1"])


@pytest.mark.parametrize("end", [ExecutionEnd(), ExecutionEnd("SUCCEEDED")])
def test_what_an_ended_execution_holds_is_freed(yard: Yard, end: ExecutionEnd) -> None:
    """A lock and slots without an open session go when their execution is over or forgotten."""
    key = lock_key(REPOSITORY, "claude/9")
    yard.sessions.take_lock(key, owner=execution("gone"), session_id="gone")
    yard.take_slots("gone")
    yard.sessions.update_session("gone", {"status": "FAILED", "repository": REPOSITORY})
    yard.stop("gone", end)
    assert yard.sweep(minutes=2).locks == [], "a function of the execution may still be about to use it"
    swept = yard.sweep(minutes=3)
    assert (swept.locks, yard.held()) == ([key], [])
    assert yard.sweep(minutes=4).slots == []


def test_what_a_live_or_young_execution_holds_stays(yard: Yard) -> None:
    """Locks and slots stay while their execution runs, or has just ended, or its state is not known."""
    ends = {
        "live": None,
        "fresh": ExecutionEnd("ABORTED", stopped_at=yard.start + timedelta(minutes=9)),
        "mute": ExecutionEnd("ABORTED"),
    }
    for session_id, end in ends.items():
        lock = lock_key(REPOSITORY, session_id)
        yard.sessions.take_lock(lock, owner=execution(session_id), session_id=session_id)
        yard.take_slots(session_id)
        yard.machine.ends[execution(session_id)] = end
    yard.machine.mute.add(execution("mute"))
    before = yard.items()
    swept = yard.sweep(minutes=10)
    assert (swept.slots, swept.locks, swept.left) == ([], [], ["mute"])
    assert yard.items() == before
    assert sorted(yard.sweep(minutes=12).slots) == ["fresh"]


def test_a_slot_of_a_session_that_is_still_open_is_not_freed(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that the index has not caught up with keeps its slot until it is settled."""
    yard.begin()
    yard.stop()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "open_sessions", lambda _ledger: [])
        assert yard.sweep(minutes=5).slots == []
    assert yard.sweep(minutes=10).settled == ["s-1"]


def test_a_half_freed_slot_is_freed_by_the_next(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that was killed between the repository's slot and the stack's leaves a trace to go by."""
    yard.take_slots("gone")
    repository = yard.ledger.holders(REPOSITORY)
    yard.sessions.update_session("gone", {"status": "FAILED", "repository": REPOSITORY})
    real = yard.client.update_item

    def killed_after_the_first(**call: object) -> object:
        monkeypatch.setattr(yard.client, "update_item", _killed)
        return real(**call)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(yard.client, "update_item", killed_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        yard.sweep(minutes=1)
    monkeypatch.undo()
    assert yard.ledger.holders() == repository
    assert yard.sweep(minutes=6).slots == ["gone"]
    assert yard.held() == []


def _killed(**_call: object) -> None:
    raise KeyboardInterrupt


def test_a_slot_goes_with_its_repository_even_without_a_record(yard: Yard) -> None:
    """Where the record is gone the execution's input tells whose slot it was; an odd input harms nobody."""
    yard.take_slots("a")
    yard.stop("a", ExecutionEnd("FAILED", input=json.dumps({"repository": REPOSITORY})))
    assert yard.sweep(minutes=5).slots == ["a"]
    assert yard.held() == []
    yard.client.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "SLOTS"}},
        UpdateExpression="ADD holders :me",
        ExpressionAttributeValues={":me": {"SS": ["b"]}},
    )
    yard.stop("b", ExecutionEnd("FAILED", input=json.dumps({"repository": ["odd"]})))
    assert yard.sweep(minutes=5).slots == ["b"]


def test_a_lock_that_changed_hands_stays(yard: Yard) -> None:
    """The sweep frees what its owner held, not what somebody else has taken since."""
    key = lock_key(REPOSITORY, "claude/1")
    yard.sessions.take_lock(key, owner=execution("new"), session_id="new")
    yard.sessions.release_lock(key, owner=execution("old"))
    assert yard.held() == [key]


def test_there_is_time_for_lost_webhooks_whatever_the_sessions_need(yard: Yard) -> None:
    """Sessions that cannot be settled do not use up the time: the rest of the sweep still happens."""
    yard.begin()
    yard.stop()
    del yard.cluster.running[str(yard.sessions.read_session("s-1").task_arn)]
    sweeper = yard.sweeper(timedelta(minutes=1))
    yard.github.seen.clear()
    assert Ledger(yard.client, TABLE).lease("s-1", now="0", until="9")
    swept = sweeper.sweep()
    assert swept.settled == []
    assert [path for _, path in yard.github.seen if path.endswith("/hook/deliveries")]


def test_the_sweep_says_what_its_queries_cost(yard: Yard) -> None:
    """Closed sessions are not read, however many there are."""

    def cost() -> float:
        yard.ledger = Ledger(yard.client, TABLE)
        return yard.sweep(minutes=1).read_units

    yard.begin(stage="recorded")
    before = cost()
    for number in range(50):
        fields = {"status": "SUCCEEDED", "report": "made", "heartbeat_at": "2025", "closed_at": "2025"}
        yard.sessions.update_session(f"closed-{number}", fields)
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
