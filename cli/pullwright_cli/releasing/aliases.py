"""Moves the aliases of a stack; plain calls of AWS, with the operator's own credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright_cli.releasing.records import ALIAS, OUTPUT, Release, alias_of, parse
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright_cli.aws import Stack


class Clients(Protocol):
    """Makes a boto3 client of a service."""

    def __call__(self, service: str) -> Any:
        """Make it."""


def known(stack: Stack) -> tuple[list[Release], frozenset[str]]:
    """Return the releases of a stack, oldest first, and the ARNs that are live.

    Raises:
        OutputMissing: the stack is older than releases.
    """
    releases = history(stack.client, stack.output(OUTPUT))
    return releases, live(stack.client, releases[-1])


def history(client: Clients, parameter: str) -> list[Release]:
    """Return the releases of a stack, oldest first; the last hundred are kept.

    Args:
        parameter: the stack's output ReleaseParameter.
    """
    pages = client("ssm").get_paginator("get_parameter_history").paginate(Name=parameter)
    return sorted(
        (parse(entry) for page in pages for entry in page["Parameters"]), key=lambda release: release.number
    )


def live(client: Clients, release: Release) -> frozenset[str]:
    """Return the ARNs of the versions that the aliases point to.

    Args:
        client: makes clients.
        release: any of the stack's, for the names of what has an alias.
    """
    states = client("stepfunctions")
    aliases = [
        states.describe_state_machine_alias(stateMachineAliasArn=alias_of(version))
        for version in release.machines
    ]
    machines = [
        route["stateMachineVersionArn"]
        for alias in aliases
        for route in alias["routingConfiguration"]
        if route["weight"]
    ]
    functions = []
    for arn in release.functions:
        name = arn.rpartition(":")[0]
        version = client("lambda").get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
        functions.append(f"{name}:{version}")
    return frozenset([*machines, *functions])


def _missing(client: Clients, release: Release) -> Iterator[str]:
    """Look everything up that the release needs before anything is moved."""
    for machine in release.machines:
        try:
            client("stepfunctions").describe_state_machine(stateMachineArn=machine)
        except ClientError:
            yield machine
    for arn in release.functions:
        try:
            client("lambda").get_function(FunctionName=arn)
        except ClientError:
            yield arn
    try:
        answer = client("ecs").describe_task_definition(taskDefinition=release.task_definition)
        if answer["taskDefinition"]["status"] != "ACTIVE":
            yield release.task_definition
    except ClientError:
        yield release.task_definition


def move(client: Clients, release: Release) -> None:
    """Make a release the live one. Safe to repeat: what has moved already stays.

    Raises:
        ReleaseMissing: parts of it were deleted; nothing was moved.
    """
    if missing := list(_missing(client, release)):
        raise errors.ReleaseMissing(
            f"Release {release.number} is not whole any more. Missing: {', '.join(missing)}.",
            remedy="Deploy its source again.",
        )
    for machine in release.machines:
        route = {"stateMachineVersionArn": machine, "weight": 100}
        client("stepfunctions").update_state_machine_alias(
            stateMachineAliasArn=alias_of(machine), routingConfiguration=[route]
        )
    for arn in release.functions:
        name, _, version = arn.rpartition(":")
        client("lambda").update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)


def lines(stack: Stack, release: Release) -> list[str]:
    """Return what does the same, for a shell."""
    machines = [
        aws_line(
            stack,
            *("stepfunctions", "update-state-machine-alias", "--state-machine-alias-arn", alias_of(machine)),
            *("--routing-configuration", f"stateMachineVersionArn={machine},weight=100"),
        )
        for machine in release.machines
    ]
    parts = [arn.rpartition(":") for arn in release.functions]
    return [
        *machines,
        *(
            aws_line(
                stack,
                *("lambda", "update-alias", "--function-name", name, "--name", ALIAS),
                *("--function-version", version),
            )
            for name, _, version in parts
        ),
    ]
