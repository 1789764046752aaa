"""The worker that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright import metrics
from pullwright.errors import InvalidRequest
from pullwright.log import logger
from pullwright.worker_names import FIX_CI, IMPLEMENT, REVIEW
from pullwright.workers.definition import WorkerDefinition
from pullwright.workers.unpacking import BrokenManifest

if TYPE_CHECKING:
    from pullwright.models import SessionRequest
    from pullwright.workers.store import WorkerStore

_BUILT_IN = {name: WorkerDefinition(id=name) for name in (IMPLEMENT, REVIEW, FIX_CI)}


def find_worker(request: SessionRequest, repository: str, store: WorkerStore) -> WorkerDefinition:
    """Return the definition of a request's worker: the repository's own, or what is built in.

    A file for a built-in worker holds as it stands: what it leaves out is as it is built in.

    Raises:
        InvalidRequest: there is no such worker, or the repository has switched it off.
        AwsUnavailable: the table did not answer.
    """
    own = {worker.id: worker for worker in _own(repository, store)}
    workers = _BUILT_IN | own
    worker = workers.get(request.worker)
    if worker is None:
        known = ", ".join(sorted(workers))
        raise InvalidRequest(
            f"worker: there is no worker {request.worker!r} in {repository}; known are {known}."
        )
    # What is built in is off for events alone, for which the webhook looks: whoever may start it by hand may.
    if worker.id in own and not worker.enabled:
        raise InvalidRequest(
            f"worker: the worker {worker.id} is switched off in {repository}.",
            remedy=f"Write `enabled: true` in .pullwright/workers/{worker.id}.yaml on the default branch.",
        )
    return worker


def check_same(
    worker: WorkerDefinition, request: SessionRequest, repository: str, store: WorkerStore
) -> None:
    """Refuse a request under a name that the repository has no more, if its worker is another under the new.

    Args:
        worker: as it was found under the name that the request gives.
        repository: its current name.

    Raises:
        InvalidRequest: the worker is another one, or there is none.
        AwsUnavailable: the table did not answer.
    """
    if repository.lower() == request.repository.lower():
        return
    if find_worker(request, repository, store) != worker:
        raise InvalidRequest(
            f"repository: {request.repository} is called {repository} now, and has workers of its own.",
            remedy=f"Start it again with {repository}.",
        )


def _own(repository: str, store: WorkerStore) -> tuple[WorkerDefinition, ...]:
    """Return the repository's workers; none, with an alarm, if what is stored cannot be trusted."""
    try:
        return store.read(repository)
    except BrokenManifest as error:
        logger.error(
            "The repository's stored workers cannot be used; the built-in ones hold.",
            repository=repository,
            reason=str(error),
        )
        metrics.count({"UnreadableWorkers": 1})
        return ()


def fill_in(request: SessionRequest, worker: WorkerDefinition) -> SessionRequest:
    """Return the request with what its worker says where it says nothing itself.

    Raises:
        InvalidRequest: neither says what to do.
    """
    own = worker.limits.model_dump(exclude_none=True)
    limits = request.limits.model_copy(update=own | request.limits.model_dump(exclude_none=True))
    plan = worker.plan if request.plan is None else request.plan
    prompt = request.prompt
    if request.has_no_subject and prompt is None:
        prompt = worker.text
        if prompt is None:
            raise InvalidRequest(f"prompt: the worker {worker.id} has no instructions to work from.")
    return request.model_copy(
        update={"prompt": prompt, "model": request.model or worker.model, "limits": limits, "plan": plan}
    )
