"""Which failure it was, from what is known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pullwright import errors
from pullwright.errors import (
    FailureClass,
    PullwrightError,
    PushRefused,
    SessionClosed,
    TaskStopped,
    error_class,
)
from pullwright.models import Failure, Outcome
from pullwright.reporting.classify import NO_HEARTBEAT, Evidence, classify
from pullwright.reporting.event import StateError, TaskEnd
from pullwright.results import AgentResult
from pullwright_engine.ecs.shapes import QUOTA_REACHED

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ARN = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/0123"


def result(outcome: Outcome, failure: Failure | None = None) -> AgentResult:
    """Return what a runner left."""
    return AgentResult(
        session_id="s",
        task_arn=ARN,
        outcome=outcome,
        failure=failure,
        started_at=NOON,
        ended_at=NOON,
        exit_code=0,
    )


def not_placed(reason: str) -> StateError:
    """Return what `.sync` makes of an answer of RunTask that started nothing."""
    return StateError(Error="AmazonECS.Unknown", Cause=json.dumps({"Failures": [{"Reason": reason}]}))


def failed_task(**task: Any) -> StateError:
    """`States.TaskFailed` as `.sync` raises it: the task, with AWS's spelling, as the cause."""
    container = {"Name": "runner"} | {key: task.pop(key) for key in ("ExitCode", "Reason") if key in task}
    return StateError(
        Error="States.TaskFailed", Cause=json.dumps({"TaskArn": ARN, "Containers": [container], **task})
    )


def state_error(name: str, message: str = "") -> StateError:
    """Return an error of a Lambda function."""
    return StateError(Error=name, Cause=json.dumps({"errorMessage": message, "errorType": name}))


@pytest.mark.parametrize("outcome", [Outcome.CHANGED, Outcome.NO_CHANGE])
@pytest.mark.parametrize(
    "error",
    [
        None,
        failed_task(ExitCode=1),
        StateError(Error="States.Timeout"),
        StateError(Error="ExecutionTimedOut"),
    ],
)
def test_what_the_runner_finished_counts(outcome: Outcome, error: StateError | None) -> None:
    """A result that says done is done, however the task ended afterwards."""
    assert classify(Evidence(result=result(outcome), error=error)) == (outcome, None)


def test_the_runners_own_failure_counts() -> None:
    """What the runner says of its failure is what is told."""
    failure = Failure.of(PushRefused("The push was refused."))
    told = classify(Evidence(result=result(Outcome.FAILED, failure), error=failed_task(ExitCode=12)))
    assert told == (Outcome.FAILED, failure)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Evidence(is_open=False, is_admitted=False), "before its pull request was open"),
        (Evidence(is_admitted=False), "while it waited for a slot"),
        (Evidence(), "before its task had started"),
    ],
)
def test_an_execution_out_of_time_says_what_it_was_doing(stage: Evidence, words: str) -> None:
    """The whole execution's timeout is told apart from a state's, and no smaller task would help."""
    _, failure = classify(replace(stage, error=StateError(Error="ExecutionTimedOut")))
    assert failure is not None
    assert (failure.error, failure.failure_class) == ("TimeLimit", "limit")
    assert words in failure.sentence
    assert failure.remedy.startswith("Start it again")


def test_a_stopped_task_s_result_is_not_the_next_one_s() -> None:
    """When the task that followed a reclaimed one is killed, what is told is its own end."""
    stopped = result(Outcome.FAILED, Failure.of(TaskStopped("SIGTERM.")))
    _, own = classify(Evidence(result=stopped, error=failed_task(ExitCode=143, StopCode="SpotInterruption")))
    killed = failed_task(TaskArn=f"{ARN}-2", ExitCode=137, StopCode="EssentialContainerExited")
    _, next_one = classify(Evidence(result=stopped, error=killed))
    assert own is not None
    assert next_one is not None
    assert (own.error, next_one.error) == ("SpotInterrupted", "TaskLost")


