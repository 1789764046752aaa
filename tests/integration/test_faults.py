"""The fault matrix on the whole local stack: GitHub, functions and tasks fail, and every session ends.

Many cells run at the same time, each in a repository of its own; the tests only look at what came of them.
What fails in AWS's own calls is in `tests/statemachine/test_faults.py`. Both write `docs/fault-matrix.md`.

`make test LAYER=integration/test_faults.py LAG=404` (or 401, 403) runs all of it behind a GitHub that does
not know new tokens and objects for a moment; the same endings are expected of it. That takes ten minutes, so
every `make test` has the good path behind each of the three instead (`test_lags.py`), and the waits call by
call (`tests/unit/test_github_fresh.py`).
"""

from __future__ import annotations

import json
import re
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from local.layout import Layout
from local.people import call
from local.supervise import children
from tests.benchmarks.loading.plan import payloads
from tests.benchmarks.loading.tally import TRACKING
from tests.fault_matrix import Matrix, Row
from tests.integration.conftest import FOLDER, live_machine
from tests.integration.faults.cells import CELLS, TRIES, Cell
from tests.integration.faults.executions import EXECUTIONS
from tests.integration.faults.orders import ORDERS
from tests.integration.faults.trial import ISSUE, PULL, Trial
from tests.integration.test_reconcile import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.people import Person
    from local.sessions import Stack
    from tests.integration.conftest import Repositories

_LONG_RETRIES = 100
_AT_ONCE, _AT_ONCE_BEHIND_LAGS = 20, 10
"""Cells under way: more of them would wait for each other's functions and run into their throttling.

A function that waits for GitHub to know something is busy for so much longer.
"""
ALL = (*CELLS, *EXECUTIONS, *ORDERS)


def quick(definition: dict[str, Any], tries: int) -> dict[str, Any]:
    """Give the definition with retries after a second, and so many where they do not wait for their turn."""
    for state in definition["States"].values():
        for retrier in state.get("Retry", []):
            retrier.pop("MaxDelaySeconds", None)
            retrier |= {"IntervalSeconds": 1, "BackoffRate": 1}
            # None at all is a way on by Catch.
            if 0 < retrier["MaxAttempts"] < _LONG_RETRIES:
                retrier["MaxAttempts"] = tries
    return definition


@pytest.fixture(scope="module")
def define(stack: Stack, stubs: None) -> Iterator[Callable[[int | None, int], None]]:
    """Make the state machine impatient for the length of this module, and limits executions on request."""
    del stubs
    with live_machine(stack) as put:

        def limited(limit: int | None, tries: int) -> None:
            def change(given: str) -> str:
                if limit is None:
                    return json.dumps(quick(json.loads(given), tries))
                definition = quick(json.loads(given), limit * _LONG_RETRIES)
                return json.dumps(definition | {"TimeoutSeconds": limit})

            put(change)

        yield limited


def _read(stack: Stack) -> set[str]:
    """Return the repositories whose files have been listed."""
    paths = [entry["path"] for entry in call(stack.github_url, "GET", "/_standin/requests?path=/git/trees/")]
    found = (re.search(r"/repos/([^/]+/[^/]+)/git/trees/", path) for path in paths)
    return {match[1] for match in found if match is not None}


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    stack: Stack,
    person: Person,
    repositories: Repositories,
    stubs: None,
    define: Callable[[int | None, int], None],
) -> Iterator[dict[Cell, Future[Trial]]]:
    """Provide all cells that were chosen, under way."""
    del stubs
    chosen = {
        id(item.callspec.params.get("cell")) for item in request.session.items if hasattr(item, "callspec")
    }
    # The table outlives test runs, and an earlier version left such an item in it.
    stack.client("dynamodb").delete_item(
        TableName=stack.outputs["SessionsTable"], Key={"pk": {"S": "SLOTS#none"}}
    )
    made = {cell: repositories.make() for cell in ALL if id(cell) in chosen}
    # Whoever reads the workers of these new repositories must not meet the failures that are ordered here,
    # and while labels are kept from the webhook, so is all else.
    names = {repository.name for repository in made.values()}
    until(lambda: names <= _read(stack), "that the workers of all repositories were looked for", 180)
    told = payloads(stack, person, {repository.name: 1 for repository in made.values()})
    trials = {cell: Trial(one, FOLDER, told[one.name][0]) for cell, one in made.items()}
    ordered = [
        {**fault, "path_regex": trial.path(fault["path_regex"])}
        for cell, trial in trials.items()
        for fault in cell.github
    ]
    call(stack.github_url, "PUT", "/_standin/faults", ordered)

    def begin(cell: Cell) -> None:
        cell.before(trials[cell])
        trials[cell].deliver()

    def run(cell: Cell, trial: Trial) -> Trial:
        try:
            if cell not in first:
                begin(cell)
            cell.during(trial)
            trial.end()
        finally:
            # Other modules read the same objects, and must not meet what was ordered here.
            trial.recall()
        return trial

    # An execution keeps the definition that it started with. Those with one of their own come first, before
    # all is slow. They have little to do but wait, and so are no reason to let others wait.
    first = [cell for cell in trials if (cell.limit, cell.tries) != (None, TRIES)]
    at_once = _AT_ONCE if request.config.getoption("lag") is None else _AT_ONCE_BEHIND_LAGS
    with ThreadPoolExecutor(at_once + len(first)) as pool:
        for limit, tries in {(cell.limit, cell.tries) for cell in first}:
            define(limit, tries)
            list(pool.map(begin, (cell for cell in first if (cell.limit, cell.tries) == (limit, tries))))
        define(None, TRIES)
        # So do those that wait for long: they are over before the others have had their turns.
        in_turn = sorted(trials, key=lambda cell: (cell not in first, not cell.waits))
        yield {cell: pool.submit(run, cell, trials[cell]) for cell in in_turn}
    call(stack.github_url, "PUT", "/_standin/faults", [])


