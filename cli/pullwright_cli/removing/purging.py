"""Removes old sessions: what they left in the bucket first, then the record by which they are found.

So a purge that was interrupted leaves records, and the next one goes on with them. Totals of months, branches
and pull requests stay; a purged conversation cannot be continued, so the next follow-up begins a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from pullwright.aws import code_of
from pullwright.table import session_key, session_of
from pullwright_cli.removing.parts import empty
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pullwright_cli.aws import Stack

_ENDED = ("SUCCEEDED", "FAILED")
_SESSION = session_key("")
_CONDITION = (
    "attribute_not_exists(pk) OR (#status IN (:s, :f) AND (attribute_not_exists(report) OR report <> :due))"
)
_NAMES = {"#status": "status"}
_VALUES = {":s": {"S": _ENDED[0]}, ":f": {"S": _ENDED[1]}, ":due": {"S": "due"}}
_SAY_EVERY = 50


class Found(NamedTuple):
    """Sessions that began before a moment.

    Attributes:
        ended: ids of those to purge, the oldest first.
        due: ids of those whose end GitHub has not taken; they stay until it has.
    """

    ended: tuple[str, ...]
    due: tuple[str, ...]


def find(stack: Stack, before: datetime, repository: str) -> Found:
    """Return the sessions that have ended and began before a moment.

    Of a repository, one query of `by_repository` has them; of all, `by_status` is read once for each status.
    """
    stamp = before.strftime("%Y-%m-%dT%H:%M:%S")
    items = [
        item
        for query in _queries(stamp, repository)
        for item in _items(stack, query)
        if item["pk"]["S"].startswith(_SESSION)
    ]
    items.sort(key=lambda item: item["created_at"]["S"])
    due = [item for item in items if item.get("report", {}).get("S") == "due"]
    ended = [session_of(item["pk"]["S"]) for item in items if item not in due]
    return Found(tuple(ended), tuple(session_of(item["pk"]["S"]) for item in due))


def purge(stack: Stack, sessions: Sequence[str], say: Callable[[str], None]) -> int:
    """Purge sessions; return how many artifacts they had.

    Raises:
        NotRemoved: S3 kept an artifact; its session's record stays too.
    """
    table, name = stack.client("dynamodb"), stack.output("SessionsTable")
    count = 0
    for done, session in enumerate(sessions):
        if done and done % _SAY_EVERY == 0:
            say(f"{done} of {len(sessions)} sessions are purged.")
        count += empty(stack, stack.output("ArtifactsBucket"), f"sessions/{session}/")
        try:
            table.delete_item(
                TableName=name,
                Key={"pk": {"S": session_key(session)}},
                ConditionExpression=_CONDITION,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues=_VALUES,
            )
        except ClientError as error:
            # No session of ours begins again; what somebody else wrote there is not ours to remove.
            if code_of(error) != "ConditionalCheckFailedException":
                raise
    return count


def lines(stack: Stack, sessions: Sequence[str]) -> list[str]:
    """Return the plain calls that do the same."""
    bucket, table = stack.output("ArtifactsBucket"), stack.output("SessionsTable")
    return [
        line
        for session in sessions
        for line in (
            aws_line(stack, "s3", "rm", "--recursive", f"s3://{bucket}/sessions/{session}/"),
            aws_line(
                stack,
                *("dynamodb", "delete-item", "--table-name", table),
                *("--key", f'{{"pk":{{"S":"{session_key(session)}"}}}}'),
            ),
        )
    ]


def _queries(stamp: str, repository: str) -> Iterator[dict[str, Any]]:
    if repository:
        yield {
            "IndexName": "by_repository",
            "KeyConditionExpression": "repository = :r AND created_at < :before",
            "FilterExpression": "#status IN (:s, :f)",
            "ExpressionAttributeValues": {
                ":r": {"S": repository},
                ":before": {"S": stamp},
                ":s": _VALUES[":s"],
                ":f": _VALUES[":f"],
            },
        }
        return
    for status in _ENDED:
        yield {
            "IndexName": "by_status",
            "KeyConditionExpression": "#status = :status",
            "FilterExpression": "created_at < :before",
            "ExpressionAttributeValues": {":status": {"S": status}, ":before": {"S": stamp}},
        }


def _items(stack: Stack, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pages = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.output("SessionsTable"),
            ProjectionExpression="pk, created_at, report, #status",
            ExpressionAttributeNames=_NAMES,
            **query,
        )
    )
    for page in pages:
        yield from page["Items"]
