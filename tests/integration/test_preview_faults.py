"""The fault matrix of previews on the whole local stack: whatever fails, each ends and leaves nothing.

Many cells run at the same time, each with a pull request of its own. What fails in the state machine's own
calls is in `tests/statemachine/test_preview_faults.py`. Both write `docs/fault-matrix.md`.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from local.people import call
from pullwright.errors import error_class
from tests.fault_matrix import Matrix, Row
from tests.integration.conftest import FOLDER
from tests.integration.faults.preview_trial import PAGE, PreviewTrial, function_name
from tests.integration.faults.previews import MANY_TRIES, PREVIEWS, TRIES, PreviewCell
from tests.integration.test_previews import PYTHON, PullRequest, left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.sessions import Stack
    from tests.integration.conftest import Repositories, Repository

_LONG_RETRIES = 100
_AT_ONCE = 24
_PLENTY = len(PREVIEWS)


def _quick(part: Any, tries: int) -> Any:
    """Return a part of the definition with quick retries, and few where they do not wait for their turn."""
    if isinstance(part, list):
        return [_quick(item, tries) for item in part]
    if not isinstance(part, dict):
        return part
    changed = {key: _quick(item, tries) for key, item in part.items()}
    if "MaxAttempts" in part and part["ErrorEquals"] != ["PreviewNotReady"]:
        changed.pop("MaxDelaySeconds", None)
        changed |= {"IntervalSeconds": 1, "BackoffRate": 1}
        if changed["MaxAttempts"] < _LONG_RETRIES:
            changed["MaxAttempts"] = tries
    return changed


@pytest.fixture(scope="module")
def machine(stack: Stack) -> Iterator[Callable[[int], str]]:
    """Provide versions of the state machine that try again at once, as often as is said."""
    functions, states = stack.client("lambda"), stack.client("stepfunctions")
    arn = stack.outputs["PreviewStateMachineArn"].rpartition(":")[0]
    original = states.describe_state_machine(stateMachineArn=arn)["definition"]
    name = function_name(stack, "MAX_PREVIEWS")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def configure(changed: dict[str, str]) -> None:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    configure({**variables, "MAX_PREVIEWS": str(_PLENTY)})
    version = functions.publish_version(FunctionName=name)["FunctionArn"]
    definition = json.loads(re.sub(rf"{re.escape(version.rpartition(':')[0])}:\d+", version, original))
    versions: dict[int, str] = {}

    def publish(tries: int) -> str:
        if tries not in versions:
            text = json.dumps(_quick(definition, tries))
            answer = states.update_state_machine(stateMachineArn=arn, definition=text, publish=True)
            versions[tries] = answer["stateMachineVersionArn"]
        return versions[tries]

    yield publish
    states.update_state_machine(stateMachineArn=arn, definition=original)
    configure(variables)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    stack: Stack,
    repositories: Repositories,
    machine: Callable[[int], str],
) -> Iterator[dict[PreviewCell, Future[PreviewTrial]]]:
    """Provide all cells that were chosen, under way."""
    chosen = {
        id(item.callspec.params.get("cell")) for item in request.session.items if hasattr(item, "callspec")
    }
    shared = repositories.make(files=PYTHON)

    def make(cell: PreviewCell) -> PreviewTrial:
        repository: Repository = shared
        if cell.is_apart:
            repository = repositories.make(files={**PYTHON, **dict(cell.files)})
        pull = PullRequest.open(repository, {"index.html": PAGE}, cell.branch)
        return PreviewTrial(repository, FOLDER, b"", pull=pull)

    trials = {cell: make(cell) for cell in PREVIEWS if id(cell) in chosen}
    versions = {cell: machine(TRIES if cell.gives_up else MANY_TRIES) for cell in trials}
    ordered = [
        {**fault, "path_regex": trial.path(fault["path_regex"])}
        for cell, trial in trials.items()
        for fault in cell.github
    ]
    call(stack.github_url, "PUT", "/_standin/faults", ordered)

    def run(cell: PreviewCell, trial: PreviewTrial) -> PreviewTrial:
        try:
            # Functions look for orders only if there is a file of them when they begin.
            trial.recall()
            if cell.is_closed:
                trial.close_pull()
            cell.before(trial)
            trial.start(versions[cell])
            cell.during(trial)
            if not cell.error and not trial.is_closed:
                trial.until_served()
                trial.close_pull()
            trial.until_over(cell.says)
        finally:
            trial.recall()
            for fault in cell.github:
                if fault.get("hold"):
                    trial.release(fault["path_regex"])
        return trial

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # Those that come to be served take longest.
        in_turn = sorted(trials, key=lambda cell: bool(cell.error))
        yield {cell: pool.submit(run, cell, trials[cell]) for cell in in_turn}
    call(stack.github_url, "PUT", "/_standin/faults", [])


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """Provide the part of the table that this module writes when all of its cells have passed."""
    part = Matrix("previews", {cell.name for cell in PREVIEWS})
    yield part
    part.write()


@pytest.mark.parametrize("cell", PREVIEWS, ids=lambda cell: cell.name)
def test_every_fault_has_an_ending(
    outcomes: dict[PreviewCell, Future[PreviewTrial]], matrix: Matrix, cell: PreviewCell
) -> None:
    """One comment that says how the preview ended, a record with the same, and nothing left."""
    trial = outcomes[cell].result()
    record = trial.record()
    assert (record["preview_status"], record["error"]) == (
        ("FAILED", cell.error) if cell.error else ("SUCCEEDED", "")
    ), record
    assert trial.preview.execution()["status"] == (cell.status or record["preview_status"])
    assert not trial.missed([fault["path_regex"] for fault in cell.github]), "nothing has gone wrong"
    [comment] = trial.comments()
    assert ("Preview: failed" if cell.error else "Preview: gone") in comment
    assert cell.says in comment
    assert trial.left() == []
    kind = error_class(cell.error)
    failure_class = "" if kind is None else kind.failure_class
    matrix.passed(cell.name, Row(cell.state, cell.fault, cell.error or "served", failure_class))


def test_nothing_is_left_of_any(stack: Stack, outcomes: dict[PreviewCell, Future[PreviewTrial]]) -> None:
    """No rule, target group, task, process, slot or host is there when all have ended."""
    assert left(stack, *(future.result().preview for future in outcomes.values())) == []
