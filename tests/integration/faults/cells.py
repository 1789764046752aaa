"""The cells of the fault matrix: what goes wrong where, and how the session must end then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pullwright.github.connection import _PAUSES
from pullwright_engine import faults as engine
from tests.integration.faults.trial import HELD_SECONDS, PULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.faults.trial import Trial

CLONE, PUSH = ".git/git-upload-pack$", ".git/git-receive-pack$"
REPOSITORY, PULLS, ONE_PULL = "$", "/pulls$", f"/pulls/{PULL}$"
TRACKING = f"/issues/{PULL}/comments$"
OPENING, REPORTING = '"input"', '"opened"'
"""What only one of the two functions' events holds."""
_UNAUTHORIZED = 401
TRIES = 4
"""How often the states of most cells try again."""


def _nothing(_bench: Trial) -> None:
    """Leave it to the failures that were ordered beforehand."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One failure in one state.

    Attributes:
        error: how the session must end; empty for a session that succeeds.
        says: what the last text on GitHub must contain.
        pulls: how many pull requests there must be.
        execution: status of the execution, where the error does not tell it.
        table: the part of the matrix that it stands in.
        is_heard: whether GitHub lets anything be said at the end.
        github: failures of the stand-in, their paths below the repository.
        limit: seconds that the whole execution may take, where it is not the deployed limit; its states then
            try again until that is over.
        tries: how often its states try again, where each try waits for long.
        sessions: how many there are in the end, the last of which is looked at.
    """

    state: str
    fault: str
    error: str = ""
    failure_class: str = ""
    says: str = "ready for review"
    pulls: int = 1
    github: tuple[dict[str, Any], ...] = ()
    before: Callable[[Trial], None] = field(default=_nothing)
    during: Callable[[Trial], None] = field(default=_nothing)
    execution: str = ""
    limit: int | None = None
    tries: int = TRIES
    sessions: int = 1
    table: str = "stack"
    is_heard: bool = True

    @property
    def name(self) -> str:
        """For pytest."""
        return f"{self.state}-{self.fault}".replace(" ", "_")

    @property
    def waits(self) -> bool:
        """Whether each try waits the 43 s in which GitHub may not know a new token."""
        return any(fault.get("status") == _UNAUTHORIZED for fault in self.github)


def fails(method: str, path: str, status: int, **more: Any) -> dict[str, Any]:
    """Return a request that GitHub answers with an error."""
    return {"method": method, "path_regex": path, "status": status, **more}


def held(method: str, path: str, seconds: float = HELD_SECONDS) -> dict[str, Any]:
    """Return a request that waits, so that something else can happen meanwhile."""
    return {"method": method, "path_regex": path, "delay": seconds}


def _kill_opening(trial: Trial) -> None:
    trial.until_held(TRACKING)
    trial.kill_function(OPENING)


def _kill_reporting(trial: Trial) -> None:
    trial.until_held(ONE_PULL)
    trial.kill_function(REPORTING)


def _kill_task(path: str) -> Callable[[Trial], None]:
    def kill(trial: Trial) -> None:
        trial.until_held(path)
        trial.kill_task()

    return kill


def _exhaust_quota(trial: Trial) -> None:
    trial.order(engine.EXHAUST_QUOTA, times=7)


def _exhaust_task(trial: Trial) -> None:
    trial.order(engine.EXHAUST_TASK)
    trial.until_held(CLONE)
    trial.kill_task()


def _corrupt(trial: Trial) -> None:
    trial.until_held(CLONE)
    trial.put_artifact("result.json", b'{"outcome": "chan')
    trial.kill_task()


def _stop_task(trial: Trial) -> None:
    trial.until_held(CLONE)
    trial.stop_task()


def _abort(path: str) -> Callable[[Trial], None]:
    def abort(trial: Trial) -> None:
        trial.until_held(path)
        trial.abort()

    return abort


