"""The sessions table: one item per session, per branch, and per lock on a branch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pullwright.aws import calling
from pullwright.fields import Stored
from pullwright.mended import ChecksStore
from pullwright.models import SessionStatus
from pullwright.months import Months
from pullwright.record import SessionRecord, moment
from pullwright.spending import Spending
from pullwright.table import (
    IN_A_ROW_KEY,
    branch_key,
    decoded,
    encoded,
    read_item,
    session_key,
    session_of,
    slots_key,
    writing,
)
from pullwright.transactions import Transactions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.workers.store import WorkerStore

Value = str | int | float | bool

DRAINING = "draining_until"
"""Attribute of the stack's slots: until when no session may begin, as `pullwright destroy` is at work."""

LOCKED = "LOCKED"
"""Status of a lock, so that the index by status finds locks whose owner is gone."""

COUNTED_IN_A_ROW = ("service", "transient")
"""Failure classes that are the operator's business when they come one after the other."""


class BranchRecord(Stored):
    """The branch, pull request and comment that a session made, or what it comments on.

    Attributes:
        first_commit: the commit that the branch began with; a branch that contains it is the one we made.
        pull_request: missing until there is one.
        session_id: the last session that worked on it.
        head_commit: what that session reads, if it only comments.
        opened_at: when that was decided, ISO 8601.
        conversation_id: of the last conversation about the branch.
        conversation_session: the session whose artifacts hold it.
        asked_by_apps: how many sessions Apps have asked for since a person last did.
    """

    repository: str
    branch: str
    session_id: str
    first_commit: str | None = None
    pull_request: int | None = Field(default=None, strict=False)
    pull_request_url: str | None = None
    comment_id: int | None = Field(default=None, strict=False)
    head_commit: str | None = None
    opened_at: str | None = None
    conversation_id: str | None = None
    conversation_session: str | None = None
    asked_by_apps: int = Field(default=0, strict=False)


