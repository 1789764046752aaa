"""The fault matrix of previews, part two: calls fail in each state, and every preview ends.

Functions and tasks are mocked, and the failing call; what RemovePreview is told is judged by the real
verdict. All cells run at the same time. The other part is `tests/integration/test_preview_faults.py`; both
write `docs/fault-matrix.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import TimeLimit
from pullwright.previewing.store import PreviewRecord
from pullwright.previewing.verdict import failure_of
from pullwright.reporting.event import StateError, TaskEnd
from pullwright_engine.ecs.shapes import QUOTA_REACHED
from tests.fault_matrix import Matrix, Row
from tests.statemachine.kit import answers, not_placed, not_started, returns, throws
from tests.statemachine.preview_kit import FAILED, WITH_PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.statemachine.kit import Finished
    from tests.statemachine.preview_kit import Previews

_TABLE, _THROTTLED_TABLE = "DynamoDb.InternalServerErrorException", "DynamoDb.ThrottlingException"
_FUNCTION, _THROTTLED = "Lambda.ServiceException", "Lambda.TooManyRequestsException"
_KILLED, _LATE = "Runtime.ExitError", "States.Timeout"
_TASKS, _THROTTLED_TASKS = "ECS.ServerException", "ECS.ThrottlingException"
_NO_ROOM = "has no room (the account's vCPU quota)"
_OF_FUNCTIONS = {
    "fails": (_FUNCTION, "AwsUnavailable"),
    "is throttled": (_THROTTLED, "AwsUnavailable"),
    "is killed in the middle": (_KILLED, "InternalError"),
    "times out": (_LATE, "AwsUnavailable"),
    "finds AWS not answering, or ELB throttling": ("AwsUnavailable", "AwsUnavailable"),
    "meets GitHub's 502": ("GitHubUnavailable", "GitHubUnavailable"),
    "meets GitHub's rate limit": ("GitHubRateLimited", "GitHubRateLimited"),
}
_CALLS = {
    "RecordPreview": {
        "fails": (_TABLE, "AwsUnavailable"),
        "is throttled": (_THROTTLED_TABLE, "AwsUnavailable"),
        "times out": (_LATE, "AwsUnavailable"),
    },
    "PreparePreview": _OF_FUNCTIONS,
    "RunPreview": {
        "fails": (_TASKS, "TaskNotStarted"),
        "is throttled": (_THROTTLED_TASKS, "TaskNotStarted"),
    },
    "RoutePreview": _OF_FUNCTIONS,
    # The preview is served, with pictures or without.
    "ShowScreenshots": {name: (error, "") for name, (error, _) in _OF_FUNCTIONS.items()},
    # What it would have told is what the sweep tells.
    "RemovePreview": {name: (error, "InternalError") for name, (error, _) in _OF_FUNCTIONS.items()},
}
_DONE: dict[str, dict[str, Any]] = {
    "RecordPreview": returns({}),
    **{name: it[0] for name, it in WITH_PICTURES.items()},
}


@dataclass(frozen=True, eq=False)
class Cell:
    """One failure in one state.

    Attributes:
        attempts: what the call's attempts come to; the last one stays.
        error: how the preview must end; empty for one that succeeds.
    """

    state: str
    fault: str
    attempts: list[dict[str, Any]]
    error: str = ""

    @property
    def name(self) -> str:
        """For pytest."""
        return f"{self.state}-{self.fault}".replace(" ", "_")


CELLS = (
    *(
        Cell(state, f"{fault} once", [throws(error), _DONE[state]])
        for state, faults in _CALLS.items()
        for fault, (error, _) in faults.items()
    ),
    *(
        Cell(state, f"{fault} for good", [throws(error)], ending)
        for state, faults in _CALLS.items()
        for fault, (error, ending) in faults.items()
    ),
    Cell("RunPreview", f"{_NO_ROOM} once", [not_placed(QUOTA_REACHED), _DONE["RunPreview"]]),
    Cell("RunPreview", f"{_NO_ROOM} for good", [not_placed(QUOTA_REACHED)], "TaskNotStarted"),
    Cell("RunPreview", "never starts its task", [not_started()], "ImagePullFailed"),
    Cell("RunPreview", "times out before the preview is healthy", [throws(_LATE)], "PreviewNeverHealthy"),
)


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """Provide the part of the table that this module writes when all of its cells have passed."""
    part = Matrix("preview-calls", {cell.name for cell in CELLS})
    yield part
    part.write()


@pytest.fixture(scope="module")
def begun(request: pytest.FixtureRequest, previews: Previews) -> dict[Cell, tuple[str, str]]:
    """Provide the executions of all cells that were chosen, under way."""
    items = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    cells: list[Cell] = [item.callspec.params["cell"] for item in items if hasattr(item, "callspec")]
    started = {}
    for cell in cells:
        removed = [answers(FAILED)] if cell.error else WITH_PICTURES["RemovePreview"]
        mocked = {**WITH_PICTURES, "RemovePreview": removed, cell.state: cell.attempts}
        started[cell] = previews.begin_serving(**mocked)
    return started


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_every_failing_call_has_an_ending(
    previews: Previews, begun: dict[Cell, tuple[str, str]], matrix: Matrix, cell: Cell
) -> None:
    """The preview ends as it must, and RemovePreview has been called unless its record is missing."""
    finished = previews.wait(*begun[cell])
    assert finished.status == ("FAILED" if cell.error else "SUCCEEDED")
    error, failure_class = _ending(finished, cell)
    assert error == cell.error
    matrix.passed(cell.name, Row(cell.state, cell.fault, error or "served", failure_class))


def _ending(finished: Finished, cell: Cell) -> tuple[str, str]:
    """Return error and class that the pull request is told, by RemovePreview or else by the sweep."""
    calls = [call for call in finished.calls("lambda") if call["FunctionName"].endswith(":remove")]
    told = calls[-1]["Payload"]["ended"] if calls else None
    if cell.state in {"RecordPreview", "RemovePreview"}:
        assert bool(calls) == (cell.state == "RemovePreview" or not cell.error)
        # The sweep goes by how the execution ended.
        told = {"Error": finished.error, "Cause": finished.cause or ""} if finished.error else None
    if told is None:
        return "", ""
    ended = StateError(**told)
    # RemovePreview asks ECS for the task, which the error has too.
    task = TaskEnd.of(ended.decoded or None)
    if (cell.state, ended.Error) == ("RunPreview", _LATE):
        # So RemovePreview has it once the preview's hours are over.
        ended, task = StateError(Error=TimeLimit.__name__), TaskEnd()
    record = PreviewRecord(preview_id="p", plan="{}")
    _, failure = failure_of(record, ended, task)
    assert failure is not None
    return type(failure).__name__, failure.failure_class
