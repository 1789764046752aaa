"""Sessions and what is left of them: a table in memory, the GitHub stand-in, executions and tasks as told."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pullwright.errors import AwsUnavailable
from pullwright.reconciling.deliveries import LostDeliveries
from pullwright.reconciling.due import Schedules
from pullwright.reconciling.executions import ExecutionEnd, Executions
from pullwright.reconciling.ledger import Ledger
from pullwright.reconciling.settle import Settler
from pullwright.reconciling.sweep import Sweeper, Swept
from pullwright.reporting.event import TaskEnd
from pullwright.reporting.tasks import Tasks
from pullwright.store import Store
from pullwright.workers.store import WorkerStore
from tests.template.kit import template
from tests.unit.aws_kit import client
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import REPOSITORY, Deployment, execution
from tests.unit.test_reporting import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.metrics import SessionFigures

TABLE = SETTINGS.sessions_table
LIVE = "arn:aws:states:eu-central-1:123456789012:stateMachine:AgentSession:live"
BADLY = ("FAILED", "ABORTED", "TIMED_OUT")
STOPPED = ExecutionEnd(status="ABORTED", cause="No longer needed.")


@contextmanager
def table() -> Iterator[DynamoDBClient]:
    """DynamoDB with the template's table."""
    declared = template()["Resources"]["SessionsTable"]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    with mock_aws():
        dynamodb: DynamoDBClient = client("dynamodb")
        dynamodb.create_table(TableName=TABLE, **{name: declared[name] for name in names})
        yield dynamodb


class Machine(Executions):
    """The executions of a machine.

    Attributes:
        ends: how each ended, None while it runs; one that is not in here is forgotten.
        unlisted: those that the list of running ones has not caught up with.
        mute: those that AWS does not describe now.
    """

    def __init__(self) -> None:
        self.ends: dict[str, ExecutionEnd | None] = {}
        self.unlisted: set[str] = set()
        self.mute: set[str] = set()

    def arn_of(self, session_id: str) -> str:
        """See `Executions`."""
        return execution(session_id)

    def running(self) -> frozenset[str]:
        """See `Executions`."""
        return frozenset(arn for arn, end in self.ends.items() if end is None) - self.unlisted

    def ended_badly_since(self, moment: datetime) -> list[str]:
        """See `Executions`."""
        ends = [(arn, end) for arn, end in self.ends.items() if end is not None and end.status in BADLY]
        return [arn for arn, end in ends if end.started_at is not None and end.started_at >= moment]

    def end_of(self, arn: str) -> ExecutionEnd | None:
        """See `Executions`."""
        if arn in self.mute:
            raise AwsUnavailable("AWS could not describe an execution (ThrottlingException).")
        return self.ends.get(arn, ExecutionEnd())


class Starter:
    """Step Functions, as far as executions are started: each name once.

    Attributes:
        started: inputs by name, in order.
        errors: what the next calls are answered with.
    """

    def __init__(self) -> None:
        self.started: dict[str, str] = {}
        self.errors: list[str] = []

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        """See boto3."""
        assert stateMachineArn == LIVE
        code = self.errors.pop(0) if self.errors else ""
        if name in self.started:
            code = "ExecutionAlreadyExists"
        if code:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "StartExecution")
        self.started[name] = input


class Cluster(Tasks):
    """A cluster whose tasks end when they are asked the second time.

    Attributes:
        running: tasks, and whether each has been told to end.
    """

    def __init__(self) -> None:
        self.running: dict[str, bool] = {}

    def stop(self, execution_arn: str, claimed: str | None, *, seconds: float) -> TaskEnd | None:
        """See `Tasks`."""
        assert execution_arn
        assert seconds == 0, "a sweep waits for nobody"
        if claimed is None:
            return None
        if self.running.get(claimed) is False:
            self.running[claimed] = True
            raise AwsUnavailable("The session's task has not ended yet.")
        self.running.pop(claimed, None)
        return TaskEnd(TaskArn=claimed, StopCode="UserInitiated", ExitCode=143)

    def silence(self, execution_arn: str, claimed: str | None, reason: str) -> bool:
        """See `Tasks`."""
        assert execution_arn
        assert reason
        was_told = self.running.get(claimed or "", True)
        if claimed in self.running:
            self.running[str(claimed)] = True
        return not was_told