class Store:
    """The sessions table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @property
    def spending(self) -> Spending:
        """What the days' sessions cost."""
        return Spending(Transactions(self._client, self._table))

    @property
    def months(self) -> Months:
        """What the months' sessions cost."""
        return Months(Transactions(self._client, self._table))

    @property
    def workers(self) -> WorkerStore:
        """The repositories' own workers."""
        # Its models take long to import, and most functions never ask for a worker.
        from pullwright.workers.store import WorkerStore  # noqa: PLC0415 - see above

        return WorkerStore(self._client, self._table)

    @property
    def checks(self) -> ChecksStore:
        """What was done about failing checks."""
        return ChecksStore(self._client, self._table)

    def read_session(self, session_id: str) -> SessionRecord:
        """Return the record of a session, which may be missing.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        return SessionRecord.of(session_id, self._read(session_key(session_id)))

    def update_session(self, session_id: str, fields: Mapping[str, Value | None]) -> None:
        """Set fields of a session's record; those that are None stay as they are.

        Raises:
            AwsUnavailable: the table did not take it.
        """
        values = {name: value for name, value in fields.items() if value is not None}
        if values:
            self._update(session_key(session_id), values, "write the session record")

    def forget(self, session_id: str, names: Collection[str]) -> None:
        """Remove attributes from a session's record; without any, call nothing.

        Raises:
            AwsUnavailable: the table did not take it.
        """
        if names:
            numbered = {f"#f{i}": name for i, name in enumerate(names)}
            with calling("write the session record"):
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": session_key(session_id)}},
                    UpdateExpression=f"REMOVE {', '.join(numbered)}",
                    ExpressionAttributeNames=numbered,
                )

    def take_lock(self, key: str, *, owner: str, session_id: str) -> bool:
        """Take a lock that is free or already ours; return False if another execution holds it.

        Args:
            key: from `lock_key`.
            owner: ARN of the execution that takes it.
        """
        with writing("take the branch's lock") as write:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": key},
                    "owner": {"S": owner},
                    "session_id": {"S": session_id},
                    "status": {"S": LOCKED},
                    "heartbeat_at": {"S": datetime.now(UTC).isoformat()},
                },
                ConditionExpression="attribute_not_exists(pk) OR #owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": owner}},
            )
        return write.is_done

    def release_lock(self, key: str, *, owner: str) -> None:
        """Free a lock if it is ours."""
        with writing("free the branch's lock"):
            self._client.delete_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":me": {"S": owner}},
            )

    def lock_owner(self, key: str) -> str | None:
        """Return the ARN of the execution that holds a lock; None if it is free."""
        return self._read(key).get("owner")

    def holders(self, repository: str | None = None) -> int:
        """Return how many sessions hold a slot of the stack, or of one repository.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        return len(self._read(slots_key(repository)).get("holders", ()))

    def is_draining(self, now: datetime) -> bool:
        """Return whether the deployment is about to be removed, so that nothing may begin.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        until = moment(self._read(slots_key()).get(DRAINING))
        return until is not None and now < until

    def queued(self) -> int:
        """Return how many sessions have no slot yet; the index lags a moment behind.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        with calling("count the waiting sessions"):
            return self._client.query(
                TableName=self._table,
                IndexName="by_status",
                Select="COUNT",
                KeyConditionExpression="#status = :queued",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":queued": {"S": SessionStatus.QUEUED}},
            )["Count"]

    def waiting_sessions(self, repository: str, branch: str) -> list[SessionRecord]:
        """Return the sessions that wait for a branch, oldest first; the index lags a moment behind.

        Whoever asks holds the branch's lock: no other session without a slot can be past it.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        with calling("look for waiting sessions"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="by_status",
                KeyConditionExpression="#status = :queued",
                FilterExpression="repository = :repository AND branch = :branch "
                "AND attribute_not_exists(taken_by)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":queued": {"S": SessionStatus.QUEUED},
                    ":repository": {"S": repository},
                    ":branch": {"S": branch},
                },
            )
            items = [decoded(item) for page in pages for item in page["Items"]]
        return [SessionRecord.of(session_of(item["pk"]), item) for item in items]

    def count_in_a_row(self, failure_class: str) -> dict[str, int]:
        """Count how many sessions have failed in a row, with one that ended now.

        A good session begins the count anew; one that failed through its user's fault says nothing of the
        deployment, and counts neither way.

        Args:
            failure_class: of the session; empty when it succeeded.

        Returns:
            By failure class, how many have failed since the last good session.

        Raises:
            AwsUnavailable: the table did not take it.
        """
        if failure_class and failure_class not in COUNTED_IN_A_ROW:
            return {}
        if failure_class:
            expression = "SET #class = if_not_exists(#class, :none) + :one"
            values = {":none": {"N": "0"}, ":one": {"N": "1"}}
            names = {"#class": failure_class}
        else:
            names = {f"#c{number}": name for number, name in enumerate(COUNTED_IN_A_ROW)}
            expression = "SET " + ", ".join(f"{name} = :none" for name in names)
            values = {":none": {"N": "0"}}
        with calling("count the session"):
            counted = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": IN_A_ROW_KEY}},
                UpdateExpression=expression,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )["Attributes"]
        return {name: int(counted[name]["N"]) for name in names.values()}

    def read_branch(self, repository: str, branch: str) -> BranchRecord | None:
        """Return a branch's record; None if there is none."""
        item = self._read(branch_key(repository, branch))
        return BranchRecord.model_validate(item) if item else None

    def begin_branch(self, record: BranchRecord) -> None:
        """Record a branch that is about to be made, in place of an earlier one of the same name."""
        fields = record.model_dump(exclude_none=True)
        with calling("write the branch's record"):
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": branch_key(record.repository, record.branch)},
                    **{name: encoded(value) for name, value in fields.items()},
                },
            )

    def write_branch(self, record: BranchRecord) -> None:
        """Add to a branch's record; its other fields stay."""
        fields = record.model_dump(exclude_none=True)
        self._update(branch_key(record.repository, record.branch), fields, "write the branch's record")

    def _update(self, key: str, fields: Mapping[str, Value], what: str) -> None:
        # Numbered names: many of ours are reserved words (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html).
        numbered = list(enumerate(fields.items()))
        with calling(what):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression="SET " + ", ".join(f"#f{i} = :v{i}" for i, _ in numbered),
                ExpressionAttributeNames={f"#f{i}": name for i, (name, _) in numbered},
                ExpressionAttributeValues={f":v{i}": encoded(value) for i, (_, value) in numbered},
            )

    def _read(self, key: str) -> dict[str, Any]:
        return read_item(self._client, self._table, key)
