"""One pull request in memory: people act, sessions work, GitHub tells of it, and what is started is counted.

The webhook's decision, the reader of checks and the schedules are the real ones. GitHub, the table and Step
Functions answer from dictionaries, so that thousands of orders are played in seconds.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pullwright.events.checks import decide_checks
from pullwright.events.messages import MESSAGE, QueuedChecks
from pullwright.events.services import EventServices
from pullwright.github.checks import (
    CheckApp,
    SeenCheck,
    SeenChecks,
    SeenStatus,
    SeenStatuses,
    Suite,
    WorkflowRun,
    WorkflowRuns,
)
from pullwright.mended import ChecksRecord, ChecksStore
from pullwright.reconciling.due import Schedules
from pullwright.store import BranchRecord
from pullwright.workers.events import CHECK_SUITE, STATUS
from pullwright.workers.schedules import Schedule
from tests.unit.loops_kit import (
    ACTIONS,
    ACTS,
    BRANCH,
    OF_CHECKS,
    PERSON,
    PULL,
    REPOSITORY,
    US,
    Act,
    Delivery,
    queued_of,
    starts_of,
)
from tests.unit.memory_kit import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_STEPS = 2_000
_MOST_REPEATS = 4
_BEGIN = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


class Choices:
    """What hypothesis chose, one by one; when it is used up, always the first."""

    def __init__(self, tape: bytes) -> None:
        self._left = iter(tape)

    def below(self, limit: int) -> int:
        """Choose a number."""
        return next(self._left, 0) % limit

    def of(self, values: Sequence[Any]) -> Any:
        """Choose one of these."""
        return values[self.below(len(values))]


@dataclass(frozen=True)
class Commit:
    """One commit on the branch.

    Attributes:
        row: which push of somebody else than a mending session it goes back to.
        is_good: whether its check passes.
    """

    sha: str
    message: str
    row: int
    is_good: bool


@dataclass(frozen=True)
class Session:
    """An execution that was started, and has not begun."""

    name: str
    request: dict[str, Any]

    @property
    def worker(self) -> str:
        """The worker's id."""
        return str(self.request["worker"])


@dataclass(frozen=True)
class Sweep:
    """The sweep, at a moment."""

    at: datetime


class _ExistsError(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}, "StartExecution")


class _ChecksInMemory(ChecksStore):
    def __init__(self) -> None:
        self.record = ChecksRecord()

    def read(self, repository: str, branch: str) -> ChecksRecord:
        assert (repository, branch) == (REPOSITORY, BRANCH)
        return self.record

    def _write(self, repository: str, branch: str, record: ChecksRecord, version: int) -> bool:
        assert (repository, branch, version) == (REPOSITORY, BRANCH, self.record.version)
        self.record = record.model_copy(update={"version": version + 1})
        return True


