"""The sessions table as the sweep uses it: what is open, due or held, by index and never by scan."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright.aws import calling
from pullwright.record import DUE, OPEN, SessionRecord
from pullwright.store import LOCKED
from pullwright.table import (
    decoded,
    encoded,
    read_item,
    session_key,
    session_of,
    slots_key,
    writing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.reconciling.executions import ExecutionEnd
    from pullwright.results import Verdict

PAUSED = "paused"
"""Attribute of the stack's slots while no session may take one; the state machine looks at it."""
# As RecordSession keeps them.
_LONGEST_INPUT = 80_000
_LONGEST_REPOSITORY = 140
# Of a megabyte each.
_MOST_PAGES = 20


class SessionsPlace(NamedTuple):
    """An issue or pull request, and the branch of its sessions.

    Attributes:
        repository: full name.
        branch: also finds the sessions of the issue that a pull request is for.
    """

    repository: str
    number: int
    branch: str

    def holds(self, record: SessionRecord) -> bool:
        """Return whether a session was asked for here, or works on the branch."""
        request = record.request
        numbers = (record.issue, record.pull_request, request.get("issue"), request.get("pull_request"))
        is_here = self.number in numbers or self.branch == record.branch
        return is_here and (record.repository or "").lower() == self.repository.lower()


class Lock(NamedTuple):
    """A lock on a branch.

    Attributes:
        owner: ARN of the execution that holds it.
        taken_at: ISO 8601.
    """

    key: str
    owner: str
    session_id: str
    taken_at: str