@pytest.fixture(scope="module")
def matrix() -> Iterator[dict[str, Matrix]]:
    """Provide the tables that this module writes, each when all of its cells have passed."""
    tables = {cell.table for cell in ALL}
    parts = {name: Matrix(name, {cell.name for cell in ALL if cell.table == name}) for name in tables}
    yield parts
    for part in parts.values():
        part.write()


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.name)
def test_every_fault_has_an_ending(
    outcomes: dict[Cell, Future[Trial]], matrix: dict[str, Matrix], cell: Cell
) -> None:
    """One pull request with one comment that names what happened, a closed session, and nothing held."""
    trial = outcomes[cell].result()
    session, repository = trial.session, trial.repository
    if cell.error == "AlreadyRunning":
        trial.unlock()
    record = session.record()
    assert record.closed_at is not None, session.visits()
    assert (record.error, record.failure_class) == (cell.error, cell.failure_class), trial.told()
    assert record.status == ("FAILED" if cell.error else "SUCCEEDED")
    assert session.status() == (cell.execution or record.status)
    assert record.report == "made"
    assert not trial.missed([fault["path_regex"] for fault in cell.github]), "nothing has gone wrong"

    pulls = repository.pulls()
    assert len(pulls) == cell.pulls
    assert [pull["draft"] for pull in pulls] == [bool(cell.error)] * cell.pulls
    if cell.is_heard:
        if pulls:
            [said] = [text for text in repository.comments(PULL) if TRACKING in text]
        else:
            [said] = repository.comments(ISSUE)
        assert cell.says in said
        assert "Working on it" not in said

    trial.deliver_again()
    started = repository.stack.executions(trial.origin)
    assert (len(started), started[-1]) == (cell.sessions, session.arn)
    assert_nothing_is_held(trial)
    row = Row(cell.state, cell.fault, record.error or str(record.outcome), cell.failure_class, len(pulls))
    matrix[cell.table].passed(cell.name, row)


def assert_nothing_is_held(trial: Trial) -> None:
    """No lock, no slot, no running task and no process of the session is left."""
    stack, session = trial.repository.stack, trial.session
    items = stack.client("dynamodb").scan(TableName=stack.outputs["SessionsTable"])["Items"]
    assert not [item for item in items if item.get("owner", {}).get("S") == session.arn]
    assert not [item for item in items if item["pk"]["S"].startswith(f"LOCK#{trial.repository.name}#")]
    assert "SLOTS#none" not in [item["pk"]["S"] for item in items]
    assert not [item for item in items if session.id in item.get("holders", {}).get("SS", [])]
    task = session.record().task_arn
    if task is not None:
        cluster = stack.outputs["EcsClusterArn"]
        [found] = stack.client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"]
        assert found["lastStatus"] == "STOPPED"
        running = [one for one in children(Layout(FOLDER).children) if one.alive]
        assert not [one for one in running if task.rsplit("/", 1)[1] in one.name]
