"""Evaluations on the engine, whose sessions end as their inputs say, or are those of the real machine."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.statemachine.kit import SECONDS, answers, failed, filled_in, throws
from tests.template.kit import EVALUATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.statemachine.kit import Machine

SESSION = {
    "QueryLanguage": "JSONata",
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.ends = 'well' %}", "Next": "Succeeded"},
                {"Condition": "{% $states.input.ends = 'never' %}", "Next": "Work"},
            ],
            "Default": "Failed",
        },
        "Work": {"Type": "Wait", "Seconds": 300, "Next": "Succeeded"},
        "Succeeded": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "{% $states.input.ends %}", "Cause": "because"},
    },
}
"""A session: it works `well`, works and does `never` end, or fails with the error that it is given."""


@dataclass
class Evaluations:
    """The machine of evaluations on an engine, its retries after a second at most.

    Attributes:
        session: ARN of the machine whose executions are its sessions.
    """

    machine: Machine
    session: str
    arn: str = field(init=False)

    def __post_init__(self) -> None:
        document = filled_in(EVALUATION, {"AgentSessionArn": self.session, "Partition": "aws"})
        for retrier in document["States"]["RunSessions"]["ItemProcessor"]["States"]["RunSession"]["Retry"]:
            retrier.pop("MaxDelaySeconds", None)
            retrier |= {"IntervalSeconds": 1, "BackoffRate": 1}
        self.arn = self.machine.states.create_state_machine(
            name=f"evaluation-{uuid.uuid4().hex[:8]}",
            definition=json.dumps(document),
            roleArn="arn:aws:iam::000000000000:role/evaluation",
        )["stateMachineArn"]

    def start(self, requests: dict[str, Any], *, concurrency: int = 2) -> str:
        """Start an evaluation and return its execution's ARN.

        Args:
            requests: sessions' inputs by their names.
        """
        runs = [{"name": name, "request": request} for name, request in requests.items()]
        started = self.machine.states.start_execution(
            stateMachineArn=self.arn, input=json.dumps({"concurrency": concurrency, "runs": runs})
        )
        return started["executionArn"]

    def ended(self, arn: str) -> tuple[str, dict[str, Any]]:
        """Wait for an evaluation's end and return status and output."""
        self.until(lambda: self._status(arn) != "RUNNING")
        described = self.machine.states.describe_execution(executionArn=arn)
        return described["status"], json.loads(described.get("output", "{}"))

    def sessions(self) -> dict[str, str]:
        """Return the status of each session that was begun, by its name."""
        pages = self.machine.states.get_paginator("list_executions").paginate(stateMachineArn=self.session)
        return {one["name"]: one["status"] for page in pages for one in page["executions"]}

    def stop(self, name: str) -> None:
        """Stop a session that does not end by itself, as soon as it has begun to work."""
        arn = f"{self.session.replace(':stateMachine:', ':execution:')}:{name}"
        history = self.machine.states.get_execution_history
        self.until(
            lambda: any(it["type"] == "WaitStateEntered" for it in history(executionArn=arn)["events"])
        )
        self.machine.states.stop_execution(executionArn=arn)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.sessions()
            time.sleep(0.05)

    def _status(self, arn: str) -> str:
        return self.machine.states.describe_execution(executionArn=arn)["status"]


@pytest.fixture
def evaluations(engine_machine: Machine) -> Evaluations:
    """Provide the machine of evaluations, with sessions that end as their inputs say."""
    session = engine_machine.states.create_state_machine(
        name=f"session-{uuid.uuid4().hex[:8]}",
        definition=json.dumps(SESSION),
        roleArn="arn:aws:iam::000000000000:role/session",
    )["stateMachineArn"]
    return Evaluations(engine_machine, session)