class Ledger:
    """What the sweep reads and writes.

    Attributes:
        consumed: read capacity that the queries took so far.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self.consumed = 0.0

    def open_sessions(self) -> list[SessionRecord]:
        """Return the records of open sessions, those without a heartbeat for longest first.

        A task writes its sign of life, by which the index is sorted, and could take its record out of it: so
        whoever holds a slot is looked for too.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        items = [item for status in OPEN for item in self._query("by_status", "status", status)]
        records = [SessionRecord.of(session_of(item["pk"]), item) for item in items]
        for session_id in sorted(self.holders() - {record.session_id for record in records}):
            record = SessionRecord.of(session_id, self._read(session_key(session_id)))
            if record.is_open:
                records.append(record)
        return records

    def sessions_about(self, place: SessionsPlace) -> Iterator[SessionRecord]:
        """Yield the sessions of one issue or pull request, newest first.

        Of a repository with many thousands of sessions, only the newest are looked at.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        with calling("query the sessions table"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="by_repository",
                KeyConditionExpression="repository = :repository",
                FilterExpression="issue = :number OR pull_request = :number OR branch = :branch "
                "OR contains(#input, :asked) OR contains(#input, :typed)",
                ExpressionAttributeNames={"#input": "input"},
                ExpressionAttributeValues={
                    ":repository": {"S": place.repository},
                    ":number": {"N": str(place.number)},
                    ":branch": {"S": place.branch},
                    # As Step Functions and as people write JSON.
                    ":asked": {"S": f'"pull_request":{place.number}'},
                    ":typed": {"S": f'"pull_request": {place.number}'},
                },
                ScanIndexForward=False,
            )
            for page in islice(pages, _MOST_PAGES):
                for item in map(decoded, page["Items"]):
                    record = SessionRecord.of(session_of(item["pk"]), item)
                    if place.holds(record):
                        yield record

    def locks(self) -> list[Lock]:
        """Return the locks on branches."""
        items = self._query("by_status", "status", LOCKED)
        return [
            Lock(*(item[name] for name in ("pk", "owner", "session_id", "heartbeat_at"))) for item in items
        ]

    def due_reports(self, *, jira: bool) -> list[str]:
        """Return the closed sessions whose report GitHub, or Jira, has not taken.

        Args:
            jira: whether there is one.
        """
        items = list(self._query("by_report", "report", DUE))
        items += self._query("by_jira_report", "jira_report", DUE) if jira else ()
        return list(dict.fromkeys(session_of(item["pk"]) for item in items))

    def holders(self, repository: str | None = None) -> frozenset[str]:
        """Return the sessions that hold a slot of the stack, or of one repository."""
        return frozenset(self._read(slots_key(repository)).get("holders", ()))

    def hold_slots(self, *, is_off: bool) -> None:
        """Stop or resume giving slots to waiting sessions; write nothing if that is so already.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        if (PAUSED in self._read(slots_key())) is is_off:
            return
        with calling("switch the slots"):
            if is_off:
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": slots_key()}},
                    UpdateExpression=f"SET {PAUSED} = :yes",
                    ExpressionAttributeValues={":yes": {"BOOL": True}},
                )
            else:
                self._client.update_item(
                    TableName=self._table, Key={"pk": {"S": slots_key()}}, UpdateExpression=f"REMOVE {PAUSED}"
                )

    def begin(self, session_id: str, execution_arn: str, end: ExecutionEnd, *, now: str) -> None:
        """Write the record that RecordSession could not write; one that is there stays as it is.

        Args:
            end: how that ended, and with what input it began.
            now: the time, ISO 8601 in UTC, where AWS does not tell when it began.
        """
        began = end.started_at.isoformat() if end.started_at is not None else now
        repository = end.request.get("repository")
        fields = {
            "pk": session_key(session_id),
            "session_id": session_id,
            "execution_arn": execution_arn,
            "status": OPEN[1],
            "created_at": began,
            "heartbeat_at": began,
            "input": end.input[:_LONGEST_INPUT],
        }
        if isinstance(repository, str) and 0 < len(repository) <= _LONGEST_REPOSITORY:
            fields["repository"] = repository
        with writing("write the session record"):
            self._client.put_item(
                TableName=self._table,
                Item={name: {"S": value} for name, value in fields.items()},
                ConditionExpression="attribute_not_exists(pk)",
            )

    def lease(self, session_id: str, *, now: str, until: str) -> bool:
        """Lease a session to finish it; False if another sweep has it, or it is finished.

        Args:
            now: the time, ISO 8601 in UTC.
            until: when it is free again, whatever becomes of us.
        """
        return self._change(
            session_id,
            "SET reconciling_until = :until",
            "(attribute_not_exists(reconciling_until) OR reconciling_until < :now) "
            "AND (#status IN (:running, :queued) OR #report = :due OR jira_report = :due)",
            {":until": until, ":now": now, ":running": OPEN[0], ":queued": OPEN[1], ":due": DUE},
        )

    def give_back(self, session_id: str, *, until: str) -> None:
        """Give our lease back early."""
        mine = {":until": until}
        self._change(session_id, "REMOVE reconciling_until", "reconciling_until = :until", mine)

    def close(self, session_id: str, verdict: Verdict, *, report: str, now: str, until: str) -> bool:
        """Close a session that is leased to us, as the state machine's CloseSession does.

        Args:
            now: the time, ISO 8601 in UTC.
        """
        is_due = report == DUE
        values: dict[str, Any] = {
            ":status": verdict.status,
            ":outcome": verdict.outcome.value,
            ":error": verdict.error,
            ":class": verdict.failure_class,
            ":sentence": verdict.sentence,
            ":remedy": verdict.remedy,
            ":is_due": is_due,
            ":report": report,
            ":now": now,
            # Kept until somebody has told it.
            ":ttl": 0 if is_due else verdict.ttl,
            ":over": True,
            ":until": until,
        }
        return self._change(
            session_id,
            "SET #status = :status, outcome = :outcome, #error = :error, failure_class = :class, "
            "sentence = :sentence, remedy = :remedy, report_due = :is_due, #report = :report, "
            "closed_at = if_not_exists(closed_at, :now), #ttl = :ttl, is_over = :over "
            "REMOVE reconciling_until",
            "reconciling_until = :until",
            values,
        )

    def free_slot(self, session_id: str, repository: str | None) -> bool:
        """Give back a session's slot, of the stack and of its repository; False if it held none.

        The stack's goes last: by it the next sweep finds what this one did not come to.
        """
        freed = False
        for scope in (repository, None) if repository else (None,):
            if session_id in self.holders(scope):
                freed = True
                with calling("free a slot"):
                    self._client.update_item(
                        TableName=self._table,
                        Key={"pk": {"S": slots_key(scope)}},
                        UpdateExpression="DELETE holders :me",
                        ExpressionAttributeValues={":me": {"SS": [session_id]}},
                    )
        return freed

    def _read(self, key: str) -> dict[str, Any]:
        return read_item(self._client, self._table, key)

    def _change(self, session_id: str, update: str, condition: str, values: dict[str, Any]) -> bool:
        names = {"#status": "status", "#report": "report", "#error": "error", "#ttl": "ttl", "#pk": "pk"}
        condition = f"attribute_exists(#pk) AND {condition}"
        with writing("write the session record") as write:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": session_key(session_id)}},
                UpdateExpression=update,
                ConditionExpression=condition,
                # DynamoDB refuses a name that is given and not used.
                ExpressionAttributeNames={
                    name: real for name, real in names.items() if name in update + condition
                },
                ExpressionAttributeValues={name: encoded(value) for name, value in values.items()},
            )
        return write.is_done

    def _query(self, index: str, key: str, value: str) -> Iterator[dict[str, Any]]:
        with calling("query the sessions table"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#key = :value",
                ExpressionAttributeNames={"#key": key},
                ExpressionAttributeValues={":value": {"S": value}},
                ReturnConsumedCapacity="TOTAL",
            )
            for page in pages:
                self.consumed += page.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
                yield from map(decoded, page["Items"])
