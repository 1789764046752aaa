"""What a cell of the fault matrix works with: a repository of its own, and the means to break things."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import urllib3

from local.layout import Layout
from local.people import call
from local.sessions import Session
from local.supervise import children
from pullwright.executions import execution_arn
from pullwright_cli.session import ENDED
from pullwright_engine import faults as engine
from tests.benchmarks.loading.plan import LABEL, Delivery
from tests.integration.conftest import Repositories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Repository

ISSUE, PULL = 1, 2
"""Numbers in a repository that is new: the issue comes first, then its pull request."""
HELD_SECONDS = 30.0
"""How long a held request waits: long enough to break something meanwhile, even on a busy machine."""
SECONDS = 400.0
"""How long a session of a cell may take; three attempts to have a token known take 130 on an idle machine."""
_NAME = f"implement-{ISSUE}-"
_POLL = 1.0
_PLENTY = 100
_ORDERS = threading.Lock()
_SWEEPS = threading.Lock()


class _Statuses:
    """The statuses of all executions, asked for once a second however many cells wait for one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._read_at = -math.inf
        self._found: dict[str, str] = {}

    def has_ended(self, session: Session) -> bool:
        """Return whether a session's execution had ended less than a second ago."""
        with self._guard:
            if time.monotonic() - self._read_at >= _POLL:
                self._found = session.stack.statuses()
                self._read_at = time.monotonic()
            return self._found.get(session.arn) in ENDED


_STATUSES = _Statuses()


