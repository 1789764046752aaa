"""What `evaluate` prints with `--json`; see `documents`."""

from typing import Literal

from pullwright.evaluation import EvaluationTask
from pullwright.fields import Model
from pullwright_cli.evaluating.plan import Plan


class Deviation(Model):
    """Mean and standard deviation; of a single value, the deviation is not known."""

    mean: float
    deviation: float | None


class EvaluatedVariant(Model):
    """All runs of an evaluation with one model and worker.

    Attributes:
        states: how many runs are solved, unsolved, invalid, error, not_run and open.
        tasks: how many were judged at least once.
        solved: share of these, from 0 to 1; each counts by its share of solved repeats.
        interval: that holds the true share in 95 of 100 samples.
        repeats: of the shares of each repeat.
        unsteady: tasks that were solved in some repeats only.
        cost: dollars of a run that was judged; its turns and the seconds of its agent likewise.
    """

    variant: str
    runs: int
    states: dict[str, int]
    tasks: int
    solved: float
    interval: tuple[float, ...]
    repeats: Deviation | None
    unsteady: tuple[str, ...]
    cost_usd: float
    cost: Deviation | None
    turns: Deviation | None
    seconds: Deviation | None


class EvaluatedRun(Model):
    """One session of an evaluation.

    Attributes:
        uncaged: the agent could reach the network.
    """

    session: str
    task: str
    variant: str
    repeat: int
    state: Literal["solved", "unsolved", "invalid", "error", "not_run", "open"]
    reason: str
    cost_usd: float | None
    turns: int | None
    seconds: float | None
    uncaged: bool


class EvaluationReport(Model):
    """`evaluate`."""

    evaluation: str
    budget_usd: float
    cost_usd: float
    variants: tuple[EvaluatedVariant, ...]
    runs: tuple[EvaluatedRun, ...]


class EvaluationTasks(Model):
    """`evaluate --dry-run` without a budget."""

    tasks: tuple[EvaluationTask, ...]


class EvaluationStart(Model):
    """`evaluate --dry-run`.

    Attributes:
        request: StartExecution's arguments.
        command: the same for a shell.
    """

    plan: Plan
    request: dict[str, str]
    command: str


class EvaluationStopped(Model):
    """`evaluate ID --stop`.

    Attributes:
        sessions: how many were stopped; null with `--dry-run`.
    """

    evaluation: str
    sessions: int | None