class _Store(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.made = _ChecksInMemory()

    @property
    def checks(self) -> ChecksStore:
        return self.made


class GitHub:
    """The pull request's branch with its checks, as the client of the checks' reader asks for them.

    Attributes:
        flaky: whether a check passes when it is run again.
        is_actions: whether GitHub Actions runs the check; what others run cannot be run again.
        is_status: whether the check is a status.
    """

    def __init__(self, *, flaky: bool, is_actions: bool, is_status: bool) -> None:
        self.flaky, self.is_actions, self.is_status = flaky, is_actions, is_status
        self.commits: dict[str, Commit] = {}
        self.attempts: dict[str, int] = {}
        self.head = ""
        self.comments_made: list[SimpleNamespace] = []
        self.ended: list[str] = []
        """Commits whose checks have ended, and nobody was told."""

    def push(self, commit: Commit) -> None:
        """Put a commit on the branch, and have it checked."""
        self.commits[commit.sha], self.attempts[commit.sha], self.head = commit, 1, commit.sha
        self.ended.append(commit.sha)

    def conclusion(self, sha: str) -> str:
        """Return how a commit's check ended the last time."""
        passes = self.commits[sha].is_good or (self.flaky and self.attempts[sha] > 1)
        return "success" if passes else "failure"

    def suite(self, sha: str) -> Act:
        """Return the event of checks that have ended."""
        if self.is_status:
            branches = [{"name": BRANCH, "commit": {"sha": sha}}]
            return STATUS, {"sha": sha, "state": self.conclusion(sha), "branches": branches}
        checks = {
            "head_branch": BRANCH,
            "head_sha": sha,
            "conclusion": self.conclusion(sha),
            "pull_requests": [{"number": PULL["number"]}],
            "app": ACTIONS if self.is_actions else {"id": 9, "slug": "scanner"},
        }
        return CHECK_SUITE, {"action": "completed", "check_suite": checks}

    def get_pull_request(self, repository: str, number: int) -> Any:
        """See `GitHubClient`."""
        assert (repository, number) == (REPOSITORY, PULL["number"])
        return SimpleNamespace(
            number=number,
            state="open",
            head=SimpleNamespace(sha=self.head, ref=BRANCH),
            base=SimpleNamespace(sha="0" * 40),
            user=SimpleNamespace(id=1),
            comes_from=lambda _: True,
        )

    def pull_requests_of(self, repository: str, branch: str) -> list[Any]:
        """See `GitHubClient`."""
        assert branch == BRANCH
        return [self.get_pull_request(repository, 8)]

    def get(self, path: str, what: str, model: type[Any], about: Sequence[str] = ()) -> Any:
        """See `GitHubClient`."""
        assert what
        [sha] = about
        has_run = sha in self.commits
        if model is WorkflowRuns:
            run = WorkflowRun(
                id=int(sha[:8], 16), status="completed", run_attempt=self.attempts[sha], check_suite_id=1
            )
            return WorkflowRuns(workflow_runs=(run,) if self.is_actions else ())
        if model is SeenStatuses:
            status = SeenStatus(id=1, context="test", state=self.conclusion(sha) if has_run else "success")
            return SeenStatuses(statuses=(status,) if self.is_status else ())
        assert model is SeenChecks, path
        app = CheckApp(**(ACTIONS if self.is_actions else {"id": 9, "slug": "scanner"}))
        fields: dict[str, Any] = {
            "name": "test",
            "status": "completed",
            "app": app,
            "check_suite": Suite(id=1),
        }
        made = (
            (SeenCheck(id=1, conclusion=self.conclusion(sha), **fields),)
            if has_run and not self.is_status
            else ()
        )
        return SeenChecks(check_runs=made)

    def call(self, method: str, path: str, what: str, **body: Any) -> None:
        """See `GitHubClient`: a run is run again."""
        assert (method, path.endswith("/rerun-failed-jobs"), body) == ("POST", True, {"body": {}}), what
        [sha] = [sha for sha in self.commits if str(int(sha[:8], 16)) == path.split("/")[-2]]
        self.attempts[sha] += 1
        self.ended.append(sha)

    def get_commit(self, repository: str, sha: str) -> Commit:
        """See `GitHubClient`."""
        assert repository
        return self.commits[sha]

    def comments(self, repository: str, number: int) -> list[Any]:
        """See `GitHubClient`."""
        assert (repository, number) == (REPOSITORY, PULL["number"])
        return self.comments_made

    def create_comment(self, repository: str, number: int, text: str) -> None:
        """See `GitHubClient`."""
        assert (repository, number) == (REPOSITORY, PULL["number"])
        comment = SimpleNamespace(id=len(self.comments_made), body=text, is_by=lambda *_: True)
        self.comments_made.append(comment)

    def update_comment(self, repository: str, comment_id: int, text: str) -> bool:
        """See `GitHubClient`."""
        assert repository
        self.comments_made[comment_id].body = text
        return True


class World:
    """What waits to happen, and what has been started.

    Attributes:
        waiting: deliveries, messages, sessions and sweeps, of which any may be next.
        executions: inputs by name, in Step Functions.
        causes: by worker and cause, the one session.
        mending: by row, the commits for which a session that mends was started.
    """

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        is_flaky, kind = choices.below(3) == 2, choices.below(5)
        self.github = GitHub(flaky=is_flaky, is_actions=kind < 3, is_status=kind == 4)
        self.can_mend = choices.below(2) == 1
        self.store = _Store()
        self.waiting: list[Delivery | QueuedChecks | Session | Sweep] = []
        self.executions: dict[str, str] = {}
        self.causes: dict[tuple[str, str], str] = {}
        self.mending: dict[int, set[str]] = defaultdict(set)
        self.people: set[str] = set()
        self.rows = self.repeats = self.steps = 0
        self.cause = ""
        app = SimpleNamespace(
            app=lambda: SimpleNamespace(id=7), client=lambda *_: self.github, bot_id=lambda _: 1
        )
        self.exceptions = SimpleNamespace(ExecutionAlreadyExists=_ExistsError)
        states = cast("Any", self)
        self.services = EventServices(
            *(cast("Any", app), self.store, cast("Any", None), states, "machine"),
            queue=cast("Any", None),
            allowed_owners="",
        )
        schedule = Schedule(
            worker="chore", cron="0 * * * *", timezone="UTC", since=(_BEGIN - timedelta(days=1)).isoformat()
        )
        head = SimpleNamespace(repository=REPOSITORY, schedules=(schedule,))
        listed = SimpleNamespace(scheduled=lambda: [head])
        self.schedules = Schedules(cast("Any", listed), self.store, states, "machine")
        self._open("first", {"worker": "implement"})
        self._push("Write", is_mending=False, is_good=choices.below(3) != 2)

    def play(self) -> None:
        """Let people act and time pass, and then everything happen that comes of it, in any order."""
        choices = self.choices
        for _ in range(choices.below(2) + 1):
            self._person_acts()
        sweeps = range(choices.below(3))
        self.waiting += [Sweep(_BEGIN + timedelta(minutes=5 * choices.below(50))) for _ in sweeps]
        while self.waiting:
            self.steps += 1
            assert self.steps < _MOST_STEPS, "it does not end"
            place = choices.below(len(self.waiting))
            self._happen(self.waiting.pop(place))

    def _person_acts(self) -> None:
        act = self.choices.of(ACTS)
        if act[1].get("action") == "synchronize":
            self._push("A person tries", is_mending=False, is_good=self.choices.below(2) == 1)
        delivery = Delivery(act, PERSON)
        self.people.add(delivery.guid)
        self.waiting.append(delivery)

    def _happen(self, what: Delivery | QueuedChecks | Session | Sweep) -> None:
        if not isinstance(what, Session) and self.repeats < _MOST_REPEATS and self.choices.below(4) == 3:
            # GitHub and SQS may deliver again, whenever they like, and the sweep comes again.
            self.repeats += 1
            self.waiting.append(what)
        match what:
            case Delivery():
                self._deliver(what)
            case QueuedChecks():
                self.cause = what.commit
                decide_checks(what, self.services)
                self._tell_ended()
            case Sweep():
                self.cause = what.at.replace(minute=0).isoformat()
                self.schedules.start_due(what.at)
            case Session():
                self._work(what)

    def _deliver(self, delivery: Delivery) -> None:
        decision = delivery.decide()
        self.cause = delivery.guid
        for name, request in starts_of(decision):
            assert not delivery.is_ours, f"our own {delivery.event} starts {name}"
            if name in self.executions:
                # Step Functions takes the same name and input for the same execution.
                assert self.executions[name] == request
                continue
            self.start_execution(stateMachineArn="machine", name=name, input=request)
        queued = queued_of(decision)
        if queued is not None and delivery.event in {CHECK_SUITE, STATUS}:
            message = MESSAGE.validate_json(queued.message)
            assert isinstance(message, QueuedChecks)
            self.waiting.append(message)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        """See boto3: each name once."""
        assert stateMachineArn == "machine"
        if name in self.executions:
            raise _ExistsError
        self.executions[name] = input
        session = Session(name, json.loads(input))
        key = (session.worker, self.cause)
        assert key not in self.causes, f"{name} and {self.causes[key]} have one cause"
        self.causes[key] = name
        if self.cause in self.github.commits:
            self.mending[self.github.commits[self.cause].row].add(self.cause)
        self.waiting.append(session)

    def _work(self, session: Session) -> None:
        """Do what a session can do: open, push, and everything that a person could."""
        is_mending = session.worker in OF_CHECKS
        if is_mending and session.request["checked_commit"] != self.github.head:
            return
        self._open(session.name, session.request)
        if is_mending or self.choices.below(3) == 2:
            is_good = is_mending and self.can_mend and self.choices.below(2) == 1
            # What brings the branch up to date with its base is no work, and may be all that is pushed.
            trailer = "Update" if self.choices.below(3) == 2 else "Session"
            message = f"Mend\n\nPullwright-{trailer}: {session.name}\n"
            self._push(message, is_mending=is_mending, is_good=is_good)
        if self.choices.below(2) == 1:
            self.waiting.append(Delivery(self.choices.of(ACTS), US))

    def _open(self, name: str, request: dict[str, Any]) -> None:
        item = {"session_id": name, "input": json.dumps(request), "worker": request["worker"]}
        self.store.items[f"SESSION#{name}"] = {**item, "status": "SUCCEEDED", "requested_by": "maintainer"}
        branch = BranchRecord(
            repository=REPOSITORY, branch=BRANCH, session_id=name, pull_request=PULL["number"]
        )
        self.store.begin_branch(branch)

    def _push(self, message: str, *, is_mending: bool, is_good: bool) -> None:
        self.rows += not is_mending
        row = self.github.commits[self.github.head].row if is_mending else self.rows
        self.github.push(Commit(uuid.uuid4().hex + "0" * 8, message, row, is_good))
        self._tell_ended()

    def _tell_ended(self) -> None:
        """GitHub says that checks have ended; the sender is whoever pushed, and here always us."""
        self.waiting += [Delivery(self.github.suite(sha), US) for sha in self.github.ended]
        self.github.ended.clear()
