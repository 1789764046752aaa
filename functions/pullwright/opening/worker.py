"""The worker that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import InvalidRequest
from pullwright.worker_names import IMPLEMENT, REVIEW
from pullwright.workers.definition import WorkerDefinition

if TYPE_CHECKING:
    from pullwright.models import SessionRequest

_BUILT_IN = {name: WorkerDefinition(id=name) for name in (IMPLEMENT, REVIEW)}


def find_worker(request: SessionRequest) -> WorkerDefinition:
    """Return the worker's definition.

    Raises:
        InvalidRequest: there is no such worker.
    """
    if request.worker not in _BUILT_IN:
        known = ", ".join(sorted(_BUILT_IN))
        raise InvalidRequest(f"worker: there is no worker {request.worker!r}; known are {known}.")
    return _BUILT_IN[request.worker]


def fill_in(request: SessionRequest, worker: WorkerDefinition) -> SessionRequest:
    """Return the request with what its worker says where it says nothing itself."""
    own = worker.limits.model_dump(exclude_none=True)
    limits = request.limits.model_copy(update=own | request.limits.model_dump(exclude_none=True))
    plan = worker.plan if request.plan is None else request.plan
    return request.model_copy(update={"model": request.model or worker.model, "limits": limits, "plan": plan})