@pytest.mark.parametrize("told", [TaskStopped("SIGTERM."), SessionClosed("The session is not running.")])
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("States.Timeout", "TimeLimit"),
        ("ExecutionTimedOut", "TimeLimit"),
        ("SessionStopped", "SessionStopped"),
        ("LabelRemoved", "LabelRemoved"),
    ],
)
def test_who_ended_a_session_knows_why_better_than_its_runner(
    told: PullwrightError, name: str, error: str
) -> None:
    """The runner had a signal, or asked the broker for something when the session was over already."""
    _, failure = classify(
        Evidence(result=result(Outcome.FAILED, Failure.of(told)), error=StateError(Error=name))
    )
    assert failure is not None
    assert failure.error == error


@pytest.mark.parametrize(
    ("evidence", "error"),
    [
        (Evidence(error=StateError(Error="States.Timeout")), errors.TimeLimit),
        (
            Evidence(error=failed_task(ExitCode=137, Reason="OutOfMemoryError: killed due to memory usage")),
            errors.OutOfMemory,
        ),
        (Evidence(error=failed_task(ExitCode=137, StopCode="EssentialContainerExited")), errors.TaskLost),
        (
            Evidence(
                error=failed_task(
                    StopCode="TaskFailedToStart", StoppedReason="CannotPullContainerError: pull 123456789012"
                )
            ),
            errors.ImagePullFailed,
        ),
        (
            Evidence(
                error=failed_task(
                    StopCode="TaskFailedToStart", StoppedReason="ResourceInitializationError: 123456789012"
                )
            ),
            errors.TaskNotStarted,
        ),
        (
            Evidence(
                error=StateError(Error="AmazonECS.Unknown", Cause='{"Failures":[{"Reason":"MISSING"}]}')
            ),
            errors.TaskNotStarted,
        ),
        (Evidence(error=failed_task(StopCode="UserInitiated", ExitCode=143)), errors.TaskStopped),
        (Evidence(error=failed_task(StopCode="ServiceSchedulerInitiated")), errors.TaskStopped),
        (
            Evidence(error=failed_task(StopCode="UserInitiated", StoppedReason=NO_HEARTBEAT)),
            errors.TaskLost,
        ),
        (Evidence(error=failed_task(StopCode="SpotInterruption")), errors.SpotInterrupted),
        (Evidence(error=failed_task(StopCode="TerminationNotice")), errors.SpotInterrupted),
        (Evidence(error=failed_task(ExitCode=2)), errors.InternalError),
        (Evidence(error=failed_task(ExitCode=3)), errors.AwsUnavailable),
        (Evidence(error=failed_task(ExitCode=4)), errors.SessionClosed),
        (Evidence(error=StateError(Error="SessionStopped")), errors.SessionStopped),
        (
            Evidence(is_open=False, error=StateError(Error="SessionStopped", Cause="A person did it.")),
            errors.SessionStopped,
        ),
        (
            Evidence(is_admitted=False, error=StateError(Error="LabelRemoved", Cause="It is off.")),
            errors.LabelRemoved,
        ),
        (Evidence(is_open=False, error=state_error("LabelRemoved", "It is off.")), errors.LabelRemoved),
        (
            Evidence(
                result=result(Outcome.FAILED, Failure.of(TaskStopped("SIGTERM."))),
                error=StateError(Error="LabelRemoved", Cause="It is off."),
            ),
            errors.LabelRemoved,
        ),
        (Evidence(error=StateError(Error="States.TaskFailed", Cause="not JSON")), errors.TaskLost),
        (
            Evidence(error=StateError(Error="AmazonECS.Unknown", Cause='{"Failures":[]}')),
            errors.TaskNotStarted,
        ),
        (Evidence(error=StateError(Error="ECS.ClusterNotFoundException")), errors.TaskNotStarted),
        (Evidence(error=StateError(Error="States.Runtime")), errors.InternalError),
        (Evidence(task=TaskEnd(ExitCode=0, StopCode="EssentialContainerExited")), errors.TaskLost),
        (Evidence(is_corrupt=True), errors.TaskLost),
        (
            Evidence(is_admitted=False, error=StateError(Error="DynamoDb.TransactionCanceledException")),
            errors.NoCapacity,
        ),
        (Evidence(is_admitted=False, error=StateError(Error="NoCapacity")), errors.NoCapacity),
        (
            Evidence(is_admitted=False, error=StateError(Error="DynamoDb.InternalServerError")),
            errors.AwsUnavailable,
        ),
        (Evidence(is_admitted=False, error=StateError(Error="States.Timeout")), errors.AwsUnavailable),
        (
            Evidence(task=TaskEnd(ExitCode=143), error=StateError(Error="ExecutionTimedOut")),
            errors.TimeLimit,
        ),
        (Evidence(is_open=False, error=state_error("IssueClosed", "It is closed.")), errors.IssueClosed),
        (Evidence(is_open=False, error=state_error("KeyError", "'secret'")), errors.InternalError),
        (Evidence(is_open=False, error=StateError(Error="States.Timeout")), errors.InternalError),
        (Evidence(is_open=False, error=StateError(Error="Lambda.Unknown", Cause="x")), errors.InternalError),
        (
            Evidence(is_open=False, error=StateError(Error="Lambda.TooManyRequestsException")),
            errors.AwsUnavailable,
        ),
        (Evidence(is_open=False), errors.InternalError),
    ],
)
def test_without_a_result_the_rest_decides(evidence: Evidence, error: type[PullwrightError]) -> None:
    """Every way to end without a result has its class, a sentence and that class's remedy."""
    outcome, failure = classify(evidence)
    assert outcome is Outcome.FAILED
    assert failure is not None
    assert failure.error == error.__name__
    assert failure.failure_class is error.failure_class
    assert failure.remedy == error.default_remedy
    assert failure.sentence.endswith(".")
    assert "123456789012" not in failure.sentence
    assert "secret" not in failure.sentence


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (StateError(Error="ECS.LimitExceededException"), "Service Quotas"),
        (not_placed(QUOTA_REACHED), "Service Quotas"),
        (not_placed("Capacity is unavailable at this time."), "short of capacity"),
        (not_placed("RESOURCE:MEMORY"), "short of capacity"),
        (
            StateError(
                Error="ECS.AmazonECSException",
                Cause="Capacity is unavailable at this time. (Service: AmazonECS; Status Code: 400)",
            ),
            "short of capacity",
        ),
        (
            failed_task(
                StopCode="TaskFailedToStart",
                StoppedReason="Capacity is unavailable at this time. Please try again later.",
            ),
            "short of capacity",
        ),
    ],
)
def test_a_lack_of_room_says_whose_it_is(error: StateError, remedy: str) -> None:
    """More slots help neither against the account's quota nor against AWS's want of capacity."""
    outcome, failure = classify(Evidence(error=error))
    assert outcome is Outcome.FAILED
    assert failure is not None
    assert (failure.error, failure.failure_class) == ("NoCapacity", FailureClass.LIMIT)
    assert remedy in failure.remedy


def test_the_sentence_of_our_own_error_is_kept() -> None:
    """What OpenPullRequest said is what is told."""
    evidence = Evidence(is_open=False, error=state_error("NotAllowed", "Outsider may not write."))
    _, failure = classify(evidence)
    assert failure is not None
    assert failure.sentence == "Outsider may not write."
    assert failure.failure_class is FailureClass.USER


def test_only_our_own_errors_are_ours() -> None:
    """Name of other things in the module are no error classes."""
    assert error_class("IssueClosed") is errors.IssueClosed
    for name in ("PullwrightError", "_UserError", "FailureClass", "Failure", "KeyError", "", "__name__"):
        assert error_class(name) is None
