"""The item `REPO#<repository>`: which set of its workers holds, and what the webhook reads of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from boto3.dynamodb.types import Binary
from pydantic import BeforeValidator, Field, ValidationError

from pullwright.fields import Stored
from pullwright.table import workers_chunk_key
from pullwright.workers.schedules import Schedule
from pullwright.workers.unpacking import SCHEMA_VERSION, BrokenManifest

if TYPE_CHECKING:
    from collections.abc import Mapping

SYNCED = "SYNCED"
SCHEDULED = "SCHEDULED"
"""`status` of such an item, without and with schedules: the index finds it by this."""


def as_bytes(value: Any) -> Any:
    """Return the bytes that DynamoDB's wrapper holds; anything else as it is."""
    content: Any = value
    return bytes(content) if isinstance(value, Binary) else value


Whole = Annotated[int, Field(ge=0, strict=False)]


class ChunkSet(Stored):
    """The items that hold one set.

    Attributes:
        sha256: over the set's canonical JSON.
        writing_id: of the writing that made them, so that two that write the same set share none.
    """

    sha256: str
    writing_id: str
    chunks: Whole

    def keys(self, repository: str) -> list[str]:
        """Return the keys of the items, in order."""
        return [
            workers_chunk_key(repository, self.sha256, self.writing_id, number)
            for number in range(self.chunks)
        ]


class Problem(Stored):
    """What is wrong with the newest files, while the last good set holds.

    Attributes:
        at: ISO 8601 in UTC.
    """

    commit: str
    text: str
    at: str


class Head(Stored):
    """The item without its key.

    The webhook reads `schema_version`, `routes` and `routes_sha256` and nothing else; without `routes` the
    built-in workers hold alone.

    Attributes:
        revision: changes with each writing, which holds only if it found the one that it had read.
        installation_id: of the App, that reaches the repository.
        source_commit: that the set was first read from.
        current: the set that holds; none while no good one has been seen.
        size: of the set's JSON, bytes.
        routes: gzip of what starts the workers.
        schedules: of the workers that are switched on.
        leftovers: sets that are written or to be removed, so that what is cut off in between leaves nothing.
        heartbeat_at: when it was written, ISO 8601 in UTC.
    """

    repository: str
    revision: str | None = None
    schema_version: Whole = SCHEMA_VERSION
    installation_id: Whole | None = None
    source_commit: str = ""
    current: ChunkSet | None = None
    size: Whole = 0
    routes: Annotated[bytes, BeforeValidator(as_bytes)] | None = None
    routes_sha256: str = ""
    problem: Problem | None = None
    schedules: tuple[Schedule, ...] = Field(default=(), strict=False)
    leftovers: tuple[ChunkSet, ...] = Field(default=(), strict=False)
    status: str = SYNCED
    heartbeat_at: str = ""

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Read the item.

        Raises:
            BrokenManifest: it is not what was written, or a newer release wrote it.
        """
        try:
            head = cls.model_validate(item)
        except ValidationError as error:
            fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
            raise BrokenManifest(f"its item is damaged ({fields})") from None
        if head.schema_version != SCHEMA_VERSION:
            raise BrokenManifest(
                f"its form is {head.schema_version}, and this release knows {SCHEMA_VERSION} only"
            )
        return head

    def attributes(self) -> dict[str, Any]:
        """Return the item's attributes, in types that DynamoDB has."""
        fields = self.model_dump(exclude_none=True)
        return {**fields, "leftovers": list(fields["leftovers"]), "schedules": list(fields["schedules"])}

    def without_set(self) -> Self:
        """Return the head of a repository for which the built-in workers hold alone."""
        nothing = {"current": None, "routes": None, "routes_sha256": "", "size": 0, "source_commit": ""}
        return self.model_copy(update={**nothing, "schedules": (), "status": SYNCED})
