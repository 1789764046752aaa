"""Has a deployment come to rest: nothing begins any more, and what runs comes to its end or is stopped.

What keeps new sessions from beginning is a time in the item of the slots, which OpenPullRequest looks at:
whoever asks is told. It is renewed while the command waits; one that dies closes nothing for long. An
evaluation runs on until each session that it has yet to begin was refused.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pullwright import errors
from pullwright.executions import session_of_execution
from pullwright.store import DRAINING
from pullwright.table import session_of, slots_key
from pullwright_cli.session import Session
from pullwright_cli.starting import aws_line
from pullwright_cli.stopping import all_open, end_execution, stop_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright_cli.aws import Stack

_WAITING = timedelta(minutes=15)
_DELETING = timedelta(hours=2)
_PAUSE_SECONDS = 5.0
# What Step Functions and the index list lags behind what has begun.
_QUIET_LOOKS = 3
_LOOKS_BETWEEN_SWEEPS = 6
_SHOWN = 5


class Open(NamedTuple):
    """What has not come to rest.

    Attributes:
        executions: sessions whose execution runs.
        records: sessions that are not closed.
        tasks: number of ECS tasks that have not stopped.
        evaluations: ARNs of the executions of those that run.
    """

    executions: frozenset[str]
    records: frozenset[str]
    tasks: int
    evaluations: frozenset[str]

    @property
    def sessions(self) -> list[str]:
        """All sessions, in order."""
        return sorted(self.executions | self.records)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left."""
        return not (self.sessions or self.tasks or self.evaluations)


def look(stack: Stack) -> Open:
    """Return what has not come to rest."""
    running = _running(stack, stack.output("StateMachineArn"))
    tasks = stack.client("ecs").get_paginator("list_tasks").paginate(cluster=stack.output("EcsClusterArn"))
    return Open(
        frozenset(map(session_of_execution, running)),
        frozenset(session.id for session in all_open(stack)),
        sum(len(page["taskArns"]) for page in tasks),
        frozenset(_running(stack, stack.outputs.get("EvaluationMachineArn", ""))),
    )


def untold(stack: Stack) -> list[str]:
    """Return the sessions whose end GitHub has not taken yet."""
    table = stack.client("dynamodb")
    pages = table.get_paginator("query").paginate(
        TableName=stack.output("SessionsTable"),
        IndexName="by_report",
        KeyConditionExpression="report = :due",
        ExpressionAttributeValues={":due": {"S": "due"}},
    )
    return sorted(session_of(item["pk"]["S"]) for page in pages for item in page["Items"])


def drain(
    stack: Stack,
    *,
    is_stopping: bool,
    minutes: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Close the intake and wait until nothing runs. If that fails, the intake is open again.

    Args:
        is_stopping: whether what runs is stopped: it pushes what it has, and its pull request says so.
        minutes: how long to wait for it.

    Raises:
        NotRemoved: something still runs then.
    """
    try:
        _wait(stack, is_stopping=is_stopping, until=time.monotonic() + 60 * minutes, say=say, sleep=sleep)
        _close(stack, _DELETING)
    except BaseException:
        reopen(stack)
        raise


def reopen(stack: Stack) -> None:
    """Let sessions begin again."""
    stack.client("dynamodb").update_item(**_update(stack, f"REMOVE {DRAINING}"))


def lines(stack: Stack, *, is_stopping: bool) -> list[str]:
    """Return the plain calls that do the same."""
    until = "<in two hours, as in 2026-11-27T12:00:00+00:00>"
    found = [
        aws_line(
            stack,
            *("dynamodb", "update-item", "--table-name", stack.output("SessionsTable")),
            *("--key", f'{{"pk":{{"S":"{slots_key()}"}}}}'),
            *("--update-expression", f"SET {DRAINING} = :until"),
            *("--expression-attribute-values", f'{{":until":{{"S":"{until}"}}}}'),
        )
    ]
    if is_stopping:
        running = look(stack)
        arns = [Session.named(stack, name).arn for name in sorted(running.executions)]
        found += [
            aws_line(
                stack,
                *("stepfunctions", "stop-execution", "--execution-arn", arn),
                *("--error", errors.SessionStopped.__name__),
            )
            for arn in (*sorted(running.evaluations), *arns)
        ]
    return found


def _wait(
    stack: Stack,
    *,
    is_stopping: bool,
    until: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    quiet, unswept, said = 0, 0, ""
    while True:
        _close(stack, _WAITING)
        found = look(stack)
        if is_stopping:
            for arn in found.evaluations:
                end_execution(stack, arn, "The deployment is about to be removed.")
            for name in found.executions:
                stop_one(Session.named(stack, name))
        quiet = quiet + 1 if found.is_quiet else 0
        if quiet == _QUIET_LOOKS:
            return
        if found.records and not found.executions:
            # Their execution has ended, and the sweep tells it; its next turn may be minutes away.
            if unswept % _LOOKS_BETWEEN_SWEEPS == 0:
                _sweep(stack)
            unswept += 1
        if (text := _text(found)) != said:
            say(text)
            said = text
        if time.monotonic() > until:
            names = [*map(session_of_execution, sorted(found.evaluations)), *found.sessions]
            shown = ", ".join(names[:_SHOWN])
            raise errors.NotRemoved(
                f"{_text(found)} Nothing was removed, and sessions can begin again. Open: {shown}.",
                remedy="Wait longer with --timeout-minutes, or have them stopped with --stop.",
            )
        sleep(_PAUSE_SECONDS)


def _text(found: Open) -> str:
    if found.is_quiet:
        return "Nothing runs any more."
    evaluations = f"{len(found.evaluations)} evaluations, " if found.evaluations else ""
    return f"{evaluations}{len(found.sessions)} sessions and {found.tasks} tasks have not ended."


def _close(stack: Stack, length: timedelta) -> None:
    until = (datetime.now(UTC) + length).isoformat(timespec="seconds")
    stack.client("dynamodb").update_item(
        **_update(stack, f"SET {DRAINING} = :until"), ExpressionAttributeValues={":until": {"S": until}}
    )


def _update(stack: Stack, expression: str) -> dict[str, object]:
    return {
        "TableName": stack.output("SessionsTable"),
        "Key": {"pk": {"S": slots_key()}},
        "UpdateExpression": expression,
    }


def _sweep(stack: Stack) -> None:
    stack.client("lambda").invoke(
        FunctionName=stack.output("ReconcileFunctionName"), InvocationType="Event", Payload=b"{}"
    )


def _running(stack: Stack, arn: str) -> list[str]:
    """Return the ARNs of a machine's running executions, those of all its releases."""
    if not arn:
        return []
    prefix, mark, name = arn.partition(":stateMachine:")
    machine = f"{prefix}{mark}{name.partition(':')[0]}"
    pages = (
        stack.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=machine, statusFilter="RUNNING")
    )
    return [it["executionArn"] for page in pages for it in page["executions"]]
