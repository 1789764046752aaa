"""Moves the aliases of a stack; plain calls of AWS, with the operator's own credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from release.records import ALIAS, OUTPUT, Release, ReleaseError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clients(Protocol):
    """Makes a boto3 client of a service."""

    def __call__(self, service: str) -> Any:
        """Make it."""


def history(client: Clients, stack: str) -> list[Release]:
    """Return the releases of a stack, oldest first; the last hundred are kept.

    Raises:
        ReleaseError: the stack does not exist, or is older than releases.
    """
    try:
        (described,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        raise ReleaseError(
            f"STACK: {stack} cannot be described: {error.response['Error']['Message']}"
        ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if OUTPUT not in outputs:
        raise ReleaseError(f"STACK: {stack} has no output {OUTPUT}. Deploy it once with this release.")
    pages = client("ssm").get_paginator("get_parameter_history").paginate(Name=outputs[OUTPUT])
    return sorted(
        (parse(entry) for page in pages for entry in page["Parameters"]), key=lambda release: release.number
    )


def live(client: Clients, release: Release) -> frozenset[str]:
    """Return the ARNs of the versions that the aliases point to.

    Args:
        client: makes clients.
        release: any of the stack's, for the names of what has an alias.
    """
    alias = client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=release.alias)
    machines = [route["stateMachineVersionArn"] for route in alias["routingConfiguration"] if route["weight"]]
    functions = []
    for arn in release.functions:
        name = arn.rpartition(":")[0]
        version = client("lambda").get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
        functions.append(f"{name}:{version}")
    return frozenset([*machines, *functions])


def _missing(client: Clients, release: Release) -> Iterator[str]:
    """Look everything up that the release needs before anything is moved."""
    try:
        client("stepfunctions").describe_state_machine(stateMachineArn=release.machine)
    except ClientError:
        yield release.machine
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
        ReleaseError: parts of it were deleted; nothing was moved.
    """
    if missing := list(_missing(client, release)):
        raise ReleaseError(
            f"Release {release.number} is not whole any more; deploy its source again. "
            f"Missing: {', '.join(missing)}"
        )
    route = {"stateMachineVersionArn": release.machine, "weight": 100}
    client("stepfunctions").update_state_machine_alias(
        stateMachineAliasArn=release.alias, routingConfiguration=[route]
    )
    for arn in release.functions:
        name, _, version = arn.rpartition(":")
        client("lambda").update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