def _refuse(times: int) -> Callable[[Trial], None]:
    return lambda trial: trial.order(engine.REFUSE_TASK, times=times)


def refuse_call(*parts: str) -> Callable[[Trial], None]:
    """Refuse a call of DynamoDB or S3 for good."""
    return lambda trial: trial.order(engine.REFUSE_CALL, *parts, times=_FOR_GOOD)


def _lose(*parts: str) -> Callable[[Trial], None]:
    """Let a call be made, but its answer get lost."""
    return lambda trial: trial.order(engine.LOSE_ANSWER, *parts)


def recall(trial: Trial) -> None:
    """Let AWS be back when the execution has given up."""
    trial.until_ended()
    trial.recall()


_FOR_GOOD = 1_000
_SECONDARY = {
    "headers": {"Retry-After": "1"},
    "body": {
        "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    },
}

CELLS = (
    Cell("OpenPullRequest", "GitHub 500 once", github=(fails("GET", REPOSITORY, 500),)),
    Cell(
        "OpenPullRequest",
        "GitHub 502 after it made the pull request",
        github=(fails("POST", PULLS, 502, after=True),),
    ),
    Cell(
        "OpenPullRequest",
        "GitHub 502 after it made the comment",
        github=(fails("POST", TRACKING, 502, after=True),),
    ),
    Cell(
        "OpenPullRequest",
        "GitHub hangs up once",
        github=({"method": "POST", "path_regex": PULLS, "drop": True},),
    ),
    Cell("OpenPullRequest", "GitHub does not answer in time", github=(held("GET", REPOSITORY),)),
    Cell(
        "OpenPullRequest", "GitHub's secondary limit once", github=(fails("POST", PULLS, 403, **_SECONDARY),)
    ),
    Cell(
        "OpenPullRequest",
        "GitHub 502 for good",
        "GitHubUnavailable",
        "transient",
        "Not started",
        0,
        (fails("GET", REPOSITORY, 502, times=None),),
    ),
    Cell(
        "OpenPullRequest",
        # The token is new, and GitHub's servers may not all know it yet: that is never told as a refusal.
        "GitHub 401 for good",
        "GitHubUnavailable",
        "transient",
        "Not started",
        0,
        (fails("GET", REPOSITORY, 401, times=None),),
        # Each waits the 43 s in which GitHub may not know a new token.
        tries=1,
    ),
    Cell(
        "OpenPullRequest",
        "branch locked by another session",
        "AlreadyRunning",
        "user",
        "already works",
        0,
        before=lambda trial: trial.lock_by_another(),
    ),
    Cell(
        "OpenPullRequest",
        "function killed in the middle",
        github=(held("GET", TRACKING),),
        during=_kill_opening,
    ),
    Cell(
        "RecordSession",
        "DynamoDB fails for good",
        "AwsUnavailable",
        "transient",
        "Not started",
        0,
        before=refuse_call("PutItem "),
        during=recall,
    ),
    Cell(
        "AdmitSession",
        "DynamoDB fails for good",
        "AwsUnavailable",
        "transient",
        "could not admit",
        before=refuse_call("TransactWriteItems ", "admitted_at"),
    ),
    Cell(
        "CloseSession",
        "DynamoDB fails for good",
        before=refuse_call("TransactWriteItems ", "closed_at"),
        execution="SUCCEEDED",
    ),
    Cell("RunAgent", "task not started once", before=_refuse(1)),
    Cell("RunAgent", "vCPU quota used up for more than one round of attempts", before=_exhaust_quota),
    Cell(
        "RunAgent",
        "S3 does not give the request",
        "AwsUnavailable",
        "transient",
        "exit code 3",
        before=refuse_call("GetObject ", "request.json"),
    ),
    Cell(
        "RunAgent",
        "S3 does not take the result",
        "AwsUnavailable",
        "transient",
        "exit code 3",
        before=refuse_call("PutObject ", "result.json"),
    ),
    Cell(
        "RunAgent",
        "task never started",
        "ImagePullFailed",
        "service",
        "could not pull the agent's image",
        before=_refuse(9),
    ),
    Cell(
        "RunAgent",
        "task killed with SIGKILL",
        "TaskLost",
        "service",
        "exit code 137",
        github=(held("POST", CLONE),),
        during=_kill_task(CLONE),
    ),
    Cell(
        "RunAgent",
        "task killed while it pushed",
        "TaskLost",
        "service",
        "exit code 137",
        github=(held("POST", PUSH),),
        during=_kill_task(PUSH),
    ),
    Cell(
        "RunAgent",
        "task out of memory (exit 137)",
        "OutOfMemory",
        "limit",
        "memory",
        github=(held("POST", CLONE),),
        during=_exhaust_task,
    ),
    Cell(
        "RunAgent",
        "task stopped by a person",
        "TaskStopped",
        "service",
        "stopped",
        github=(held("POST", CLONE),),
        during=_stop_task,
    ),
    Cell("RunAgent", "GitHub 502 once at the push", github=(fails("POST", PUSH, 502),)),
    Cell(
        "RunAgent",
        "GitHub 502 for good at the push",
        "GitHubUnavailable",
        "transient",
        "GitHub",
        github=(fails("*", ".git/.*receive-pack", 502, times=None),),
    ),
    Cell(
        "RunAgent",
        "GitHub 502 for good at the clone",
        "GitHubUnavailable",
        "transient",
        "GitHub",
        github=(fails("*", ".git/.*upload-pack", 502, times=None),),
    ),
    Cell(
        "ReportOutcome",
        "result corrupt",
        "TaskLost",
        "service",
        "cannot be read",
        github=(held("POST", CLONE),),
        during=_corrupt,
    ),
    Cell("ReportOutcome", "GitHub 500 once", github=(fails("GET", ONE_PULL, 500),)),
    Cell(
        "ReportOutcome", "GitHub's secondary limit once", github=(fails("GET", ONE_PULL, 403, **_SECONDARY),)
    ),
    Cell(
        "ReportOutcome",
        "function killed in the middle",
        github=(held("GET", ONE_PULL),),
        during=_kill_reporting,
    ),
    Cell(
        "RunAgent",
        "execution aborted",
        "SessionStopped",
        "user",
        "stopped",
        github=(held("POST", CLONE),),
        during=_abort(CLONE),
        execution="ABORTED",
    ),
    Cell(
        "ReportOutcome",
        "execution aborted",
        github=(held("GET", ONE_PULL),),
        during=_abort(ONE_PULL),
        execution="ABORTED",
    ),
    Cell(
        "ReportOutcome",
        "GitHub 502 until the next sweep",
        github=(fails("GET", ONE_PULL, 502, times=len(_PAUSES) + 1),),
    ),
    Cell("StartExecution", "the answer to the webhook is lost", before=_lose("StartExecution ")),
    Cell("RecordSession", "DynamoDB's answer is lost", before=_lose("PutItem ", "QUEUED")),
    Cell("OpenPullRequest", "the answer about the branch's lock is lost", before=_lose("PutItem ", "LOCK#")),
    Cell("OpenPullRequest", "the function's answer is lost", before=_lose("Invoke ", OPENING)),
    Cell("AdmitSession", "DynamoDB's answer is lost", before=_lose("TransactWriteItems ", "admitted_at")),
    Cell("RunAgent", "ECS's answer is lost: two tasks start", before=_lose("RunTask ")),
    Cell(
        "RunAgent", "the answer to the task's claim is lost", before=_lose("UpdateItem ", "task_started_at")
    ),
    Cell("ReportOutcome", "the function's answer is lost", before=_lose("Invoke ", REPORTING)),
    Cell("CloseSession", "DynamoDB's answer is lost", before=_lose("TransactWriteItems ", "closed_at")),
)