class SweptDeployment(Deployment):
    """A deployment in which executions die.

    Attributes:
        figures: what was counted of each session that ended.
        before: what a test keeps of the table, to put it back.
    """

    def __init__(self, folder: Path, client: DynamoDBClient) -> None:
        super().__init__(folder)
        self.client = client
        self.sessions = Store(client, TABLE)
        self.store = cast("Any", self.sessions)
        self.ledger = Ledger(client, TABLE)
        self.machine = Machine()
        self.starter = Starter()
        self.cluster = Cluster()
        self.start = datetime.now(UTC)
        self.figures: list[SessionFigures] = []
        self.before: dict[str, Any] = {}
        self.is_off = False
        self.github.repository()

    def begin(self, session_id: str = "s-1", stage: str = "claimed", **fields: Any) -> None:
        """Bring a session as far as a stage: recorded, opened, admitted or claimed."""
        stages = ("recorded", "opened", "admitted", "claimed")
        reached = stages[: stages.index(stage) + 1]
        request = {"repository": REPOSITORY, "issue": self.github.issue(), **fields}
        self.machine.ends[execution(session_id)] = None
        self.sessions.update_session(
            session_id,
            {
                "session_id": session_id,
                "execution_arn": execution(session_id),
                "status": "QUEUED",
                "input": json.dumps(request),
                "repository": REPOSITORY,
                "created_at": self.start.isoformat(),
                "heartbeat_at": self.start.isoformat(),
            },
        )
        if "opened" in reached:
            self.open(session_id, **request)
        if "admitted" in reached:
            self.take_slots(session_id)
            self.sessions.update_session(
                session_id, {"status": "RUNNING", "admitted_at": self.start.isoformat()}
            )
        if "claimed" in reached:
            task = f"arn:aws:ecs:eu-central-1:123456789012:task/cluster/{session_id}"
            self.cluster.running[task] = False
            beat = {name: self.start.isoformat() for name in ("task_started_at", "heartbeat_at")}
            self.sessions.update_session(session_id, {"task_arn": task, **beat})

    def take_slots(self, session_id: str) -> None:
        """Hold a slot, as AdmitSession does."""
        for key in ("SLOTS", f"SLOTS#{REPOSITORY}"):
            self.client.update_item(
                TableName=TABLE,
                Key={"pk": {"S": key}},
                UpdateExpression="ADD holders :me",
                ExpressionAttributeValues={":me": {"SS": [session_id]}},
            )

    def stop(self, session_id: str = "s-1", end: ExecutionEnd = STOPPED) -> None:
        """End a session's execution."""
        self.machine.ends[execution(session_id)] = end

    def sweeper(self, after: timedelta = timedelta(0)) -> Sweeper:
        """Return the sweep as a fresh Lambda environment runs it, so long after the sessions began."""
        now = self.start + after
        services = self.services_of(SETTINGS)
        until = now + timedelta(minutes=5)
        return Sweeper(
            Settler(services, self.cluster, self.ledger, self.machine, now, until, self.figures.append),
            LostDeliveries(services.app, self.client, TABLE),
            Schedules(WorkerStore(self.client, TABLE), self.sessions, cast("Any", self.starter), LIVE),
            self.is_off,
            # Five seconds pass at every look at the clock, so that no sweep waits for ever.
            seconds_left=iter(range(100, 0, -5)).__next__,
            sleep=lambda _seconds: None,
        )

    def sweep(self, **after: float) -> Swept:
        """Sweep so long after the sessions began."""
        return self.sweeper(timedelta(**after)).sweep()

    def items(self) -> dict[str, Any]:
        """Everything in the table but the sweep's own mark."""
        found = {item["pk"]["S"]: item for item in self.client.scan(TableName=TABLE)["Items"]}
        found.pop("DELIVERIES", None)
        return dict(sorted(found.items()))

    def held(self) -> list[str]:
        """Keys of locks, and of slots that somebody holds."""
        items = self.items()
        return [
            key for key, item in items.items() if key.startswith("LOCK#") or item.get("holders", {}).get("SS")
        ]

    def told(self, session_id: str = "s-1") -> str:
        """Return the one comment on a session's pull request."""
        [comment] = self.github.comments(int(self.sessions.read_session(session_id).pull_request or 0))
        return str(comment["body"])

    def written(self) -> list[tuple[str, str]]:
        """Return what was asked of GitHub besides reading and tokens, and forget it."""
        seen = [one for one in self.github.seen if one[0] != "GET" and not one[1].endswith("/access_tokens")]
        self.github.seen.clear()
        return seen
