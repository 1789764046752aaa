"""What was done about the failing checks of a branch: one item, written under a condition."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import Field

from pullwright.errors import AwsUnavailable
from pullwright.fields import Stored
from pullwright.table import checks_key, encoded, read_item, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

MOST_IN_A_ROW = 3
"""Sessions that may try to mend what people or other sessions have pushed."""
# As long as Step Functions remembers the names of executions, by which no commit gets a second session.
_KEPT_SECONDS = 90 * 86_400
_MOST_TRIES = 10


class ChecksRecord(Stored):
    """What was done on a branch.

    Attributes:
        commit: the one that `reruns` and `names` are about.
        reruns: by id of a workflow's run, the delivery for which it was run again.
        names: the checks that were run again.
        mended: commits for which a session was started, since somebody else than these sessions pushed.
        version: counts the changes.
    """

    commit: str = ""
    reruns: dict[str, str] = Field(default_factory=dict)
    names: tuple[str, ...] = Field(default=(), strict=False)
    mended: tuple[str, ...] = Field(default=(), strict=False)
    version: int = Field(default=0, strict=False)


class ChecksStore:
    """The items of checks in the sessions table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, repository: str, branch: str) -> ChecksRecord:
        """Return the branch's record; a new one if there is none.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        return ChecksRecord.model_validate(
            read_item(self._client, self._table, checks_key(repository, branch))
        )

    def change(
        self, repository: str, branch: str, change: Callable[[ChecksRecord], ChecksRecord]
    ) -> ChecksRecord:
        """Change the branch's record as it then stands; return it.

        Args:
            change: may be called several times, and leaves what it returns unchanged unwritten.

        Raises:
            AwsUnavailable: the table did not answer, or others changed the record all the time.
        """
        for _ in range(_MOST_TRIES):
            before = self.read(repository, branch)
            after = change(before)
            if after == before or self._write(repository, branch, after, before.version):
                return after
        raise AwsUnavailable("The record of the branch's checks was changed by others all the time.")

    def _write(self, repository: str, branch: str, record: ChecksRecord, version: int) -> bool:
        fields = {
            **record.model_dump(mode="json"),
            "version": version + 1,
            "ttl": int(time.time()) + _KEPT_SECONDS,
        }
        with writing("write what was done about checks") as write:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": checks_key(repository, branch)},
                    **{name: encoded(value) for name, value in fields.items()},
                },
                ConditionExpression="attribute_not_exists(pk) OR version = :version",
                ExpressionAttributeValues={":version": {"N": str(version)}},
            )
        return write.is_done
