"""Previews of a stack: how one is started, found and ended."""

from __future__ import annotations

import json
import uuid
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from pullwright import errors
from pullwright.previewing.models import PreviewRequest
from pullwright.previewing.store import PreviewRecord, PreviewStore, withdrawal
from pullwright.previewing.withdrawal import withdraw
from pullwright.reporting.tasks import Tasks
from pullwright_cli.errors import CliError
from pullwright_cli.session import Session
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pullwright_cli.aws import Stack

MACHINE = "PreviewStateMachineArn"
_RUNNING = "RUNNING"
_ERROR = errors.SessionStopped.__name__
_CAUSE = "The preview was removed by the operator."
_REASON = "The preview is not needed any more."


class PreviewStart(NamedTuple):
    """A preview that is to be started."""

    stack: Stack
    name: str
    input: str

    def as_call(self) -> dict[str, str]:
        """Return StartExecution's arguments."""
        return {"stateMachineArn": machine(self.stack), "name": self.name, "input": self.input}

    def as_line(self) -> str:
        """Return the same call as a line for a shell."""
        return aws_line(
            self.stack,
            *("stepfunctions", "start-execution", "--state-machine-arn", machine(self.stack)),
            *("--name", self.name, "--input", self.input),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the exact request."""
        return {
            "stack": self.stack.name,
            "region": self.stack.place,
            "request": self.as_call(),
            "command": self.as_line(),
        }

    def begin(self) -> Session:
        """Start it; a repetition of the call starts nothing twice, as it has the same name."""
        answer = self.stack.client("stepfunctions").start_execution(**self.as_call())
        return Session(self.stack, answer["executionArn"])


class Found(NamedTuple):
    """A preview as its execution and its record tell of it.

    Attributes:
        execution_status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED, as ListExecutions says.
    """

    session: Session
    record: PreviewRecord
    execution_status: str

    def as_json(self) -> dict[str, Any]:
        """Return it as `preview list --json` shows it; what is not known is null."""
        record = self.record
        # A record that is open after its execution's end is closed by the sweep.
        is_over = self.execution_status != _RUNNING and record.is_open
        texts = {
            "status": self.execution_status
            if is_over or not record.preview_status
            else record.preview_status,
            "repository": record.preview_repository,
            "session": record.session,
            "label": record.label,
            "commit": record.commit,
            "host": record.host,
            "url": record.url,
            "started_at": record.started_at,
            "healthy_at": record.healthy_at,
            "ended_at": record.ended_at,
            "error": record.error,
            "sentence": record.sentence or record.withdrawn_cause,
        }
        return {
            "preview": record.preview_id,
            "pull_request": record.pull_request,
            **{name: text or None for name, text in texts.items()},
        }


def machine(stack: Stack) -> str:
    """Return the ARN through which previews are started.

    Raises:
        PreviewsNotDeployed: the stack has none.
    """
    if not stack.outputs.get(MACHINE):
        raise errors.PreviewsNotDeployed(
            f"The stack {stack.name} has no previews: its parameters AlbListenerArn, "
            "PreviewCertificateArn and PreviewHttpPort are empty."
        )
    return stack.outputs[MACHINE]


def asked_for(stack: Stack, fields: Mapping[str, Any]) -> PreviewStart:
    """Return the start of a preview that somebody asks for.

    Args:
        fields: of `PreviewRequest`; those that are None or false are left out.

    Raises:
        CliError: a field is wrong.
    """
    request = {name: value for name, value in fields.items() if value not in (None, "", False)}
    try:
        PreviewRequest.model_validate(request)
    except ValidationError as error:
        problem = error.errors()[0]
        raise CliError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", 2) from None
    name = f"preview-{request['pull_request']}-{uuid.uuid4()}"
    return PreviewStart(stack, name, json.dumps(request, separators=(",", ":")))


def listed(stack: Stack, *, only_running: bool = False) -> Iterator[Found]:
    """Yield previews, newest first: those of the last 90 days."""
    # An alias lists those alone that were started through it.
    arn = ":".join(machine(stack).split(":")[:7])
    status = {"statusFilter": _RUNNING} if only_running else {}
    store = PreviewStore(*stack.table())
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=arn, **status):
        for execution in page["executions"]:
            session = Session(stack, execution["executionArn"])
            yield Found(session, store.read(session.id), execution["status"])


def find(stack: Stack, word: str, repository: str, *, prefer_running: bool = False) -> Found:
    """Return a preview by its id, or the newest one of a pull request.

    Args:
        word: an id, the ARN of an execution, or a pull request's number.
        repository: of the pull request.
        prefer_running: of a pull request's previews, take the newest one that runs, if one does.

    Raises:
        PreviewMissing: there is none.
    """
    if word.isdecimal():
        # A newer one that was refused ends at once, while an older one is served on.
        for found in chain(listed(stack, only_running=True) if prefer_running else (), listed(stack)):
            record = found.record
            if record.pull_request == int(word) and record.preview_repository.lower() == repository.lower():
                return found
        raise errors.PreviewMissing(f"There is no preview of {repository}#{word} in this stack.")
    session = Session.of(stack, machine(stack), word)
    record = PreviewStore(*stack.table()).read(session.id)
    try:
        return Found(session, record, session.status())
    except errors.ExecutionForgotten:
        if not record.preview_status:
            raise errors.PreviewMissing(f"There is no preview {session.id} in this stack.") from None
        return Found(session, record, "")


def removal_lines(stack: Stack, found: Found) -> list[str]:
    """Return the calls that end a preview, as lines for a shell."""
    update = withdrawal(found.session.id, error=_ERROR, cause=_CAUSE)
    lines = [
        aws_line(
            stack,
            *("dynamodb", "update-item", "--table-name", stack.output("SessionsTable")),
            *("--key", json.dumps(update["Key"])),
            *("--update-expression", update["UpdateExpression"]),
            *("--condition-expression", update["ConditionExpression"]),
            *("--expression-attribute-values", json.dumps(update["ExpressionAttributeValues"])),
        )
    ]
    task = _tasks(stack).newest(found.session.arn)
    if task is not None:
        cluster = stack.output("EcsClusterArn")
        words = ("ecs", "stop-task", "--cluster", cluster, "--task", task["taskArn"], "--reason", _REASON)
        lines.append(aws_line(stack, *words))
    return lines


def remove(stack: Stack, chosen: Sequence[Found]) -> None:
    """End previews: their machines take away what they have, and their pull requests say so."""
    store, tasks = PreviewStore(*stack.table()), _tasks(stack)
    for found in chosen:
        withdraw(found.record, store, tasks, error=_ERROR, cause=_CAUSE)


def check_open(found: Found) -> None:
    """Refuse a preview that has ended.

    Raises:
        NothingToDo: it has, or is not recorded yet.
    """
    if found.execution_status == _RUNNING and not found.record.preview_status:
        raise errors.NothingToDo(
            f"The preview {found.session.id} has not been recorded yet.",
            remedy="Wait a moment, then try again.",
        )
    if found.execution_status != _RUNNING:
        raise errors.NothingToDo(
            f"The preview {found.session.id} has ended: its execution is "
            f"{found.execution_status or 'forgotten'}.",
            remedy="Look at it with `pullwright preview list`.",
        )


def _tasks(stack: Stack) -> Tasks:
    return Tasks(stack.client("ecs"), stack.client("stepfunctions"), stack.output("EcsClusterArn"))
