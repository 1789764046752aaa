"""The cells of the previews' fault matrix: what goes wrong where, and how the preview must end then."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pullwright.github.connection import _PAUSES
from pullwright_engine import faults as engine
from tests.integration.faults.cells import CLONE, fails
from tests.integration.faults.preview_trial import PreviewTrial

if TYPE_CHECKING:
    from collections.abc import Callable

PULL, COMMENTS, ONE_COMMENT = "/pulls/{n}$", "/issues/{n}/comments$", "/issues/comments/"
PREPARING, ROUTING, REMOVING = '"input"', '"prepared"', '"ended"'
"""What only one of the three functions' events holds; RemovePreview's has `prepared` too."""
TRIES, MANY_TRIES = 2, 100
"""How often the states try again: few times where they are to give up, else however busy the machine is."""
_FOR_GOOD = 1_000
_BOTOCORE = 4
"""How often botocore makes a call."""
_CLOSED = "was closed"


def _nothing(_trial: PreviewTrial) -> None:
    """Leave it to what was ordered."""


@dataclass(frozen=True, eq=False)
class PreviewCell:
    """One failure in one state.

    Attributes:
        error: how the preview must end; empty for one that got over it and is served until its pull request
            is closed.
        says: what the comment must contain in the end.
        status: the execution's, where the error does not tell it.
        is_closed: whether the pull request is closed before the preview starts, which refuses it.
        github: failures of the stand-in, their paths below the repository.
        before: what is broken before the start.
        during: what is broken afterwards.
        gives_up: whether a state is to try a few times only, so that it ends soon.
        files: more files of the default branch.
    """

    state: str
    fault: str
    error: str = ""
    says: str = _CLOSED
    status: str = ""
    is_closed: bool = False
    github: tuple[dict[str, Any], ...] = ()
    before: Callable[[PreviewTrial], None] = field(default=_nothing)
    during: Callable[[PreviewTrial], None] = field(default=_nothing)
    gives_up: bool = False
    files: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """For pytest."""
        return f"{self.state}-{self.fault}".replace(" ", "_")

    @property
    def branch(self) -> str:
        """Of its pull request: a name that a host may have as it is."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())[:40].strip("-")

    @property
    def is_apart(self) -> bool:
        """Whether it needs a repository of its own: paths do not tell its requests from others'."""
        return bool(self.files) or any("{n}" not in fault["path_regex"] for fault in self.github)


def _refuse(*parts: str, times: int = _FOR_GOOD) -> Callable[[PreviewTrial], None]:
    return lambda trial: trial.order(engine.REFUSE_CALL, *parts, times=times)


def _throttle(operation: str, times: int = _FOR_GOOD) -> Callable[[PreviewTrial], None]:
    return lambda trial: trial.order(engine.REFUSE_CALL, operation, times=times, mark=trial.group)


def _lose(*parts: str) -> Callable[[PreviewTrial], None]:
    return lambda trial: trial.order(engine.LOSE_ANSWER, *parts)


def _lose_of_elb(operation: str) -> Callable[[PreviewTrial], None]:
    return lambda trial: trial.order(engine.LOSE_ANSWER, operation, mark=trial.group)


def _lose_rule(trial: PreviewTrial) -> None:
    trial.order(engine.LOSE_ANSWER, "CreateRule ", mark=f"{trial.host}.")


def _recall(trial: PreviewTrial) -> None:
    """Let AWS be back when the execution has given up."""
    trial.until_ended()
    trial.recall()


def _in_recording(end: Callable[[PreviewTrial], None]) -> Callable[[PreviewTrial], None]:
    def act(trial: PreviewTrial) -> None:
        trial.until_state("RecordPreview")
        end(trial)
        _recall(trial)

    return act


def _kill(path: str, function: str) -> Callable[[PreviewTrial], None]:
    def kill(trial: PreviewTrial) -> None:
        trial.until_held(path)
        trial.order(engine.KILL_FUNCTION, function)
        trial.until_struck()
        trial.release(path)

    return kill


def _outlive(path: str, function: str, end: Callable[[PreviewTrial], None]) -> Callable[[PreviewTrial], None]:
    """Hold a function, end its execution and see that told; then let the function go on to its own end."""

    def act(trial: PreviewTrial) -> None:
        trial.until_held(path)
        # Ordered first: on a busy machine it may give up before it is released.
        trial.order(engine.NOTE_END, function)
        end(trial)
        trial.until_closed()
        trial.release(path)
        trial.until_struck()

    return act