@dataclass
class Trial:
    """One cell under way: its repository, its delivery, and what it broke.

    Attributes:
        repository: its repository, with one issue in it.
        payload: of the webhook that tells of the label.
        again: GUID of a later delivery that started the session which counts; empty without one.
        ordered: ids of the failures that were ordered from the engine.
    """

    repository: Repository
    folder: Path
    payload: bytes
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    again: str = ""
    ordered: list[str] = field(default_factory=list)
    origin: str = field(init=False)
    """The repository's name at the time of the label, whatever it is called later."""

    def __post_init__(self) -> None:
        self.origin = self.repository.name

    # --- the session ---------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The session that the delivery starts, or the later one."""
        stack = self.repository.stack
        name = f"{_NAME}{self.again or self.guid}"
        return Session(stack, execution_arn(stack.outputs["StateMachineArn"], name))

    def deliver(self) -> Session:
        """Send the delivery twice at the same time, each until it is taken."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: self.deliver_again(), range(2)))
        return self.session

    def deliver_again(self) -> None:
        """Send the delivery until it is taken: others may use all of the webhook's concurrency."""
        for _ in self.until("2xx of the webhook"):
            if self.send() // 100 == 2:
                return

    def send(self) -> int:
        """Send the delivery once and return the status of the answer."""
        return self._send(Delivery(self.guid, self.payload))

    def _send(self, delivery: Delivery) -> int:
        told = self.repository.stack.described
        headers = delivery.headers(told["webhook_secret"], told["webhook_host"])
        with urllib3.PoolManager(timeout=60.0, retries=False) as pool:
            return int(pool.request("POST", told["webhook_url"], body=delivery.body, headers=headers).status)

    def label_again(self) -> None:
        """Remove the label and add it again, as people do after a failure; wait for the session of that."""
        repository, first = self.repository, self.session.arn
        repository.rest("DELETE", f"/issues/{ISSUE}/labels/{LABEL}")
        # GitHub's times are in whole seconds; what was asked for in the second of a removal is taken back.
        time.sleep(2 * _POLL)
        repository.person.label(repository.name, ISSUE, LABEL)
        for _ in self.until("the second session"):
            arns = [arn for arn in repository.stack.executions(repository.name, ISSUE) if arn != first]
            if arns:
                self.again = arns[0].rpartition(f":{_NAME}")[2]
                return

    def until_state(self, name: str) -> None:
        """Wait until the session has come to a state."""
        for _ in self.until(name):
            if any(visit.name == name for visit in self.session.visits()):
                return

    def end(self) -> None:
        """Wait until the execution has ended and its session is closed and reported, maybe by a sweep."""
        self.until_ended()
        try:
            for _ in self.until("the session's end"):
                if self._is_told():
                    return
                # A sweep is everybody's: while one is under way, waiting for a turn would only starve.
                if _SWEEPS.acquire(blocking=False):
                    try:
                        self._sweep()
                    finally:
                        _SWEEPS.release()
                    if self._is_told():
                        return
        except TimeoutError as error:
            error.add_note(str(self.told()))
            raise

    def _is_told(self) -> bool:
        return self.session.record().report == "made"

    def told(self) -> dict[str, Any]:
        """Return what there is to say about the session when something is wrong with it."""
        ended = self.repository.stack.client("stepfunctions").describe_execution(
            executionArn=self.session.arn
        )
        said = {name: ended.get(name) for name in ("status", "error", "cause")}
        return {
            **said,
            "record": self.session.record(),
            "visits": [one.name for one in self.session.visits()],
        }

    def until_ended(self) -> None:
        """Wait until the execution has ended."""
        try:
            for _ in self.until("the execution's end"):
                if _STATUSES.has_ended(self.session):
                    return
        except TimeoutError as error:
            error.add_note(str([(visit.name, visit.seconds) for visit in self.session.visits()]))
            raise

    def _sweep(self) -> None:
        stack = self.repository.stack
        answer = stack.client("lambda").invoke(
            FunctionName=stack.outputs["ReconcileFunctionName"], Payload=b"{}"
        )
        # Read in any case: one that is not keeps its connection open until some other test is blamed for it.
        said = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise RuntimeError(said)

    def until(self, what: str, seconds: float = SECONDS) -> Iterator[None]:
        """Give turns until the caller stops asking.

        Raises:
            TimeoutError: it asked for too long.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            yield
            time.sleep(_POLL)
        raise TimeoutError(f"{what} did not come within {seconds:.0f} s")

    def until_held(self, path: str) -> None:
        """Wait until a request that is told to wait has arrived.

        Args:
            path: as it was given to `hold`.
        """
        for _ in self.until(path):
            known = call(self.repository.stack.github_url, "GET", "/_standin/faults")
            if any(fault["path_regex"] == self.path(path) and fault["seen"] for fault in known):
                return

    # --- GitHub --------------------------------------------------------------------------------------------

    def path(self, path: str) -> str:
        """Return a path of this repository alone, as the stand-in's failures name it."""
        if path.startswith(".git"):
            return f"/{re.escape(self.origin)}\\{path}"
        return f"/repos/{re.escape(self.origin)}{path}"

    def until_told(self, action: str) -> None:
        """Wait until the stand-in's webhook about the repository has come and what it asked for is done."""
        stack = self.repository.stack
        for _ in self.until(f"the delivery of {action}"):
            told = [
                one
                for one in call(stack.github_url, "GET", f"/_standin/deliveries?action={action}")
                if self.repository.name in json.dumps(one["request"]["payload"])
            ]
            if any(one["status"] == "OK" for one in told):
                break
        sqs = stack.client("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        mappings = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        for mapping in mappings:
            url = sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
            for _ in self.until("the end of the queue"):
                waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
                if not any(int(waiting[name]) for name in names):
                    break

    def transfer_issue(self) -> None:
        """Move the issue to another repository of its owner."""
        target = Repositories(self.repository.stack, self.repository.person).make(
            self.repository.name.partition("/")[0]
        )
        self._change_issue("transferIssue", {"repositoryId": target.rest("GET", "")["node_id"]})

    def delete_issue(self) -> None:
        """Delete the issue as its owner does."""
        self._change_issue("deleteIssue", {})

    def _change_issue(self, mutation: str, more: dict[str, str]) -> None:
        person, issue = self.repository.person, self.repository.rest("GET", f"/issues/{ISSUE}")
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation($it: {kind}!) {{ {mutation}(input: $it) {{ clientMutationId }} }}"
        asked = {"query": query, "variables": {"it": {"issueId": issue["node_id"], **more}}}
        answer = call(person.url, "POST", "/api/graphql", asked, token=person.token)
        if "errors" in answer:
            raise RuntimeError(answer)

    def rename(self) -> None:
        """Give the repository another name."""
        name = f"{self.origin}-renamed"
        self.repository.rest("PATCH", "", {"name": name.partition("/")[2]})
        self.repository.name = name

    def uninstall(self) -> None:
        """Take the App off the repository."""
        stack = self.repository.stack
        call(stack.github_url, "PATCH", f"/_standin/repositories/{self.origin}", {"installed": False})

    # --- the table -----------------------------------------------------------------------------------------

    def lock_by_another(self) -> None:
        """Give the branch's lock to a session that is none of this cell's."""
        self._table(
            "put_item",
            Item={"pk": {"S": self._lock}, "owner": {"S": "another"}, "session_id": {"S": "another"}},
        )

    def unlock(self) -> None:
        """Take it away again."""
        self._table("delete_item", Key={"pk": {"S": self._lock}})

    def fill_slots(self) -> None:
        """Take all slots of this repository for sessions that are none of this cell's."""
        others = [f"another-{number}" for number in range(_PLENTY)]
        self._table("put_item", Item={"pk": {"S": self._slots}, "holders": {"SS": others}})

    def empty_slots(self) -> None:
        """Give them back."""
        self._table("delete_item", Key={"pk": {"S": self._slots}})

    @property
    def _slots(self) -> str:
        return f"SLOTS#{self.repository.name}"

    @property
    def _lock(self) -> str:
        return f"LOCK#{self.origin}#claude/{ISSUE}"

    def _table(self, operation: str, **arguments: Any) -> Any:
        stack = self.repository.stack
        table = stack.outputs["SessionsTable"]
        return getattr(stack.client("dynamodb"), operation)(TableName=table, **arguments)

    # --- functions and tasks -------------------------------------------------------------------------------

    def order(self, what: str, *also: str, times: int = 1, mark: str = "") -> None:
        """Order a failure from the engine.

        Args:
            what: one of `pullwright_engine.faults.WHAT`.
            also: what else must be in the event, or in the call.
            mark: what of this cell is in it, if it is not the delivery's GUID.
        """
        name = uuid.uuid4().hex
        order = {"id": name, "what": what, "contains": [mark or self.guid, *also], "times": times}
        self.ordered.append(name)
        with _ORDERS:
            engine.write_orders(self._orders_file, [*self._orders(), order])

    def until_struck(self) -> None:
        """Wait until what was ordered last has come."""
        for _ in self.until("what was ordered"):
            if self.ordered[-1] in self._struck():
                return

    def missed(self, paths: list[str]) -> list[str]:
        """Return what was ordered and has never come.

        Args:
            paths: of the stand-in's failures, as `path` takes them.

        Returns:
            Ids of the engine's failures, and paths of the stand-in's.
        """
        struck = self._struck()
        known = call(self.repository.stack.github_url, "GET", "/_standin/faults")
        seen = [fault["path_regex"] for fault in known if fault["seen"]]
        missed = [path for path in map(self.path, paths) if path not in seen]
        return missed + [one for one in self.ordered if one not in struck]

    def _struck(self) -> list[str]:
        file = self._orders_file.with_suffix(".struck")
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def recall(self) -> None:
        """Take back what was ordered."""
        with _ORDERS:
            orders = [order for order in self._orders() if order["id"] not in self.ordered]
            engine.write_orders(self._orders_file, orders)

    def _orders(self) -> list[dict[str, Any]]:
        file = self._orders_file
        return list(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else []

    @property
    def _orders_file(self) -> Path:
        return Layout(self.folder).engine / "faults.json"

    def kill_function(self, also: str) -> None:
        """Kill the function that works for the session now; `also` tells which of the two."""
        self.order(engine.KILL_FUNCTION, also)

    def kill_task(self) -> None:
        """Send SIGKILL to the runner, and to nothing else."""
        task = (self.session.record().task_arn or "").rsplit("/", 1)[1]
        [runner] = [one for one in children(Layout(self.folder).children) if f"task {task} " in one.name]
        with contextlib.suppress(ProcessLookupError):
            os.kill(runner.pid, signal.SIGKILL)

    def stop_task(self) -> None:
        """Stop the task as a person does in the console."""
        stack = self.repository.stack
        stack.client("ecs").stop_task(
            cluster=stack.outputs["EcsClusterArn"], task=self.session.record().task_arn, reason="By hand"
        )

    def put_artifact(self, name: str, content: bytes) -> None:
        """Write an artifact of the session."""
        stack = self.repository.stack
        stack.client("s3").put_object(
            Bucket=stack.outputs["ArtifactsBucket"], Key=f"sessions/{self.session.id}/{name}", Body=content
        )

    def take_artifact(self, name: str) -> None:
        """Wait for an artifact of the session, and delete it."""
        for _ in self.until(name):
            if name in self.session.artifacts():
                break
        stack = self.repository.stack
        stack.client("s3").delete_object(
            Bucket=stack.outputs["ArtifactsBucket"], Key=f"sessions/{self.session.id}/{name}"
        )

    def abort(self) -> None:
        """Abort the execution as `aws stepfunctions stop-execution` does."""
        self.repository.stack.client("stepfunctions").stop_execution(executionArn=self.session.arn)
