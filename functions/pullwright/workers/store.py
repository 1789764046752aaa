"""The repositories' own workers in the sessions table: a head for each, and the parts of its set.

The head changes as a whole and under the condition that nobody else has changed it. Parts belong to one
writing, are there before the head names them, and are removed when none does. So a reader sees the old set or
the new one, whatever is cut off where.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pullwright.aws import calling
from pullwright.errors import AwsUnavailable
from pullwright.table import decoded, encoded, read_item, workers_key, writing
from pullwright.workers.bundle import unbundle
from pullwright.workers.head import SCHEDULED, SYNCED, ChunkSet, Head, as_bytes
from pullwright.workers.schedules import schedules_of
from pullwright.workers.unpacking import BrokenManifest, unpack_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.workers.bundle import Bundle
    from pullwright.workers.definition import WorkerDefinition

_READS = 3


class Overtaken(AwsUnavailable):
    """Somebody else has written the repository's workers meanwhile: begin again."""


class WorkerStore:
    """The part of the sessions table under `REPO#`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def head(self, repository: str) -> Head | None:
        """Read a repository's head.

        Raises:
            BrokenManifest: it is not what was written, or a newer release wrote it.
            AwsUnavailable: the table did not answer.
        """
        item = self._item(repository)
        return Head.read(item) if item else None

    def read(self, repository: str) -> tuple[WorkerDefinition, ...]:
        """Read and verify a repository's own workers; none if it has none.

        Raises:
            BrokenManifest: what is stored is not what was written, or a newer release wrote it.
            AwsUnavailable: the table did not answer.
        """
        for _ in range(_READS):
            head = self.head(repository)
            if head is None:
                return ()
            chunks = self._chunks(head)
            if chunks is not None:
                return _verified(head, chunks)
            now = self.head(repository)
            if now is not None and now.revision == head.revision:
                raise BrokenManifest("a part of it is missing")
        raise AwsUnavailable(f"The workers of {repository} change too often to be read.")

    def replace(self, before: Head | None, after: Head, new: Bundle) -> None:
        """Store a set in place of the one before.

        Args:
            before: the head as it was read.
            after: what the new head says, besides the set.

        Raises:
            Overtaken: the head has changed since it was read.
            AwsUnavailable: the table did not take it; the set before still holds.
        """
        repository = after.repository
        known = () if before is None else before.schedules
        schedules = schedules_of(new.workers, known, datetime.now(UTC))
        chunk_set = ChunkSet(sha256=new.packed.sha256, writing_id=uuid4().hex, chunks=len(new.packed.chunks))
        start = before if before is not None else Head(repository=repository)
        announced = self._put(before, start, leftovers=(*start.leftovers, chunk_set))
        try:
            for key, chunk in zip(chunk_set.keys(repository), new.packed.chunks, strict=True):
                with calling("write the repository's workers"):
                    self._client.put_item(
                        TableName=self._table, Item={"pk": {"S": key}, "chunk": {"B": chunk}}
                    )
            written = self._put(
                announced,
                after,
                current=chunk_set,
                size=new.packed.size,
                schedules=schedules,
                status=SCHEDULED if schedules else SYNCED,
                routes=new.routes.chunks[0],
                routes_sha256=new.routes.sha256,
                leftovers=_others(announced, chunk_set),
            )
        except Overtaken:
            # Whoever was faster may have looked for these before they were there.
            self._delete_chunks(repository, (chunk_set,))
            raise
        self._clean(written)

    def note(self, before: Head | None, after: Head) -> None:
        """Change what the head says without changing its set.

        Raises:
            Overtaken: the head has changed since it was read.
        """
        self._put(before, after)

    def remove(self, repository: str) -> bool:
        """Remove everything about a repository; False if there was nothing.

        Raises:
            AwsUnavailable: the table did not take all of it; to be done again.
        """
        item = self._item(repository)
        if not item:
            return False
        head = self._lenient(repository, item)
        gone = self._put(head, head.without_set(), leftovers=_others(head, None))
        self._delete_chunks(repository, gone.leftovers)
        with writing("remove the repository's workers") as write:
            self._client.delete_item(
                TableName=self._table,
                Key={"pk": {"S": workers_key(repository)}},
                ConditionExpression="revision = :revision",
                ExpressionAttributeValues={":revision": {"S": str(gone.revision)}},
            )
        if not write.is_done:
            raise Overtaken(f"The workers of {repository} were written meanwhile.")
        return True

    def writable_head(self, repository: str) -> Head | None:
        """Read a head to write over it; of one that is damaged nothing is kept but its revision."""
        item = self._item(repository)
        return self._lenient(repository, item) if item else None

    def repositories_of(self, installation_id: int) -> list[str]:
        """Return the repositories that are stored for an installation; the index lags a moment behind.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        return [
            str(item["repository"])
            for status in (SYNCED, SCHEDULED)
            for item in self._by_status(status, "repository, installation_id")
            if item.get("installation_id") == installation_id
        ]

    def scheduled(self) -> list[Head]:
        """Return the repositories with scheduled workers, without their sets; the index lags a moment behind.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        items = self._by_status(SCHEDULED, "repository, schedules")
        return [Head.model_validate(item) for item in items]

    def _by_status(self, status: str, attributes: str) -> list[dict[str, Any]]:
        with calling("query the sessions table"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="by_status",
                KeyConditionExpression="#status = :status",
                ProjectionExpression=attributes,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":status": {"S": status}},
            )
            return [decoded(item) for page in pages for item in page["Items"]]

    def _item(self, repository: str) -> dict[str, Any]:
        return read_item(self._client, self._table, workers_key(repository))

    def _lenient(self, repository: str, item: Mapping[str, Any]) -> Head:
        try:
            return Head.read(item)
        except BrokenManifest:
            revision = item.get("revision")
            return Head(repository=repository, revision=revision if isinstance(revision, str) else None)

    def _chunks(self, head: Head) -> list[bytes] | None:
        """Return the parts of the set that holds; None if one is missing."""
        chunks: list[bytes] = []
        for key in head.current.keys(head.repository) if head.current is not None else ():
            chunk = as_bytes(read_item(self._client, self._table, key).get("chunk"))
            if not isinstance(chunk, bytes):
                return None
            chunks.append(chunk)
        return chunks

    def _put(self, before: Head | None, after: Head, **changes: Any) -> Head:
        """Write a head, if the one that was read still stands there."""
        now = datetime.now(UTC).isoformat()
        head = after.model_copy(update={"revision": uuid4().hex, "heartbeat_at": now, **changes})
        with writing("write the repository's workers") as write:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": workers_key(head.repository)},
                    **{name: encoded(value) for name, value in head.attributes().items()},
                },
                **_condition(before),
            )
        if not write.is_done:
            raise Overtaken(f"The workers of {head.repository} were written meanwhile.")
        return head

    def _clean(self, head: Head) -> None:
        """Delete the chunks of earlier sets; if that is cut off, the next writing does it."""
        if head.leftovers:
            self._delete_chunks(head.repository, head.leftovers)
            self._put(head, head, leftovers=())

    def _delete_chunks(self, repository: str, chunk_sets: tuple[ChunkSet, ...]) -> None:
        for chunk_set in chunk_sets:
            for key in chunk_set.keys(repository):
                with calling("remove the repository's workers"):
                    self._client.delete_item(TableName=self._table, Key={"pk": {"S": key}})


def _verified(head: Head, chunks: list[bytes]) -> tuple[WorkerDefinition, ...]:
    if head.current is None:
        return ()
    workers = unbundle(chunks, head.current.sha256)
    # By value: another release of zlib may pack the same in other bytes.
    if unpack_routes(head.routes or b"", head.routes_sha256) != tuple(worker.worker() for worker in workers):
        raise BrokenManifest("what starts the workers differs from what they say")
    return workers


def _others(head: Head, kept: ChunkSet | None) -> tuple[ChunkSet, ...]:
    """Return the sets that a head knows, without the one that is kept."""
    current = () if head.current is None else (head.current,)
    return tuple(chunk_set for chunk_set in (*head.leftovers, *current) if chunk_set != kept)


def _condition(before: Head | None) -> dict[str, Any]:
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    if before.revision is None:
        return {"ConditionExpression": "attribute_not_exists(revision)"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"S": before.revision}},
    }
