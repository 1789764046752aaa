"""A repository's workers as they are stored: the whole set, and what starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import TypeAdapter, ValidationError

from pullwright.workers.collection import FOLDER, Problem
from pullwright.workers.definition import WorkerDefinition
from pullwright.workers.manifest import Packed, pack, pack_routes
from pullwright.workers.unpacking import MOST_BYTES, BrokenManifest, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

# They stand in the head, which holds 400 KB with the routes.
_MOST_SCHEDULES = 100
_WORKERS: TypeAdapter[tuple[WorkerDefinition, ...]] = TypeAdapter(
    tuple[WorkerDefinition, ...], config={"defer_build": True}
)


class Bundle(NamedTuple):
    """A set of workers, packed.

    Attributes:
        routes: what the webhook reads: one chunk.
    """

    workers: tuple[WorkerDefinition, ...]
    packed: Packed
    routes: Packed


def bundle(workers: Sequence[WorkerDefinition]) -> Bundle | Problem:
    """Pack workers as they were defined; what is missing stays missing, so that its default may change.

    Returns:
        The set, or why it is too large to be stored.
    """
    packed = pack([worker.model_dump(mode="json", exclude_unset=True) for worker in workers])
    routes = pack_routes([worker.worker() for worker in workers])
    if packed.size > MOST_BYTES:
        return Problem(
            FOLDER,
            f"the workers say too much together: {packed.size} bytes, and no more than {MOST_BYTES} are "
            "supported; shorten their instructions",
        )
    if len(routes.chunks) > 1:
        return Problem(
            FOLDER, "the workers say too much together about what starts them; name fewer labels and patterns"
        )
    schedules = sum(on.schedule is not None for worker in workers for on in worker.on)
    if schedules > _MOST_SCHEDULES:
        return Problem(
            FOLDER,
            f"there are {schedules} schedules together, and no more than {_MOST_SCHEDULES} are supported",
        )
    return Bundle(tuple(workers), packed, routes)


def unbundle(chunks: Sequence[bytes], sha256: str) -> tuple[WorkerDefinition, ...]:
    """Return the workers that were packed.

    Raises:
        BrokenManifest: they are not what was packed.
    """
    try:
        return _WORKERS.validate_python(unpack(chunks, sha256))
    except ValidationError as error:
        raise BrokenManifest(f"it says something else ({error.error_count()} fields)") from None
