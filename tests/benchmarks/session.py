"""Sessions on the local stack: one that is a stub, and one in which the real CLI meets the scripted model."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local.demo import scenario
from local.layout import ROOT, TOOLS, Layout
from local.people import call
from local.sessions import Session, Stack
from local.stack import status
from tests.benchmarks.figures import Figure, Mark, Section, median

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

OWN_STACK = Layout(TOOLS / "bench" / "stack")
"""Where a stack is started when none is up."""

_ROUNDS = 3
_LABELS = 20
_INSTALLATIONS = 2
"""As many as a 95th percentile needs: the slowest but one."""
_COMMENT_SECONDS = 1.0
_STATES = 8
_INVOCATIONS = 2
_LONGEST = 180


class NotMeasuredError(RuntimeError):
    """No stack came up, or a session did not end as it has to."""


def measure(say: Callable[[str], None]) -> Section:
    """Measure sessions on the stack that is up, or on one that is started for it.

    Raises:
        NotMeasuredError: there is nothing to measure.
    """
    with running_stack(say) as stack:
        stubs = [_stub(stack, say, number) for number in range(_ROUNDS)]
        labels = [_labelled(stack, say) for _ in range(_ROUNDS)] if stack.model_url else []
        comments = [_commented(stack, say, number) for number in range(_LABELS)] if stack.model_url else []
    figures = _figures(stubs) + _figures(labels) + _slowest(comments)
    return Section(
        "Session",
        f"{_ROUNDS} sessions each on the local stack: with real webhooks, functions, state machine and "
        "runner on this machine, so without Fargate's own start. The stub session is started by "
        "StartExecution; the labelled one has the real CLI and a scripted model, and its seconds count "
        f"from the sending of the webhook. The percentile is of {_LABELS} labels on {_INSTALLATIONS} "
        "installations, each set when the session before had ended. Overhead is the session "
        "without the time of the agent's process."
        + ("" if labels else " The stack's model is a real one, so no labelled session was started."),
        figures,
    )


@contextmanager
def running_stack(say: Callable[[str], None]) -> Iterator[Stack]:
    """Give the stack that is up, or one that runs as long as it is needed."""
    running = Layout.of_environment()
    if status(running)["up"]:
        yield Stack.load(running.data)
        return
    say("a local stack of its own, since none is up")
    try:
        _local("up")
        yield Stack.load(OWN_STACK.data)
    finally:
        say("stopping that stack")
        _local("down", "--discard")


def _local(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", *command],
        cwd=ROOT,
        env={**os.environ, "PULLWRIGHT_LOCAL": str(OWN_STACK.data)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotMeasuredError(
            f"`local {command[0]}` exited with {done.returncode}: {done.stderr.strip()[-500:]}"
        )


def _stub(stack: Stack, say: Callable[[str], None], number: int) -> list[Figure]:
    say(f"stub session {number + 1} of {_ROUNDS}")
    work = scenario.built_in(stack.github_url, None)
    session = stack.start({"repository": work.repository, "issue": work.issue, "stub": True})
    seconds = _seconds(finished(session))
    agent = sum(visit.seconds or 0 for visit in session.visits() if visit.name == "RunAgent")
    return [
        Figure("states entered", len(session.visits()), "", mark=Mark(_STATES)),
        Figure("functions invoked by the machine", _invocations(session), "", mark=Mark(_INVOCATIONS)),
        Figure("stub session, whole", seconds, "s"),
        Figure("stub session, outside the task", seconds - agent, "s"),
    ]


def _labelled(stack: Stack, say: Callable[[str], None]) -> list[Figure]:
    say("session with the agent")
    work = scenario.built_in(stack.github_url, stack.model_url)
    work.person.label(work.repository, work.issue, scenario.LABEL)
    session = stack.wait_for_execution(work.repository, work.issue, 30)
    described = finished(session)
    record = session.record()

    delivery = next(
        found
        for found in call(stack.github_url, "GET", "/_standin/deliveries")
        if found["guid"] == session.input["delivery_id"]
    )
    answered = _unix(delivery["delivered_at"])
    sent = answered - delivery["duration"]
    requests = _requests(stack, work.repository, by_person=False)
    model = min(
        request["at"]
        for request in call(str(stack.model_url), "GET", "/_standin/requests")
        if "model" in request and request["at"] > sent
    )
    early = sum(sent <= _unix(request["time"]) < answered for request in requests)
    return [
        Figure("webhook answered", delivery["duration"], "s"),
        Figure("GitHub calls before that", early, "", mark=Mark(0)),
        Figure("acknowledged on the issue", _first(requests, r"/issues/\d+/reactions$") - sent, "s"),
        Figure("tracking comment", _first(requests, r"/issues/\d+/comments$") - sent, "s"),
        Figure("agent's first model request", model - sent, "s"),
        Figure("labelled session, whole", described["stopDate"].timestamp() - sent, "s"),
        Figure(
            "labelled session, overhead",
            described["stopDate"].timestamp() - sent - float(record.agent_seconds or 0),
            "s",
        ),
    ]


def _commented(stack: Stack, say: Callable[[str], None], number: int) -> float:
    """Label an issue, stop the session once its comment stands, and return the seconds between the two."""
    say(f"label {number + 1} of {_LABELS}")
    # Twenty in a row are more content than one installation may make at once.
    work = scenario.built_in(stack.github_url, stack.model_url, f"octo-labs-{number % _INSTALLATIONS + 1}")
    work.person.label(work.repository, work.issue, scenario.LABEL)
    session = stack.wait_for_execution(work.repository, work.issue, 30)
    deadline = time.monotonic() + _LONGEST
    while session.record().comment_id is None:
        if time.monotonic() > deadline or session.status() not in ("RUNNING", "SUCCEEDED"):
            raise NotMeasuredError(f"session {session.id} wrote no comment")
        time.sleep(0.1)
    stack.client("stepfunctions").stop_execution(executionArn=session.arn)
    while not session.record().is_over:
        if time.monotonic() > deadline:
            raise NotMeasuredError(f"session {session.id} was stopped and did not end")
        time.sleep(0.2)
    labelled, commented = [
        _first(_requests(stack, work.repository, by_person=by_person), path)
        for path, by_person in ((rf"/issues/{work.issue}/labels$", True), (r"/issues/\d+/comments$", False))
    ]
    return commented - labelled


def _slowest(seconds: Sequence[float]) -> tuple[Figure, ...]:
    """Take the 95th percentile: of twenty the slowest but one."""
    if not seconds:
        return ()
    value = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    mark, spread = Mark(_COMMENT_SECONDS), (min(seconds), max(seconds))
    return (Figure("label to tracking comment, 95th percentile", value, "s", spread, mark),)


def _requests(stack: Stack, repository: str, *, by_person: bool) -> list[dict[str, Any]]:
    return [
        request
        for request in call(stack.github_url, "GET", "/_standin/requests")
        if f"/repos/{repository}/" in request["path"] and request["actor"].startswith("user:") == by_person
    ]


def finished(session: Session) -> dict[str, Any]:
    """Wait for a session's end and return its execution.

    Raises:
        NotMeasuredError: it did not succeed.
    """
    try:
        ended = session.wait(_LONGEST)
    except TimeoutError as error:
        raise NotMeasuredError(str(error)) from error
    if ended != "SUCCEEDED":
        record = session.record()
        raise NotMeasuredError(f"session {session.id} ended {ended}: {record.sentence or 'no reason'}")
    described: dict[str, Any] = session.stack.client("stepfunctions").describe_execution(
        executionArn=session.arn
    )
    return described


def _seconds(described: dict[str, Any]) -> float:
    return float((described["stopDate"] - described["startDate"]).total_seconds())


def _invocations(session: Session) -> int:
    return sum(
        event.get("taskScheduledEventDetails", {}).get("resourceType") == "lambda"
        for event in session.events()
    )


def _first(requests: Sequence[dict[str, Any]], path: str) -> float:
    """When the first POST to a path was made."""
    return min(
        _unix(request["time"])
        for request in requests
        if request["method"] == "POST" and re.search(path, request["path"])
    )


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _figures(rounds: Sequence[Sequence[Figure]]) -> tuple[Figure, ...]:
    """Take the medians over the rounds."""
    return tuple(
        median(same[0].name, [figure.value for figure in same], same[0].unit, mark=same[0].mark)
        for same in zip(*rounds, strict=True)
    )
