"""Previews in the sessions table: a record for each, who has a slot, and who has a host.

Records have a key and a status of their own, so that no query for sessions meets them. `PREVIEWS` names the
previews that have a slot, which is how those that run are found, and those whose end is still to be told;
`PREVIEWHOST#<host>` says whose a host is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pullwright.aws import calling
from pullwright.fields import Stored
from pullwright.record import moment
from pullwright.table import decoded, encoded, read_item, writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

SLOTS_KEY = "PREVIEWS"
"""`pk` of the previews that have a slot."""
STARTING, SERVING, SUCCEEDED, FAILED = "STARTING", "SERVING", "SUCCEEDED", "FAILED"
"""Values of `preview_status`."""
OPEN = frozenset({STARTING, SERVING})


class PreviewRecord(Stored):
    """The item `PREVIEW#<id>`.

    Attributes:
        withdrawn: class name from `pullwright.errors`: why it is not wanted any more, with `withdrawn_cause`.
        withdrawn_cause: the sentence.
        branch: of the pull request.
        host: with the suffix.
        plan: a `PreviewPlan`, JSON.
        step: a `Step`, once that is said on the pull request; empty before its task runs.
        step_at: when that step began, ISO 8601; empty before the first.
        step_answer: what the load balancer says of the server's answers.
        pictures: Markdown, of its pages, once there are some.
        news: Markdown, what is said below it of a newer preview.
        ends_at: when its time is up, once it is served.
        task_id: of the task that ran last, once the preview has ended.
    """

    preview_id: str
    execution_arn: str = ""
    preview_status: str = ""
    started_at: str = ""
    preview_repository: str = ""
    pull_request: int | None = Field(default=None, strict=False)
    installation_id: int | None = Field(default=None, strict=False)
    session: str = ""
    label: str = ""
    branch: str = ""
    commit: str = ""
    host: str = ""
    url: str = ""
    plan: str = ""
    ended_at: str = ""
    comment_id: int | None = Field(default=None, strict=False)
    step: str = ""
    step_at: str = ""
    step_answer: str = ""
    task_id: str = ""
    healthy_at: str = ""
    ends_at: str = ""
    pictures: str = ""
    news: str = ""
    error: str = ""
    sentence: str = ""
    remedy: str = ""
    withdrawn: str = ""
    withdrawn_cause: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.preview_status in OPEN

    def is_newer(self, preview_id: str, started_at: datetime) -> bool:
        """Return whether it was started after another one; of two in the same moment, one is by its id."""
        began = moment(self.started_at)
        return began is not None and (began, self.preview_id) > (started_at, preview_id)

    def has_comment_of(self, other: PreviewRecord) -> bool:
        """Return whether both are told in one comment: a session's previews have one of their own."""
        here, there = (
            (record.preview_repository.lower(), record.pull_request, bool(record.session))
            for record in (self, other)
        )
        return here == there

    def is_newer_than(self, other: PreviewRecord) -> bool:
        """Return whether it was asked for later."""
        began = moment(other.started_at)
        return began is not None and self.is_newer(other.preview_id, began)


def preview_key(preview_id: str) -> str:
    """`pk` of a preview's record."""
    return f"PREVIEW#{preview_id}"


def host_key(host: str) -> str:
    """`pk` of whose a host is.

    Args:
        host: with the suffix.
    """
    return f"PREVIEWHOST#{host}"


def withdrawal(preview_id: str, *, error: str, cause: str, while_starting: bool = False) -> dict[str, Any]:
    """Return UpdateItem's arguments that note in a record that its preview is not wanted any more."""
    most = "= :starting" if while_starting else "IN (:starting, :serving)"
    values = {":error": error, ":cause": cause, ":starting": STARTING}
    if not while_starting:
        values[":serving"] = SERVING
    return {
        "Key": {"pk": {"S": preview_key(preview_id)}},
        "UpdateExpression": "SET withdrawn = :error, withdrawn_cause = :cause",
        "ConditionExpression": f"attribute_not_exists(withdrawn) AND preview_status {most}",
        "ExpressionAttributeValues": {name: {"S": value} for name, value in values.items()},
    }