def _abort_served(trial: PreviewTrial) -> None:
    trial.until_served()
    trial.abort()


def _kill_served(trial: PreviewTrial) -> None:
    trial.until_served()
    trial.kill_task()


def _kill_cloning(trial: PreviewTrial) -> None:
    trial.until_held(CLONE)
    trial.kill_task()
    trial.release(CLONE)


def _time_out_starting(trial: PreviewTrial) -> None:
    for _ in trial.until("a task that runs"):
        if trial.preview.running():
            break
    trial.time_out()


def _close(order: Callable[[PreviewTrial], None]) -> Callable[[PreviewTrial], None]:
    """Close the pull request of a preview that is served while AWS fails, and let AWS be back afterwards."""

    def close(trial: PreviewTrial) -> None:
        trial.until_served()
        order(trial)
        trial.close_pull()
        _recall(trial)

    return close


_NEVER_READY = ((".pullwright/config.yaml", "preview: {start: sleep 600}\n"),)
_STOPPED: dict[str, Any] = {"error": "SessionStopped", "says": "stopped the preview", "status": "ABORTED"}
_REFUSED: dict[str, Any] = {"error": "PullRequestClosed", "says": "is closed", "is_closed": True}
_OUT_OF_TIME: dict[str, Any] = {
    "error": "TimeLimit",
    "says": "time was up before it could be prepared",
    "status": "TIMED_OUT",
}
_TIMED_OUT: dict[str, Any] = {"error": "PreviewNeverHealthy", "says": "time was up", "status": "TIMED_OUT"}


def _held(method: str, path: str, times: int | None = None) -> dict[str, Any]:
    """Return a request that waits until it is released, and so do later ones of that path."""
    return {"method": method, "path_regex": path, "hold": True, "times": times}


# What is waiting for the list is alone: whoever tells the end at the same time is not held.
_HELD = _held("GET", COMMENTS, 1)

