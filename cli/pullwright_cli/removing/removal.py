"""The steps of `pullwright destroy`. Each can be repeated; a second run goes on where the first one ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright_cli.errors import CliError
from pullwright_cli.failures import explained
from pullwright_cli.removing import draining
from pullwright_cli.removing.inventory import GONE, Inventory, Left, take
from pullwright_cli.removing.parts import (
    BUCKET,
    RECOVERY_DAYS,
    SECRET,
    TABLE,
    Part,
    lines,
    remove,
)
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pullwright_cli.aws import Stack

_INTERRUPTED = 130
_PAUSE_SECONDS = 5.0
_FAILED = "DELETE_FAILED"
# In which the stack has no parts that a session could run on, or not all of them.
_AT_REST = ("CREATE_FAILED", "DELETE_", "REVIEW_", "ROLLBACK_", "CREATE_IN_PROGRESS")
_BACKUP = "DynamoDB keeps a backup of it for 35 days, without cost."
_DELETED = f"It can be brought back for {RECOVERY_DAYS} days, and costs nothing meanwhile."


@dataclass(frozen=True)
class Wanted:
    """How a deployment is to be removed.

    Attributes:
        keep_data: whether table and artifacts stay.
        keep_secrets: whether the secrets that the stack made stay.
        is_stopping: whether running sessions are stopped.
        minutes: how long to wait for running sessions.
    """

    keep_data: bool = False
    keep_secrets: bool = False
    is_stopping: bool = False
    minutes: float = 60.0

    def keeps(self, part: Part) -> bool:
        """Return whether a part stays."""
        return (self.keep_data and part.kind in (TABLE, BUCKET)) or (
            self.keep_secrets and part.kind == SECRET
        )


@dataclass(frozen=True)
class Removed:
    """What became of a deployment.

    Attributes:
        untold: sessions whose end GitHub had not taken.
    """

    parts: tuple[Part, ...]
    left: tuple[Left, ...]
    untold: tuple[str, ...]


def is_running(inventory: Inventory) -> bool:
    """Return whether sessions can run on the stack as it is."""
    return not inventory.status.startswith(_AT_REST)


def plan(stack: Stack, wanted: Wanted, inventory: Inventory) -> list[str]:
    """Return the plain calls that remove the deployment."""
    found = draining.lines(stack, is_stopping=wanted.is_stopping) if is_running(inventory) else []
    if inventory.status != GONE:
        place = ("--stack-name", inventory.stack_id)
        found.append(aws_line(stack, "cloudformation", "delete-stack", *place))
        found.append(aws_line(stack, "cloudformation", "wait", "stack-delete-complete", *place))
    return found + [line for part in inventory.parts if not wanted.keeps(part) for line in lines(stack, part)]


def staying(stack: Stack, wanted: Wanted, inventory: Inventory) -> Iterator[Left]:
    """Yield what the removal leaves, and why."""
    for part in inventory.parts:
        if wanted.keeps(part):
            why = "--keep-data" if part.kind in (TABLE, BUCKET) else "--keep-secrets"
            yield Left(part.kind, part.name, f"It was asked to be kept by {why}.", lines(stack, part)[-1])
        elif part.kind == SECRET:
            restore = aws_line(stack, "secretsmanager", "restore-secret", "--secret-id", part.name)
            yield Left(part.kind, part.name, _DELETED, restore)
        elif part.kind == TABLE:
            yield Left("backup", part.name, _BACKUP)
    yield from inventory.left


def check(inventory: Inventory, stack: Stack) -> None:
    """Refuse a stack that may not be deleted.

    Raises:
        NotRemoved: it is protected.
    """
    if inventory.is_protected and inventory.status != GONE:
        unlock = aws_line(
            stack,
            *("cloudformation", "update-termination-protection", "--no-enable-termination-protection"),
            *("--stack-name", stack.name),
        )
        raise errors.NotRemoved(
            f"The stack {stack.name} is protected against deletion; nothing was changed.",
            remedy=f"Take the protection off first: `{unlock}`",
        )


def carry_out(
    stack: Stack,
    wanted: Wanted,
    inventory: Inventory,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Removed:
    """Remove the deployment.

    Raises:
        NotRemoved: it is protected, sessions still run, or CloudFormation or a part of it failed.
    """
    check(inventory, stack)
    untold: list[str] = []
    if is_running(inventory):
        draining.drain(stack, is_stopping=wanted.is_stopping, minutes=wanted.minutes, say=say, sleep=sleep)
        untold = draining.untold(stack)
    if inventory.status != GONE:
        _delete(stack, inventory.stack_id, say, sleep)
        left_before = inventory.left
        inventory = replace(take(replace(stack)), left=left_before)
    parts = tuple(part for part in inventory.parts if not wanted.keeps(part))
    stays = tuple(staying(stack, wanted, inventory))
    _remove(stack, parts, say)
    return Removed(parts, stays, tuple(untold))


def _remove(stack: Stack, parts: tuple[Part, ...], say: Callable[[str], None]) -> None:
    failed = []
    for part in parts:
        for line in lines(stack, part):
            say(f"$ {line}")
        try:
            remove(stack, part)
        except (ClientError, errors.NotRemoved) as error:
            known = explained(error)
            failed.append(f"{part.kind} {part.name}: {known.sentence if known else error}")
    if failed:
        raise errors.NotRemoved(f"Not removed: {'; '.join(failed)}")


def _delete(stack: Stack, stack_id: str, say: Callable[[str], None], sleep: Callable[[float], None]) -> None:
    cloudformation = stack.client("cloudformation")
    say(f"$ {aws_line(stack, 'cloudformation', 'delete-stack', '--stack-name', stack_id)}")
    cloudformation.delete_stack(StackName=stack_id)
    try:
        while True:
            [found] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
            if found["StackStatus"] == GONE:
                return
            if found["StackStatus"] == _FAILED:
                raise errors.NotRemoved(
                    f"CloudFormation could not delete {stack.name}: {_why(stack, stack_id)}"
                )
            sleep(_PAUSE_SECONDS)
    except KeyboardInterrupt:
        raise CliError(
            "interrupted: CloudFormation goes on deleting the stack. `pullwright destroy` goes on from there",
            _INTERRUPTED,
        ) from None


def _why(stack: Stack, stack_id: str) -> str:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    failed = [
        f"{it['LogicalResourceId']} ({it.get('ResourceStatusReason', 'without a reason')})"
        for page in pages
        for it in page["StackResourceSummaries"]
        if it["ResourceStatus"] == _FAILED
    ]
    return "; ".join(failed) or "it does not say why."