class PreviewStore:
    """The items of previews."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, preview_id: str) -> PreviewRecord:
        """Return a preview's record; one that is missing has no status.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        item = read_item(self._client, self._table, preview_key(preview_id))
        return PreviewRecord.model_validate({**item, "preview_id": preview_id})

    def update(self, preview_id: str, fields: Mapping[str, Any]) -> PreviewRecord:
        """Set fields of a preview's record, and return it; those that are None stay as they are."""
        with calling("write the preview's record"):
            answer = self._client.update_item(
                TableName=self._table, ReturnValues="ALL_NEW", **_setting(preview_id, fields)
            )
        return PreviewRecord.model_validate({**decoded(answer["Attributes"]), "preview_id": preview_id})

    def update_open(
        self, preview_id: str, fields: Mapping[str, Any], *, unless_withdrawn: bool = False
    ) -> bool:
        """Set fields of a preview's record as `update` does, as long as the preview has not ended.

        Args:
            unless_withdrawn: change nothing either once the preview is not wanted any more.

        Returns:
            False if nothing was changed.
        """
        change = _setting(preview_id, fields)
        values = {":starting": {"S": STARTING}, ":serving": {"S": SERVING}}
        change["ExpressionAttributeValues"] = {**change["ExpressionAttributeValues"], **values}
        withdrawn = " AND attribute_not_exists(withdrawn)" if unless_withdrawn else ""
        with writing("write the preview's record") as write:
            self._client.update_item(
                TableName=self._table,
                ConditionExpression=f"preview_status IN (:starting, :serving){withdrawn}",
                **change,
            )
        return write.is_done

    def withdraw(self, preview_id: str, *, error: str, cause: str, while_starting: bool = False) -> bool:
        """Note that a preview is not wanted any more; the first reason stays.

        Args:
            error: class name from `pullwright.errors`.
            while_starting: only as long as it is not served.

        Returns:
            False if it has ended, was withdrawn before, or is served already.
        """
        update = withdrawal(preview_id, error=error, cause=cause, while_starting=while_starting)
        with writing("withdraw a preview") as write:
            self._client.update_item(TableName=self._table, **update)
        return write.is_done

    def holders(self) -> frozenset[str]:
        """Return the previews that have a slot: all that run, or are about to."""
        return frozenset(read_item(self._client, self._table, SLOTS_KEY).get("holders", ()))

    def untold(self) -> frozenset[str]:
        """Return the previews that ended, and whose end is still to be told on the pull request."""
        return frozenset(read_item(self._client, self._table, SLOTS_KEY).get("untold", ()))

    def note_untold(self, preview_id: str, *, is_untold: bool) -> None:
        """Note that a preview's end is still to be told, or is not any more."""
        with calling("note whose end is to be told"):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": SLOTS_KEY}},
                UpdateExpression=f"{'ADD' if is_untold else 'DELETE'} untold :me",
                ExpressionAttributeValues={":me": {"SS": [preview_id]}},
            )

    def lease(self, preview_id: str, *, now: datetime, until: datetime) -> bool:
        """Let one sweep at a time look after a preview; return False if another one does.

        Args:
            until: when another one may, if this one gives nothing back.
        """
        with writing("lease a preview") as write:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": preview_key(preview_id)}},
                UpdateExpression="SET leased_until = :until",
                ConditionExpression="attribute_not_exists(leased_until) OR leased_until < :now",
                ExpressionAttributeValues={
                    ":until": {"S": until.isoformat()},
                    ":now": {"S": now.isoformat()},
                },
            )
        return write.is_done

    def give_back(self, preview_id: str, *, until: datetime) -> None:
        """Give a lease back; one that is another sweep's by now stays."""
        with writing("give the lease of a preview back"):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": preview_key(preview_id)}},
                UpdateExpression="REMOVE leased_until",
                ConditionExpression="leased_until = :until",
                ExpressionAttributeValues={":until": {"S": until.isoformat()}},
            )

    def take_slot(self, preview_id: str, most: int) -> bool:
        """Take a slot; doing it twice takes one. Return False if none is free."""
        with writing("take a slot for a preview") as write:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": SLOTS_KEY}},
                UpdateExpression="ADD holders :me",
                ConditionExpression="attribute_not_exists(holders) OR contains(holders, :id) "
                "OR size(holders) < :most",
                ExpressionAttributeValues={
                    ":me": {"SS": [preview_id]},
                    ":id": {"S": preview_id},
                    ":most": {"N": str(most)},
                },
            )
        return write.is_done

    def free_slot(self, preview_id: str, *, is_untold: bool = False) -> None:
        """Give a preview's slot back; one that it does not have changes nothing.

        Args:
            is_untold: note in the same write that the preview's end is still to be told.
        """
        with calling("free the slot of a preview"):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": SLOTS_KEY}},
                UpdateExpression="DELETE holders :me" + (" ADD untold :me" if is_untold else ""),
                ExpressionAttributeValues={":me": {"SS": [preview_id]}},
            )

    def take_host(self, host: str, *, subject: str, preview_id: str) -> bool:
        """Have a host, alone or with earlier previews of the same subject.

        Args:
            subject: what the host is for, such as a pull request or a session.

        Returns:
            False if another subject has it.
        """
        with writing("take a preview's host") as write:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": host_key(host)}},
                UpdateExpression="SET subject = :subject ADD holders :me",
                ConditionExpression="attribute_not_exists(pk) OR subject = :subject",
                ExpressionAttributeValues={":subject": {"S": subject}, ":me": {"SS": [preview_id]}},
            )
        return write.is_done

    def host_subject(self, host: str) -> str:
        """Return what a host is for; empty if nobody has it."""
        return str(read_item(self._client, self._table, host_key(host)).get("subject", ""))

    def host_holders(self, host: str) -> frozenset[str]:
        """Return the previews that have a host."""
        return frozenset(read_item(self._client, self._table, host_key(host)).get("holders", ()))

    def free_host(self, host: str, preview_id: str) -> None:
        """Give a host up; once nobody has it, another subject may."""
        key = {"pk": {"S": host_key(host)}}
        with writing("free a preview's host"):
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="DELETE holders :me",
                # Else the update would make the item anew.
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":me": {"SS": [preview_id]}},
            )
        with writing("free a preview's host"):
            # DynamoDB removes a set that becomes empty.
            self._client.delete_item(
                TableName=self._table, Key=key, ConditionExpression="attribute_not_exists(holders)"
            )

    def close(
        self, preview_id: str, fields: Mapping[str, Any], *, now: datetime, kept_days: int
    ) -> PreviewRecord:
        """Close a preview's record, which may go after some days; return it as it is then."""
        ttl = int((now + timedelta(days=kept_days)).timestamp())
        return self.update(preview_id, {**fields, "ended_at": now.isoformat(), "ttl": ttl})


def _setting(preview_id: str, fields: Mapping[str, Any]) -> Any:
    """Return UpdateItem's arguments that set fields of a preview's record."""
    given = [(name, value) for name, value in fields.items() if value is not None]
    return {
        "Key": {"pk": {"S": preview_key(preview_id)}},
        "UpdateExpression": "SET " + ", ".join(f"#f{i} = :v{i}" for i, _ in enumerate(given)),
        "ExpressionAttributeNames": {f"#f{i}": name for i, (name, _) in enumerate(given)},
        "ExpressionAttributeValues": {f":v{i}": encoded(value) for i, (_, value) in enumerate(given)},
    }