PREVIEWS = (
    PreviewCell("RecordPreview", "DynamoDB's answer is lost", before=_lose("PutItem ")),
    PreviewCell(
        "RecordPreview",
        "DynamoDB fails for good",
        *("AwsUnavailable", "AWS did not do what the preview needed"),
        before=_refuse("PutItem "),
        during=_recall,
        gives_up=True,
    ),
    PreviewCell(
        "RecordPreview",
        "execution aborted",
        **_STOPPED,
        before=_refuse("PutItem "),
        during=_in_recording(PreviewTrial.abort),
    ),
    PreviewCell(
        "RecordPreview",
        "execution timed out",
        **_OUT_OF_TIME,
        before=_refuse("PutItem "),
        during=_in_recording(PreviewTrial.time_out),
    ),
    PreviewCell("PreparePreview", "function's answer is lost", before=_lose("Invoke ", PREPARING)),
    PreviewCell("PreparePreview", "DynamoDB's answer about the slot is lost", before=_lose("ADD holders")),
    PreviewCell(
        "PreparePreview", "function killed in the middle", github=(_HELD,), during=_kill(COMMENTS, PREPARING)
    ),
    PreviewCell(
        "PreparePreview",
        "execution aborted, and the function runs on",
        **_STOPPED,
        github=(_HELD,),
        during=_outlive(COMMENTS, PREPARING, PreviewTrial.abort),
    ),
    PreviewCell(
        "PreparePreview",
        "execution timed out, and the function runs on",
        **_OUT_OF_TIME,
        github=(_held("GET", PULL),),
        during=_outlive(PULL, PREPARING, PreviewTrial.time_out),
    ),
    PreviewCell("PreparePreview", "GitHub 502 once", github=(fails("GET", PULL, 502),)),
    PreviewCell(
        "PreparePreview",
        "GitHub 502 after it made the comment",
        github=(fails("POST", COMMENTS, 502, after=True),),
    ),
    PreviewCell(
        "PreparePreview",
        "GitHub 502 for good",
        *("GitHubUnavailable", "GitHub"),
        github=(fails("GET", PULL, 502, times=None),),
        gives_up=True,
    ),
    PreviewCell("RunPreview", "ECS's answer is lost: two tasks start", before=_lose("RunTask ")),
    PreviewCell(
        "RunPreview",
        "task never started",
        *("ImagePullFailed", "could not start"),
        before=lambda trial: trial.order(engine.REFUSE_TASK),
    ),
    PreviewCell(
        "RunPreview",
        "task killed while it clones",
        *("TaskLost", "task was killed (exit code 137)"),
        github=(_held("POST", CLONE),),
        during=_kill_cloning,
    ),
    PreviewCell(
        "RunPreview", "task killed while it serves", *("TaskLost", "exit code 137"), during=_kill_served
    ),
    PreviewCell("RunPreview", "GitHub 502 once at the clone", github=(fails("POST", CLONE, 502),)),
    PreviewCell(
        "RunPreview",
        "GitHub 502 for good at the clone",
        *("GitHubUnavailable", "GitHub did not give the commit"),
        github=(fails("*", ".git/.*upload-pack", 502, times=None),),
    ),
    PreviewCell("RunPreview", "execution aborted while it serves", **_STOPPED, during=_abort_served),
    PreviewCell(
        "RunPreview",
        "execution timed out before it is healthy",
        **_TIMED_OUT,
        during=_time_out_starting,
        files=_NEVER_READY,
    ),
    PreviewCell("RoutePreview", "function's answer is lost", before=_lose("Invoke ", "RoutePreview")),
    PreviewCell(
        "RoutePreview",
        "function killed in the middle",
        github=(_held("PATCH", ONE_COMMENT),),
        during=_kill(ONE_COMMENT, ROUTING),
    ),
    PreviewCell(
        "RoutePreview",
        "execution aborted, and the function runs on",
        **_STOPPED,
        github=(_held("PATCH", ONE_COMMENT),),
        during=_outlive(ONE_COMMENT, ROUTING, PreviewTrial.abort),
    ),
    PreviewCell(
        "RoutePreview",
        "execution timed out, and the function runs on",
        **_TIMED_OUT,
        github=(_held("PATCH", ONE_COMMENT),),
        during=_outlive(ONE_COMMENT, ROUTING, PreviewTrial.time_out),
        files=_NEVER_READY,
    ),
    PreviewCell(
        "RoutePreview", "ELB throttled for a while", before=_throttle("CreateTargetGroup ", _BOTOCORE + 1)
    ),
    PreviewCell(
        "RoutePreview",
        "ELB throttled for good",
        *("AwsUnavailable", "routes of previews"),
        before=_throttle("CreateTargetGroup "),
        gives_up=True,
    ),
    PreviewCell(
        "RoutePreview",
        "ELB throttled for good, with its group made",
        *("AwsUnavailable", "routes of previews"),
        before=_throttle("CreateRule "),
        gives_up=True,
    ),
    PreviewCell(
        "RoutePreview", "ELB's answer about the group is lost", before=_lose_of_elb("CreateTargetGroup ")
    ),
    PreviewCell("RoutePreview", "ELB's answer about the rule is lost", before=_lose_rule),
    PreviewCell("RoutePreview", "GitHub 502 once", github=(fails("PATCH", ONE_COMMENT, 502),)),
    PreviewCell("RemovePreview", "function's answer is lost", **_REFUSED, before=_lose("Invoke ", REMOVING)),
    PreviewCell(
        "RemovePreview",
        "function killed in the middle",
        **_REFUSED,
        github=(_HELD,),
        during=_kill(COMMENTS, REMOVING),
    ),
    PreviewCell(
        "RemovePreview",
        "execution aborted, and the function runs on",
        **_REFUSED,
        status="ABORTED",
        github=(_HELD,),
        during=_outlive(COMMENTS, REMOVING, PreviewTrial.abort),
    ),
    PreviewCell(
        "RemovePreview",
        "execution timed out, and the function runs on",
        **_REFUSED,
        status="TIMED_OUT",
        github=(_HELD,),
        during=_outlive(COMMENTS, REMOVING, PreviewTrial.time_out),
    ),
    PreviewCell(
        "RemovePreview",
        "GitHub 502 until the next sweep",
        **_REFUSED,
        github=(fails("GET", COMMENTS, 502, times=(len(_PAUSES) + 1) * (TRIES + 1)),),
        gives_up=True,
    ),
    PreviewCell("RemovePreview", "ELB throttled once", during=_close(_throttle("DeleteTargetGroup ", 1))),
    PreviewCell(
        "RemovePreview",
        "ELB throttled for good, until the next sweep",
        status="FAILED",
        gives_up=True,
        during=_close(_throttle("DeleteTargetGroup ")),
    ),
    PreviewCell("RemovePreview", "ELB's answer is lost", during=_close(_lose_of_elb("DeleteTargetGroup "))),
    PreviewCell(
        "RemovePreview",
        "DynamoDB fails for good, until the next sweep",
        status="FAILED",
        gives_up=True,
        during=_close(_refuse("UpdateItem ", "ended_at")),
    ),
)
