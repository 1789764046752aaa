"""Has a deployment come to rest: nothing begins any more, and what runs comes to its end or is stopped.

What keeps new sessions from beginning is a time in the item of the slots, which OpenPullRequest looks at:
whoever asks is told. It is renewed while the command waits; one that dies closes nothing for long.
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
from pullwright_cli.stopping import all_open, stop_one

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
    """

    executions: frozenset[str]
    records: frozenset[str]
    tasks: int

    @property
    def sessions(self) -> list[str]:
        """All of them, in order."""
        return sorted(self.executions | self.records)


def look(stack: Stack) -> Open:
    """Return what has not come to rest."""
    pages = (
        stack.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=_machine(stack), statusFilter="RUNNING")
    )
    running = [it["executionArn"] for page in pages for it in page["executions"]]
    tasks = stack.client("ecs").get_paginator("list_tasks").paginate(cluster=stack.output("EcsClusterArn"))
    return Open(
        frozenset(map(session_of_execution, running)),
        frozenset(session.id for session in all_open(stack)),
        sum(len(page["taskArns"]) for page in tasks),
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
        found += [
            aws_line(
                stack,
                *("stepfunctions", "stop-execution", "--execution-arn", Session.named(stack, name).arn),
                *("--error", errors.SessionStopped.__name__),
            )
            for name in sorted(look(stack).executions)
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
        for name in found.executions if is_stopping else ():
            stop_one(Session.named(stack, name))
        quiet = 0 if found.sessions or found.tasks else quiet + 1
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
            shown = ", ".join(found.sessions[:_SHOWN])
            raise errors.NotRemoved(
                f"{_text(found)} Nothing was removed, and sessions can begin again. Open: {shown}.",
                remedy="Wait longer with --timeout-minutes, or have them stopped with --stop.",
            )
        sleep(_PAUSE_SECONDS)


def _text(found: Open) -> str:
    if not found.sessions and not found.tasks:
        return "Nothing runs any more."
    return f"{len(found.sessions)} sessions and {found.tasks} tasks have not ended."


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


def _machine(stack: Stack) -> str:
    """Return the machine's own ARN: its list of executions has those of all releases."""
    arn = stack.output("StateMachineArn")
    prefix, mark, name = arn.partition(":stateMachine:")
    return f"{prefix}{mark}{name.partition(':')[0]}"