@pytest.mark.parametrize(
    ("ends", "errors"),
    [
        (["well", "CheckFailed", "well"], 1),
        (["AgentFailed", "InvalidRequest", "AgentFailed"], 3),
        (["well", "EvaluationBudget", "EvaluationBudget"], 2),
    ],
    ids=["one fails", "all fail", "the budget is used up"],
)
def test_a_session_that_fails_ends_its_own_run_alone(
    evaluations: Evaluations, ends: list[str], errors: int
) -> None:
    """Every session is begun once, whatever became of the others, and the evaluation counts the failures."""
    requests = {f"ev-{number}": {"ends": end} for number, end in enumerate(ends)}
    assert evaluations.ended(evaluations.start(requests)) == (
        "SUCCEEDED",
        {"runs": len(ends), "errors": errors},
    )
    assert evaluations.sessions() == {
        name: "SUCCEEDED" if request["ends"] == "well" else "FAILED" for name, request in requests.items()
    }


def test_a_session_that_is_aborted_ends_its_own_run_alone(evaluations: Evaluations) -> None:
    """The evaluation goes on with the next one, and does not begin the aborted one again."""
    arn = evaluations.start({"ev-1": {"ends": "never"}, "ev-2": {"ends": "well"}}, concurrency=1)
    evaluations.until(lambda: evaluations.sessions() == {"ev-1": "RUNNING"})
    evaluations.stop("ev-1")

    assert evaluations.ended(arn) == ("SUCCEEDED", {"runs": 2, "errors": 1})
    assert evaluations.sessions() == {"ev-1": "ABORTED", "ev-2": "SUCCEEDED"}


def test_what_was_not_begun_when_it_was_stopped_is_begun_later(evaluations: Evaluations) -> None:
    """After a stop nothing begins; started again it runs what was not begun, and nothing twice."""
    requests = {"ev-1": {"ends": "well"}, "ev-2": {"ends": "never"}, "ev-3": {"ends": "well"}}
    arn = evaluations.start(requests, concurrency=1)
    evaluations.until(lambda: evaluations.sessions() == {"ev-1": "SUCCEEDED", "ev-2": "RUNNING"})
    evaluations.machine.states.stop_execution(executionArn=arn)
    # As the command does: on AWS the integration stops its execution by itself, as well as it can.
    evaluations.stop("ev-2")
    assert evaluations.ended(arn)[0] == "ABORTED"
    assert evaluations.sessions() == {"ev-1": "SUCCEEDED", "ev-2": "ABORTED"}

    again = evaluations.start(requests, concurrency=1)
    assert evaluations.ended(again) == ("SUCCEEDED", {"runs": 3, "errors": 2})
    assert evaluations.sessions() == {"ev-1": "SUCCEEDED", "ev-2": "ABORTED", "ev-3": "SUCCEEDED"}


def test_so_many_run_at_a_time_as_it_was_told(evaluations: Evaluations) -> None:
    """The third of three sessions does not begin before one of the first two has ended."""
    arn = evaluations.start({f"ev-{number}": {"ends": "never"} for number in range(3)})
    evaluations.until(lambda: len(evaluations.sessions()) == 2)
    time.sleep(1)
    assert evaluations.sessions() == {"ev-0": "RUNNING", "ev-1": "RUNNING"}
    evaluations.stop("ev-0")
    evaluations.until(lambda: len(evaluations.sessions()) == 3)
    for name in ("ev-1", "ev-2"):
        evaluations.stop(name)
    assert evaluations.ended(arn)[1] == {"runs": 3, "errors": 3}


def test_the_real_machine_s_refusal_ends_a_run_without_a_slot(machine: Machine) -> None:
    """A session without room in the budget is closed as any that is refused, and the evaluation ends."""
    session = machine.mock(
        "evaluated",
        OpenPullRequest=[throws("EvaluationBudget")],
        ReportOutcome=[answers(failed("EvaluationBudget"))],
    )
    evaluations = Evaluations(machine, session)
    name = f"ev-{uuid.uuid4().hex[:8]}"
    arn = evaluations.start({name: {"repository": "acme/shop", "evaluation": {"id": "ev"}}})
    assert evaluations.ended(arn) == ("SUCCEEDED", {"runs": 1, "errors": 1})
    record = machine.get(f"SESSION#{name}")
    assert record is not None
    assert (record["status"], record["error"]) == ("FAILED", "EvaluationBudget")
    assert name not in (machine.get("SLOTS") or {}).get("holders", [])
