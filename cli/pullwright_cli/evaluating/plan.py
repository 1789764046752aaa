"""What an evaluation is going to run: each task with each model and worker, as often as it is repeated."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pullwright.evaluation import EvaluationId, TaskId
from pullwright.fields import Repository, SessionId, Stored
from pullwright.worker_names import IMPLEMENT
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pullwright.evaluation import EvaluationTask

# A Map state takes 256 KiB, and its execution's history 25,000 events:
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_RUNS = 500
_LONGEST_INPUT = 256 * 1024
# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
MOST_AT_ONCE = 40


class PlannedRun(Stored):
    """One session of an evaluation.

    Attributes:
        session: id that the session will have.
        request: input of its execution, as StartExecution takes it.
    """

    session: SessionId
    task: TaskId
    variant: str
    repeat: int
    request: dict[str, Any]


class Plan(Stored):
    """`evaluations/<id>/plan.json`: an evaluation as it was started."""

    schema_version: int = 1
    id: EvaluationId
    repository: Repository
    budget_usd: float = Field(strict=False)
    concurrency: int
    runs: tuple[PlannedRun, ...] = Field(strict=False)

    def renamed(self, sessions: Collection[str]) -> Plan:
        """Return the plan with other names for these sessions: theirs are used up."""

        def name(run: PlannedRun) -> str:
            if run.session not in sessions:
                return run.session
            first = self._first_name(run)
            return f"{first}-{int(run.session.removeprefix(first).removeprefix('-') or 1) + 1}"

        return self._with_names(name)

    def is_the_same_as(self, other: Plan) -> bool:
        """Return whether both are one evaluation, whatever its sessions are called by now."""
        return self._with_names(self._first_name) == other._with_names(other._first_name)

    def machine_input(self) -> str:
        """Return the input of the Evaluation state machine.

        Raises:
            CliError: it is too long.
        """
        runs = [{"name": run.session, "request": run.request} for run in self.runs]
        text = json.dumps(
            {"concurrency": self.concurrency, "runs": runs}, separators=(",", ":"), ensure_ascii=False
        )
        if len(text.encode()) > _LONGEST_INPUT:
            raise CliError(
                f"{len(runs)} runs are too many for one execution: evaluate fewer tasks at a time", 2
            )
        return text

    def _first_name(self, run: PlannedRun) -> str:
        return run.session[: len(_session(self.id, 0))]

    def _with_names(self, name: Callable[[PlannedRun], str]) -> Plan:
        runs = tuple(run.model_copy(update={"session": name(run)}) for run in self.runs)
        return self.model_copy(update={"runs": runs})


def make_plan(
    evaluation: str,
    tasks: Sequence[EvaluationTask],
    *,
    models: Sequence[str],
    workers: Sequence[str],
    repeat: int,
    budget_usd: float,
    limits: dict[str, float],
    concurrency: int,
    stub: bool,
) -> Plan:
    """Plan an evaluation: every task once before any is repeated, so that an early end leaves whole repeats.

    Args:
        models: the deployment's own where there is none.
        limits: of one session, as `SessionRequest` has them.

    Raises:
        CliError: there are too many runs.
    """
    variants = list(product(models or [""], workers or [IMPLEMENT]))
    count = repeat * len(variants) * len(tasks)
    if count > MOST_RUNS:
        raise CliError(
            f"{len(tasks)} tasks x {len(variants)} variants x {repeat} repeats are {count} runs: {MOST_RUNS} "
            "at most, so take fewer tasks, models, workers or repeats",
            2,
        )
    run = {"id": evaluation, "budget_usd": budget_usd}
    runs = []
    for number, (again, (model, worker), task) in enumerate(product(range(repeat), variants, tasks), start=1):
        request: dict[str, Any] = {"repository": task.repository, "evaluation": run, "worker": worker}
        request |= {"model": model} if model else {}
        request |= {"limits": limits} if limits else {}
        request |= {"stub": True} if stub else {}
        runs.append(
            PlannedRun(
                session=_session(evaluation, number),
                task=task.id,
                variant=" ".join(
                    part for part in (model, worker if worker != IMPLEMENT or not model else "") if part
                ),
                repeat=again + 1,
                request=request,
            )
        )
    return Plan(
        id=evaluation,
        repository=tasks[0].repository,
        budget_usd=budget_usd,
        concurrency=concurrency,
        runs=tuple(runs),
    )


def _session(evaluation: str, number: int) -> str:
    return f"{evaluation}-{number:03d}"
