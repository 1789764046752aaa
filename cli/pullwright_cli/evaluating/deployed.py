"""An evaluation in a deployment: begun, looked at, stopped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from pullwright import errors
from pullwright.artifacts import session_prefix
from pullwright.aws import code_of
from pullwright.evaluation import TASK_FILE
from pullwright.executions import execution_arn
from pullwright.record import SessionRecord
from pullwright.table import decoded, session_key, session_of
from pullwright_cli.evaluating.plan import Plan
from pullwright_cli.evaluating.summary import JUDGED, Run
from pullwright_cli.session import Session
from pullwright_cli.stopping import end_execution, stop_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pullwright.evaluation import EvaluationTask
    from pullwright_cli.evaluating.plan import PlannedRun
    from pullwright_cli.evaluating.summary import State
    from pullwright_cli.session import Deployed

_MACHINE = "EvaluationMachineArn"
_AT_ONCE = 8
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_BATCH = 100
_MOST_STARTS = 99
_NOT_BEGUN = frozenset(
    error.__name__
    for error in (errors.EvaluationBudget, errors.DailyLimit, errors.NoCapacity, errors.SessionsPaused)
)
_NOT_THE_AGENTS = frozenset({"user", "transient", "service"})


def begin(stack: Deployed, plan: Plan, tasks: Sequence[EvaluationTask]) -> str:
    """Begin an evaluation and return its execution's ARN; beginning it twice begins it once.

    Its tasks are put beside their sessions first, where no session that has begun reads them again.
    """
    # Before anything is put anywhere: the plan may be too long.
    start_call(stack, plan)
    s3, bucket = stack.client("s3"), stack.output("ArtifactsBucket")
    bodies = {task.id: task.model_dump_json(exclude_defaults=True).encode() for task in tasks}

    def put(run: PlannedRun) -> None:
        s3.put_object(Bucket=bucket, Key=f"{session_prefix(run.session)}{TASK_FILE}", Body=bodies[run.task])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(put, plan.runs))
    s3.put_object(Bucket=bucket, Key=_key(plan.id), Body=plan.model_dump_json().encode())
    return _start(stack, plan)


def start_call(stack: Deployed, plan: Plan) -> dict[str, str]:
    """Return StartExecution's arguments."""
    return {"stateMachineArn": stack.output(_MACHINE), "name": plan.id, "input": plan.machine_input()}


def read_plan(stack: Deployed, evaluation: str) -> Plan | None:
    """Read an evaluation as it was begun; None if there is none of that name.

    Raises:
        RecordTooNew: a later release wrote it.
    """
    try:
        body = stack.client("s3").get_object(Bucket=stack.output("ArtifactsBucket"), Key=_key(evaluation))[
            "Body"
        ]
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            return None
        raise
    try:
        return Plan.model_validate_json(body.read())
    except ValidationError:
        raise errors.RecordTooNew(f"The plan of the evaluation {evaluation} cannot be read.") from None


class Evaluation:
    """One evaluation that was begun."""

    def __init__(self, stack: Deployed, plan: Plan) -> None:
        self.stack = stack
        self.plan = plan

    def is_running(self) -> bool:
        """Whether it still starts sessions or waits for them."""
        return any(status == "RUNNING" for _, status in self._executions())

    def go_on(self, tasks: Sequence[EvaluationTask]) -> None:
        """Start what was not begun yet, and what found no room; other sessions stay as they are."""
        records = self._records()
        self.plan = self.plan.renamed(
            [run.session for run in self.runs() if run.state == "not_run" and run.session in records]
        )
        begin(self.stack, self.plan, tasks)

    def stop(self) -> int:
        """Stop it and its sessions; return how many of these there were."""
        for arn, status in self._executions():
            if status == "RUNNING":
                end_execution(self.stack, arn, "The evaluation was stopped.")
        runs = [run for run in self.runs() if run.state == "open"]
        for run in runs:
            stop_one(Session.named(self.stack, run.session))
        return len(runs)

    def runs(self) -> list[Run]:
        """Return all runs as they stand now."""
        is_running = self.is_running()
        records = self._records()
        return [_run(run, records.get(run.session), is_running=is_running) for run in self.plan.runs]

    def _executions(self) -> Iterator[tuple[str, str]]:
        """Yield ARN and status of each time that it was started."""
        client, machine = self.stack.client("stepfunctions"), self.stack.output(_MACHINE)
        for name in _names(self.plan.id):
            arn = execution_arn(machine, name)
            try:
                yield arn, str(client.describe_execution(executionArn=arn)["status"])
            except ClientError as error:
                if code_of(error) != "ExecutionDoesNotExist":
                    raise
                return

    def _records(self) -> dict[str, SessionRecord]:
        dynamodb, table = self.stack.client("dynamodb"), self.stack.output("SessionsTable")
        keys = [{"pk": {"S": session_key(run.session)}} for run in self.plan.runs]
        found: dict[str, SessionRecord] = {}
        while keys:
            asked, keys = keys[:_BATCH], keys[_BATCH:]
            answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": asked}})
            for item in answer["Responses"].get(table, []):
                fields = decoded(item)
                session_id = session_of(fields["pk"])
                found[session_id] = SessionRecord.of(session_id, fields)
            keys += answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        return found


def _run(planned: PlannedRun, record: SessionRecord | None, *, is_running: bool) -> Run:
    state, reason = _state(record, is_running=is_running)
    cost = None if record is None else record.cost_usd
    seconds = None if record is None else record.agent_seconds
    return Run(
        session=planned.session,
        task=planned.task,
        variant=planned.variant,
        repeat=planned.repeat,
        state=state,
        reason=reason,
        cost_usd=None if cost is None else float(cost),
        turns=None if record is None else record.turns,
        seconds=None if seconds is None else float(seconds),
        uncaged=record is not None and record.egress is not None and not record.egress.startswith("caged"),
    )


def _state(record: SessionRecord | None, *, is_running: bool) -> tuple[State, str]:
    """Return what a session's record says of its run, and why it was not solved."""
    if record is None:
        return ("open", "") if is_running else ("not_run", "It was not begun.")
    if record.is_open:
        return "open", ""
    verdict, reason = record.judgement, record.judgement_reason or record.sentence or ""
    if record.error in _NOT_BEGUN and verdict is None:
        return "not_run", record.sentence or ""
    if record.failure_class in _NOT_THE_AGENTS or verdict not in (*JUDGED, "invalid"):
        return "error", (
            record.sentence if record.failure_class in _NOT_THE_AGENTS else reason
        ) or "It was not judged."
    return verdict, "" if verdict == "solved" else reason  # type: ignore[return-value] # one of these


def _start(stack: Deployed, plan: Plan) -> str:
    """Start the machine: under the evaluation's name, or the next one where that has been used."""
    client, call = stack.client("stepfunctions"), start_call(stack, plan)
    for name in _names(plan.id):
        try:
            arn: str = client.start_execution(**{**call, "name": name})["executionArn"]
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise
        else:
            return arn
    raise errors.NothingToDo(f"The evaluation {plan.id} was started {_MOST_STARTS} times.")


def _names(evaluation: str) -> list[str]:
    return [evaluation, *(f"{evaluation}-again-{number}" for number in range(2, _MOST_STARTS + 1))]


def _key(evaluation: str) -> str:
    return f"evaluations/{evaluation}/plan.json"
