"""What CloudFormation leaves when it deletes a stack: found, removed, and the plain calls for it.

Whatever is gone already counts as removed, so that all of it can be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.aws import code_of
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pullwright_cli.aws import Stack

TABLE, BUCKET, SECRET = "table", "bucket", "secret"
DEFINITION, LOGS = "task definition", "log group"
RECOVERY_DAYS = 30
"""How long Secrets Manager keeps a removed secret: the longest that it offers."""
_GONE = frozenset({"404", "ClientException", "NoSuchBucket", "ResourceNotFoundException"})


class Part(NamedTuple):
    """Something that is not removed with the stack.

    Attributes:
        name: for a secret and a task definition, its ARN.
    """

    kind: str
    name: str


def exists(stack: Stack, part: Part) -> bool:
    """Return whether it is there; a secret that is about to go is not."""
    ask: dict[str, Callable[[], Any]] = {
        TABLE: lambda: stack.client("dynamodb").describe_table(TableName=part.name)["Table"],
        BUCKET: lambda: stack.client("s3").head_bucket(Bucket=part.name),
        SECRET: lambda: stack.client("secretsmanager").describe_secret(SecretId=part.name),
    }
    try:
        found = ask[part.kind]()
    except ClientError as error:
        if code_of(error) not in _GONE:
            raise
        return False
    return "DeletedDate" not in found and found.get("TableStatus") != "DELETING"


def definitions(stack: Stack, family: str) -> Iterator[str]:
    """Yield the ARNs of a family's revisions that a task could be started from."""
    pages = stack.client("ecs").get_paginator("list_task_definitions").paginate(familyPrefix=family)
    for page in pages:
        yield from page["taskDefinitionArns"]


def log_groups(stack: Stack, prefix: str) -> Iterator[str]:
    """Yield the names of log groups that begin so."""
    pages = stack.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    for page in pages:
        yield from (group["logGroupName"] for group in page["logGroups"])


def remove(stack: Stack, part: Part) -> None:
    """Remove it.

    Raises:
        NotRemoved: S3 kept an object.
    """
    try:
        _REMOVERS[part.kind](stack, part.name)
    except ClientError as error:
        if code_of(error) not in _GONE:
            raise


def lines(stack: Stack, part: Part) -> list[str]:
    """Return the plain calls that do the same."""
    name = part.name
    calls: dict[str, list[tuple[str, ...]]] = {
        TABLE: [("dynamodb", "delete-table", "--table-name", name)],
        BUCKET: [("s3", "rm", "--recursive", f"s3://{name}"), ("s3api", "delete-bucket", "--bucket", name)],
        SECRET: [
            (
                *("secretsmanager", "delete-secret", "--secret-id", name),
                *("--recovery-window-in-days", str(RECOVERY_DAYS)),
            )
        ],
        DEFINITION: [("ecs", "deregister-task-definition", "--task-definition", name)],
        LOGS: [("logs", "delete-log-group", "--log-group-name", name)],
    }
    return [aws_line(stack, *words) for words in calls[part.kind]]


def empty(stack: Stack, bucket: str, prefix: str = "") -> int:
    """Remove all objects below a prefix, each version of them; return how many there were.

    Raises:
        NotRemoved: S3 kept one.
    """
    s3, count = stack.client("s3"), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        keys = [{"Key": it["Key"], "VersionId": it["VersionId"]} for it in found]
        if not keys:
            continue
        kept = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors")
        if kept:
            raise errors.NotRemoved(
                f"S3 kept {kept[0]['Key']} in {bucket} ({kept[0]['Code']}): {kept[0].get('Message', '')}"
            )
        count += len(keys)
    return count


def _remove_bucket(stack: Stack, name: str) -> None:
    empty(stack, name)
    stack.client("s3").delete_bucket(Bucket=name)


def _remove_secret(stack: Stack, arn: str) -> None:
    if exists(stack, Part(SECRET, arn)):
        stack.client("secretsmanager").delete_secret(SecretId=arn, RecoveryWindowInDays=RECOVERY_DAYS)


_REMOVERS: dict[str, Callable[[Stack, str], Any]] = {
    TABLE: lambda stack, name: stack.client("dynamodb").delete_table(TableName=name),
    BUCKET: _remove_bucket,
    SECRET: _remove_secret,
    DEFINITION: lambda stack, arn: stack.client("ecs").deregister_task_definition(taskDefinition=arn),
    LOGS: lambda stack, name: stack.client("logs").delete_log_group(logGroupName=name),
}
