"""What came of an evaluation: per model and worker, how much was solved, for how much, and how steadily."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from pullwright_cli.evaluating.statistics import Spread, spread, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright_cli.evaluating.statistics import Interval

State = Literal["solved", "unsolved", "invalid", "error", "not_run", "open"]
"""`error`: the session failed for a reason that is not the agent's, or could not be judged; `not_run`: it was
not begun, for example because the budget was used up; `open`: it waits or runs."""
JUDGED = ("solved", "unsolved")


@dataclass(frozen=True, slots=True)
class Run:
    """One session of an evaluation.

    Attributes:
        variant: what is compared: model and worker.
        repeat: from 1.
        reason: why it was not solved, one sentence.
        seconds: that the agent worked.
        uncaged: the agent could reach the network.
    """

    session: str
    task: str
    variant: str
    repeat: int
    state: State
    reason: str = ""
    cost_usd: float | None = None
    turns: int | None = None
    seconds: float | None = None
    uncaged: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one variant.

    Attributes:
        tasks: how many were judged at least once.
        solved: share of them, each counting by its share of solved repeats.
        interval: of that share; the sample is the tasks, as repeats of one task are no tasks of their own.
        repeats: share of solved tasks of each repeat, and how much these differ.
        unsteady: tasks that were solved in some repeats and not in others.
    """

    variant: str
    runs: int
    states: dict[str, int]
    tasks: int
    solved: float
    interval: Interval
    repeats: Spread | None
    unsteady: tuple[str, ...]
    cost_usd: float
    cost: Spread | None
    turns: Spread | None
    seconds: Spread | None


def summarize(runs: Sequence[Run]) -> list[Summary]:
    """Summarize an evaluation, one entry for each variant in the order of their first runs."""
    variants = dict.fromkeys(run.variant for run in runs)
    return [_summary(variant, [run for run in runs if run.variant == variant]) for variant in variants]


def _summary(variant: str, runs: Sequence[Run]) -> Summary:
    by_task: defaultdict[str, list[bool]] = defaultdict(list)
    by_repeat: defaultdict[int, list[bool]] = defaultdict(list)
    for run in runs:
        if run.state in JUDGED:
            by_task[run.task].append(run.state == "solved")
            by_repeat[run.repeat].append(run.state == "solved")
    states: defaultdict[str, int] = defaultdict(int)
    for run in runs:
        states[run.state] += 1
    share = fmean(fmean(solved) for solved in by_task.values()) if by_task else 0.0
    judged = [run for run in runs if run.state in JUDGED]
    return Summary(
        variant=variant,
        runs=len(runs),
        states=dict(states),
        tasks=len(by_task),
        solved=share,
        interval=wilson(share, len(by_task)),
        repeats=spread([fmean(solved) for _, solved in sorted(by_repeat.items())]),
        unsteady=tuple(task for task, solved in by_task.items() if len(set(solved)) > 1),
        cost_usd=round(sum(run.cost_usd or 0.0 for run in runs), 6),
        cost=spread([run.cost_usd for run in judged if run.cost_usd is not None]),
        turns=spread([float(run.turns) for run in judged if run.turns is not None]),
        seconds=spread([run.seconds for run in judged if run.seconds is not None]),
    )


def as_document(evaluation: str, budget_usd: float, runs: Sequence[Run]) -> dict[str, Any]:
    """Return an evaluation as `--json` prints it."""
    return {
        "evaluation": evaluation,
        "budget_usd": budget_usd,
        "cost_usd": round(sum(run.cost_usd or 0.0 for run in runs), 6),
        "variants": [_variant(summary) for summary in summarize(runs)],
        "runs": [
            {
                "session": run.session,
                "task": run.task,
                "variant": run.variant,
                "repeat": run.repeat,
                "state": run.state,
                "reason": run.reason,
                "cost_usd": run.cost_usd,
                "turns": run.turns,
                "seconds": run.seconds,
                "uncaged": run.uncaged,
            }
            for run in runs
        ],
    }


def _variant(summary: Summary) -> dict[str, Any]:
    return {
        "variant": summary.variant,
        "runs": summary.runs,
        "states": summary.states,
        "tasks": summary.tasks,
        "solved": summary.solved,
        "interval": list(summary.interval),
        "repeats": _spread(summary.repeats),
        "unsteady": list(summary.unsteady),
        "cost_usd": summary.cost_usd,
        "cost": _spread(summary.cost),
        "turns": _spread(summary.turns),
        "seconds": _spread(summary.seconds),
    }


def _spread(value: Spread | None) -> dict[str, float | None] | None:
    return None if value is None else value._asdict()
