"""The fault matrix, part two: AWS's own calls fail in each state, and every session ends.

Functions and tasks are mocked, and the failing call; what ReportOutcome is told is judged by the real
classifier. The other part is `tests/integration/test_faults.py`. Both write `docs/fault-matrix.md`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.reporting.classify import Evidence, classify
from pullwright.reporting.event import StateError
from pullwright_engine.ecs.shapes import QUOTA_REACHED
from tests.fault_matrix import Matrix, Row
from tests.statemachine.kit import LOCK, OPENED, SUCCEEDED, TASK, answers, failed, not_placed, returns, throws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.statemachine.kit import Finished, Machine

GOOD: dict[str, dict[str, Any]] = {
    "RecordSession": returns({}),
    "OpenPullRequest": answers(OPENED),
    "AdmitSession": returns({}),
    "RunAgent": returns(TASK),
    "ReportOutcome": answers(SUCCEEDED),
    "CloseSession": returns({}),
}
MOCKED = ("OpenPullRequest", "RunAgent", "ReportOutcome")
TABLE, FUNCTION, TASKS = (
    "DynamoDb.InternalServerErrorException",
    "Lambda.ServiceException",
    "ECS.ServerException",
)
THROTTLED, KILLED, LATE = "Lambda.TooManyRequestsException", "Runtime.ExitError", "States.Timeout"
LIMITED = "GitHubRateLimited"
REFUSED = "DynamoDb.TransactionCanceledException"
ONCE = {
    "RecordSession": {"fails": TABLE, "is throttled": "DynamoDb.ThrottlingException"},
    "OpenPullRequest": {
        "fails": FUNCTION,
        "is throttled": THROTTLED,
        "is killed in the middle": KILLED,
    },
    "AdmitSession": {
        "fails": TABLE,
        "is throttled": "DynamoDb.ThrottlingException",
    },
    "RunAgent": {
        "fails": TASKS,
        "is throttled": "ECS.ThrottlingException",
    },
    "ReportOutcome": {
        "fails": FUNCTION,
        "is throttled": THROTTLED,
        "is killed in the middle": KILLED,
    },
    "CloseSession": {"fails": TABLE, "is throttled": "DynamoDb.ThrottlingException", "is refused": REFUSED},
}


@dataclass(frozen=True, eq=False)
class Cell:
    """One failure in one state.

    Attributes:
        attempts: what the call's attempts come to; the last one stays.
        error: how the session must end; empty for one that succeeds.
    """

    state: str
    fault: str
    attempts: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    failure_class: str = ""

    @property
    def name(self) -> str:
        """For pytest."""
        return f"{self.state}-{self.fault}".replace(" ", "_")


def _once(state: str, fault: str, error: str) -> Cell:
    return Cell(state, f"{fault} once", [throws(error), GOOD[state]])


def _always(state: str, fault: str, error: str, ending: str, failure_class: str) -> Cell:
    return Cell(state, f"{fault} for good", [throws(error)], ending, failure_class)


CELLS = (
    *(_once(state, fault, error) for state, faults in ONCE.items() for fault, error in faults.items()),
    Cell("RunAgent", "meets the account's vCPU quota once", [not_placed(QUOTA_REACHED), GOOD["RunAgent"]]),
    *(_once(state, "times out", LATE) for state in ONCE if state != "RunAgent"),
    _always("OpenPullRequest", "fails", FUNCTION, "AwsUnavailable", "transient"),
    _always("OpenPullRequest", "is throttled", THROTTLED, "AwsUnavailable", "transient"),
    _always("OpenPullRequest", "is killed in the middle", KILLED, "InternalError", "service"),
    _always("OpenPullRequest", "meets GitHub's rate limit", LIMITED, LIMITED, "transient"),
    _always("OpenPullRequest", "meets Jira's rate limit", "JiraRateLimited", "JiraRateLimited", "transient"),
    _always("OpenPullRequest", "does not reach Jira", "JiraUnavailable", "JiraUnavailable", "transient"),
    _always("OpenPullRequest", "times out", LATE, "InternalError", "service"),
    _always("AdmitSession", "fails", TABLE, "AwsUnavailable", "transient"),
    _always("AdmitSession", "is throttled", "DynamoDb.ThrottlingException", "AwsUnavailable", "transient"),
    _always("AdmitSession", "times out", LATE, "AwsUnavailable", "transient"),
    Cell("AdmitSession", "finds no slot in time", [throws(REFUSED)], "NoCapacity", "limit"),
    _always("RunAgent", "fails", TASKS, "TaskNotStarted", "service"),
    _always("RunAgent", "is throttled", "ECS.ThrottlingException", "TaskNotStarted", "service"),
    Cell(
        "RunAgent",
        "meets the account's vCPU quota for good",
        [not_placed(QUOTA_REACHED)],
        "NoCapacity",
        "limit",
    ),
    Cell("RunAgent", "times out", [throws(LATE)], "TimeLimit", "limit"),
    _always("ReportOutcome", "fails", FUNCTION, "InternalError", "service"),
    _always("ReportOutcome", "is throttled", THROTTLED, "InternalError", "service"),
    _always("ReportOutcome", "meets GitHub's rate limit", LIMITED, "InternalError", "service"),
    _always("ReportOutcome", "is killed in the middle", KILLED, "InternalError", "service"),
    _always("ReportOutcome", "times out", LATE, "InternalError", "service"),
)


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """Provide the part of the table that this module writes when all of its cells have passed."""
    part = Matrix("calls", {cell.name for cell in CELLS})
    yield part
    part.write()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_every_failing_call_has_an_ending(machine: Machine, matrix: Matrix, cell: Cell) -> None:
    """The session ends as it must, with a class, and gives back what it held."""
    session_id = f"implement-7-{uuid.uuid4()}"
    machine.lock(session_id)
    mocked = {state: [GOOD[state]] for state in MOCKED}
    if cell.error:
        mocked["ReportOutcome"] = [answers(failed(cell.error, lock_key=LOCK))]
    finished = machine.run(session_id, **{**mocked, cell.state: cell.attempts})

    assert finished.status == ("FAILED" if cell.error else "SUCCEEDED")
    assert _ending(machine, finished, cell) == (cell.error, cell.failure_class)
    if cell.state != "CloseSession":
        assert machine.get(LOCK) is None
        assert session_id not in (machine.get("SLOTS") or {}).get("holders", [])
        assert "closed_at" in machine.session(finished)
    matrix.passed(cell.name, Row(cell.state, cell.fault, cell.error or "changed", cell.failure_class))


def _ending(machine: Machine, finished: Finished, cell: Cell) -> tuple[str, str]:
    """Error and class: ReportOutcome's own where it can speak, else what the record says."""
    if cell.state == "ReportOutcome" and cell.error:
        record = machine.session(finished)
        assert record["report_due"] is True
        return record["error"], record["failure_class"]
    told = finished.report["error"]
    if told is None:
        return "", ""
    evidence = Evidence(
        is_open=cell.state != "OpenPullRequest",
        is_admitted=cell.state == "RunAgent",
        error=StateError(**told),
    )
    _, failure = classify(evidence)
    assert failure is not None
    return failure.error, failure.failure_class
