"""What belongs to a deployment: what CloudFormation removes, what it leaves, and what was there before.

A stack that is gone is still asked for, by its id: CloudFormation tells what it consisted of for 90 days.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.aws import code_of
from pullwright_cli.removing.parts import (
    BUCKET,
    DEFINITION,
    LOGS,
    SECRET,
    TABLE,
    Part,
    definitions,
    exists,
    log_groups,
)
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pullwright_cli.aws import Stack

GONE = "DELETE_COMPLETE"
_OURS = "Pullwright:"
"""How the template's description begins, which a stack has from its first moment on."""
_KINDS = {"AWS::DynamoDB::Table": TABLE, "AWS::S3::Bucket": BUCKET, "AWS::SecretsManager::Secret": SECRET}
_SAM_STACK = "aws-sam-cli-managed-default"
_GIVEN = {
    "GitHubAppSecretArn": "secret",
    "WebhookSecretArn": "secret",
    "ModelKeySecretArn": "secret",
    "ImageRepositoryArn": "image repository",
    "VpcId": "VPC",
    "SecretsKmsKeyArn": "key",
    "LogsKmsKeyArn": "key",
}


class Left(NamedTuple):
    """Something that stays.

    Attributes:
        command: that removes it, or brings it back; empty if none does.
    """

    kind: str
    name: str
    why: str
    command: str = ""


@dataclass(frozen=True)
class Inventory:
    """All that belongs to a deployment, as it is now.

    Attributes:
        stack_id: ARN of the stack.
        status: CloudFormation's; DELETE_COMPLETE once the stack is gone.
        resources: how many of them the deletion of the stack removes.
        images: how many go with the stack's own image repository; None if nobody can tell.
        parts: what has to be removed besides.
        left: what is not the deployment's own.
    """

    stack_id: str
    status: str
    is_protected: bool
    resources: int
    images: int | None
    parts: tuple[Part, ...]
    left: tuple[Left, ...]


def take(stack: Stack) -> Inventory:
    """Find out what there is.

    Raises:
        StackMissing: there is no such stack and was none in the last 90 days, or it is no Pullwright.
    """
    description = _described(stack)
    if not description.get("Description", "").startswith(_OURS):
        raise errors.StackMissing(f"The stack {stack.name} in {stack.place} is no Pullwright.")
    summaries = _resources(stack, description["StackId"])
    is_gone = description["StackStatus"] == GONE
    remaining = [] if is_gone else [it for it in summaries if it["ResourceStatus"] != GONE]
    parameters = {it["ParameterKey"]: it["ParameterValue"] for it in description.get("Parameters", [])}
    parts = tuple(_parts(stack, summaries, remaining))
    return Inventory(
        description["StackId"],
        description["StackStatus"],
        bool(description.get("EnableTerminationProtection")),
        len([it for it in remaining if _KINDS.get(it["ResourceType"]) is None]),
        _images(stack, remaining),
        parts,
        tuple(_left(stack, parameters)),
    )


def _described(stack: Stack) -> Mapping[str, Any]:
    cloudformation = stack.client("cloudformation")
    try:
        found: Mapping[str, Any] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    except ClientError as error:
        # The name has the right form, so that nothing else of the call can be invalid.
        if code_of(error) != "ValidationError":
            raise
        pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=[GONE])
        former = [it for page in pages for it in page["StackSummaries"] if it["StackName"] == stack.name]
        if not former:
            _ = stack.description  # It says which others there are.
            raise
        newest = max(former, key=lambda it: it["DeletionTime"])
        found = cloudformation.describe_stacks(StackName=newest["StackId"])["Stacks"][0]
    return found


def _resources(stack: Stack, stack_id: str) -> list[dict[str, Any]]:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return [it for page in pages for it in page["StackResourceSummaries"] if it.get("PhysicalResourceId")]


def _parts(stack: Stack, summaries: list[dict[str, Any]], remaining: list[dict[str, Any]]) -> Iterator[Part]:
    for summary in summaries:
        kind = _KINDS.get(summary["ResourceType"])
        if kind is not None and exists(stack, part := Part(kind, summary["PhysicalResourceId"])):
            yield part
    with_the_stack = {it["PhysicalResourceId"] for it in remaining}
    for family in ("agent", "agent-staging", "settings"):
        for arn in definitions(stack, f"{stack.name}-{family}"):
            if arn not in with_the_stack:
                yield Part(DEFINITION, arn)
    for name in _log_groups(stack, summaries):
        if name not in with_the_stack:
            yield Part(LOGS, name)


def _log_groups(stack: Stack, summaries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the stack's log groups, also those that AWS makes by itself."""
    yield from log_groups(stack, f"/pullwright/{stack.name}/")
    machine = f"/aws/vendedlogs/states/{stack.name}"
    functions = [it["PhysicalResourceId"] for it in summaries if _is(it, "AWS::Lambda::Function")]
    clusters = [it["PhysicalResourceId"] for it in summaries if _is(it, "AWS::ECS::Cluster")]
    known = {
        machine,
        *(f"/aws/lambda/{name}" for name in functions),
        *(f"/aws/ecs/containerinsights/{name}/performance" for name in clusters),
    }
    # A prefix alone would find those of a stack whose name begins with this one's.
    for prefix in (machine, f"/aws/lambda/{stack.name}-", f"/aws/ecs/containerinsights/{stack.name}-"):
        yield from (name for name in log_groups(stack, prefix) if name in known)


def _images(stack: Stack, remaining: list[dict[str, Any]]) -> int | None:
    count = 0
    try:
        for name in (it["PhysicalResourceId"] for it in remaining if _is(it, "AWS::ECR::Repository")):
            pages = stack.client("ecr").get_paginator("list_images").paginate(repositoryName=name)
            count += len({it["imageDigest"] for page in pages for it in page["imageIds"]})
    except ClientError:
        # Only for people to read: the repository goes with all that is in it.
        return None
    return count


def _left(stack: Stack, parameters: Mapping[str, str]) -> Iterator[Left]:
    for name, kind in _GIVEN.items():
        if parameters.get(name):
            yield Left(kind, parameters[name], f"It was there before: the parameter {name} names it.")
    yield Left(
        "GitHub App",
        parameters.get("GitHubApiUrl", "https://api.github.com"),
        "GitHub lets nobody but its owner delete it: on its settings page, under Advanced.",
    )
    if uploads := _uploads(stack):
        yield uploads


def _uploads(stack: Stack) -> Left | None:
    """Return what `sam deploy` has uploaded for this stack, to a bucket that stacks share."""
    try:
        [shared] = stack.client("cloudformation").describe_stacks(StackName=_SAM_STACK)["Stacks"]
        bucket = next(it["OutputValue"] for it in shared["Outputs"] if it["OutputKey"] == "SourceBucket")
        found = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{stack.name}/", MaxKeys=1)
    except (ClientError, StopIteration):
        # An extra: who may not look there, or deploys by another bucket, is told nothing of it.
        return None
    if not found.get("KeyCount"):
        return None
    place = f"s3://{bucket}/{stack.name}/"
    why = "`sam deploy` uploads to a bucket that all stacks of the region share."
    return Left("uploads", place, why, aws_line(stack, "s3", "rm", "--recursive", place))


def _is(summary: Mapping[str, Any], kind: str) -> bool:
    return bool(summary["ResourceType"] == kind)
