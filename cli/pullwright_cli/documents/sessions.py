"""What the commands for sessions and their costs print with `--json`; see `documents`."""

from typing import Any, Literal

from pydantic import Field

from pullwright.fields import Model
from pullwright.record import SessionRecord


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
    """One line of `logs` and `preview logs`, each an object of its own.

    Attributes:
        source: webhook, functions, states, runner or agent; preview for what a preview's task wrote.
        part: the function, the state, the agent's tool or the task.
        fields: all that the line held.
    """

    at: str
    source: Literal["webhook", "functions", "states", "runner", "agent", "preview"]
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
