"""What the commands print with `--json`. The schemas are published in docs/commands.schema.json.

No command imports this: a list of sessions is printed before pydantic would be read. Tests hold the two
together.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from pullwright.evaluation import EvaluationTask
from pullwright.fields import Model
from pullwright.record import SessionRecord
from pullwright_cli.checkup.findings import Checkup
from pullwright_cli.evaluating.plan import Plan
from pullwright_cli.release_documents import RELEASE_DOCUMENTS
from pullwright_cli.removing.documents import Purge, Removal
from pullwright_cli.setup_documents import SETUP_DOCUMENTS


class ListedSession(Model):
    """One of `pullwright sessions`; what is not known is null.

    Attributes:
        status: QUEUED, RUNNING, SUCCEEDED, FAILED, or a later release's.
        counted_in: the month in whose totals it is.
    """

    session: str
    status: str | None
    outcome: str | None
    repository: str | None
    issue: int | None
    pull_request: int | None
    pull_request_url: str | None
    branch: str | None
    worker: str | None
    requested_by: str | None
    model: str | None
    created_at: str | None
    admitted_at: str | None
    closed_at: str | None
    cost_usd: float | None
    turns: int | None
    error: str | None
    sentence: str | None
    stub: bool | None
    counted_in: str | None


class SessionList(Model):
    """`pullwright sessions`, newest first."""

    stack: str
    sessions: tuple[ListedSession, ...]


class Execution(Model):
    """What Step Functions knows of a session.

    Attributes:
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
    """

    arn: str
    status: str
    error: str | None
    cause: str | None


class State(Model):
    """One entry of one state.

    Attributes:
        seconds: how long it took; null while it is not left.
    """

    name: str
    entered_at: str
    seconds: float | None


class SessionDetails(Model):
    """`pullwright show`, and `run --wait` and `retry --wait` at their end.

    Attributes:
        record: null if nobody recorded it.
        request: the execution's input.
        execution: null once Step Functions has forgotten it.
        artifacts: names of what is in the bucket.
    """

    session: str
    record: SessionRecord | None
    request: dict[str, Any]
    execution: Execution | None
    states: tuple[State, ...]
    artifacts: tuple[str, ...]


class StartExecution(Model):
    """Arguments of Step Functions' StartExecution."""

    stateMachineArn: str  # noqa: N815 - AWS's name
    name: str
    input: str


class Resolved(Model):
    """What a session would run on, from the stack's outputs."""

    cluster: str
    task_definition: str
    subnets: tuple[str, ...] = Field(min_length=1)
    security_group: str
    table: str
    bucket: str


class StartPlan(Model):
    """`run --dry-run` and `retry --dry-run`, with and without `--json`.

    Attributes:
        command: that does the same without Pullwright's command.
    """

    stack: str
    region: str
    request: StartExecution
    resolved: Resolved
    command: str


class Started(Model):
    """`run` and `retry` without `--wait`."""

    session: str
    execution_arn: str
    command: str


class Stopped(Model):
    """`stop`.

    Attributes:
        stopped: none with `--dry-run`.
    """

    stopped: tuple[str, ...]
    commands: tuple[str, ...]


class LogLine(Model):
    """One line of `logs`, each an object of its own.

    Attributes:
        source: webhook, functions, states, runner or agent.
        part: the function, the state, the agent's tool or the task.
        fields: all that the line held.
    """

    at: str
    source: Literal["webhook", "functions", "states", "runner", "agent"]
    part: str
    level: str
    message: str
    fields: dict[str, Any]


class Delivery(Model):
    """One webhook that came.

    Attributes:
        delivery: GitHub's GUID.
        session: the first that it started.
        workers: ids of the workers that it started.
        unmatched: why the other workers did not start.
    """

    at: str
    delivery: str | None
    event: str | None
    repository: str | None
    number: int | None
    status_code: int
    status: str
    reason: str
    session: str | None
    workers: tuple[str, ...]
    unmatched: dict[str, str]


class DeliveryList(Model):
    """`events`, oldest first."""

    stack: str
    events: tuple[Delivery, ...]


class SavedArtifact(Model):
    """One of `artifacts`.

    Attributes:
        path: where it was saved; null with `--list`.
    """

    name: str
    bytes: int
    path: str | None


class ArtifactList(Model):
    """`artifacts`."""

    session: str
    artifacts: tuple[SavedArtifact, ...]


class CostSum(Model):
    """What sessions cost together.

    Attributes:
        cost_unknown: of how many that have ended nobody knows it.
    """

    sessions: int
    failed: int
    cost_usd: float
    turns: int
    cost_unknown: int


class CostGroup(CostSum):
    """Those of one repository, worker, person, model, day or month."""

    key: str


class CostReport(Model):
    """`cost`.

    Attributes:
        source: what was summed up; totals of months outlive the records.
    """

    stack: str
    by: str
    since: str | None
    source: Literal["records", "months"]
    groups: tuple[CostGroup, ...]
    total: CostSum


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


class LocalRun(Model):
    """`run --local`.

    Attributes:
        outcome: as in `result.json`.
        branch: of the checkout; null if there is none.
        patch: a file; null if nothing was changed.
        checks: how each of the repository's checks ended.
        egress: `caged` if the agent reached only what is allowed; null if no process ran.
        folder: path where the artifacts are.
        exit_code: the command's own.
    """

    session: str
    outcome: str
    error: str | None
    sentence: str | None
    summary: str
    branch: str | None
    commit: str | None
    patch: str | None
    checks: dict[str, str]
    cost_usd: float
    turns: int
    egress: str | None
    notices: tuple[str, ...]
    folder: str
    exit_code: int


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


class CommandFailure(Model):
    """What a command with `--json` prints on standard error when it fails.

    Attributes:
        error: a class of docs/contracts.md, or CliError for wrong usage.
    """

    error: str
    sentence: str
    remedy: str


DOCUMENTS: tuple[type[BaseModel], ...] = (
    SessionList,
    SessionDetails,
    StartPlan,
    Started,
    Stopped,
    LogLine,
    DeliveryList,
    ArtifactList,
    CostReport,
    Checkup,
    EvaluationReport,
    Removal,
    Purge,
    EvaluationTasks,
    EvaluationStart,
    LocalRun,
    *RELEASE_DOCUMENTS,
    *SETUP_DOCUMENTS,
    CommandFailure,
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema that describes every document by its name."""
    wanted: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in DOCUMENTS
    ]
    _, schemas = models_json_schema(wanted, title="What Pullwright's commands print with --json")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas}
