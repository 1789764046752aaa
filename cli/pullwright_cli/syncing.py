"""Stores the workers of a checkout by hand, as the events function does from GitHub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright.table import workers_key
from pullwright.workers.bundle import Bundle, bundle
from pullwright.workers.collection import FOLDER, Problem, is_worker_file
from pullwright.workers.head import Head
from pullwright.workers.source import read_source
from pullwright.workers.store import WorkerStore
from pullwright.workers.unpacking import BrokenManifest
from pullwright_cli.checkout_files import CheckoutFiles
from pullwright_cli.errors import CliError
from pullwright_cli.git import commit_of, is_changed, repository_of

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.workers.definition import WorkerDefinition
    from pullwright_cli.aws import Stack

_PULLWRIGHT = ".pullwright"


class Plan(NamedTuple):
    """What is to be stored.

    Attributes:
        warnings: what may not be meant.
        commit: that is checked out; empty without one.
    """

    repository: str
    commit: str
    new: Bundle
    warnings: tuple[str, ...]

    def as_value(self, stack: Stack) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "repository": self.repository,
            "commit": self.commit,
            "workers": [described(worker) for worker in self.new.workers],
            "bytes": self.new.packed.size,
            "chunks": len(self.new.packed.chunks),
            "sha256": self.new.packed.sha256,
            "target": {"stack": stack.name, "key": workers_key(self.repository)},
            "warnings": list(self.warnings),
        }


def described(worker: WorkerDefinition) -> dict[str, Any]:
    """Return a worker as the commands show it: its kind, and what starts it."""
    starts = [on.event or f"{on.schedule} {on.timezone or 'UTC'}" for on in worker.on]
    return {
        "id": worker.id,
        "type": worker.type.value,
        "mode": worker.mode.value,
        "enabled": worker.enabled,
        "on": starts or ["as built in"],
    }


def read_plan(folder: Path, repository: str) -> Plan:
    """Read a checkout.

    Args:
        repository: empty for the one of its remote.

    Raises:
        CliError: the workers cannot be used; the text names each problem with its place.
    """
    repository = repository or repository_of(folder)
    source = CheckoutFiles(folder)
    collection = read_source(source)
    new = bundle(collection.workers)
    problems = (*collection.problems, *(() if isinstance(new, Bundle) else (new,)))
    if problems or not isinstance(new, Bundle):
        lines = "\n".join(f"  {_told(problem)}" for problem in problems)
        raise CliError(f"the workers cannot be used, and nothing was changed:\n{lines}")
    return Plan(repository, commit_of(folder), new, tuple(_warnings(folder, new)))


def store(plan: Plan, stack: Stack) -> str:
    """Store a plan; return what came of it."""
    workers = WorkerStore(*stack.table())
    before = workers.writable_head(plan.repository)
    if not plan.new.workers:
        is_removed = before is not None and workers.remove(plan.repository)
        return "What was stored is removed." if is_removed else "Nothing was stored, and nothing is."
    if _is_stored(workers, before, plan):
        return "This set is stored already."
    installation = None if before is None else before.installation_id
    head = Head(repository=plan.repository, source_commit=plan.commit, installation_id=installation)
    workers.replace(before, head, plan.new)
    return f"{len(plan.new.workers)} workers are stored, until a push to the default branch changes them."


def stored(repository: str, stack: Stack) -> dict[str, Any]:
    """Return what is stored of a repository.

    Raises:
        CliError: what is stored is damaged.
    """
    workers = WorkerStore(*stack.table())
    try:
        head, found = workers.head(repository), workers.read(repository)
    except BrokenManifest as error:
        raise CliError(
            f"what is stored of {repository} cannot be used: {error}. The built-in workers hold; "
            "`pullwright workers sync` stores it anew"
        ) from None
    current = None if head is None else head.current
    problem = None if head is None else head.problem
    return {
        "repository": repository,
        "commit": "" if head is None else head.source_commit,
        "sha256": "" if current is None else current.sha256,
        "chunks": 0 if current is None else current.chunks,
        "workers": [described(worker) for worker in found],
        "problem": None if problem is None else problem.model_dump(),
    }


def as_json(value: dict[str, Any]) -> str:
    """Return a value for programs."""
    return json.dumps(value, indent=2)


def as_text(value: dict[str, Any]) -> str:
    """Return a plan, or what is stored, for people."""
    commit = f" at {value['commit']}" if value["commit"] else ""
    lines = [f"{value['repository']}{commit}"]
    for worker in value["workers"]:
        off = "" if worker["enabled"] else ", switched off"
        lines.append(
            f"  {worker['id']}: {worker['type']}, {worker['mode']}{off}; on {', '.join(worker['on'])}"
        )
    if not value["workers"]:
        lines.append("  no workers of its own: the built-in ones hold")
    if "bytes" in value:
        target = value["target"]
        lines.append(f"size      {value['bytes']} bytes, {value['chunks']} chunks")
        lines.append(f"target    {target['key']} in the stack {target['stack']}")
    lines.append(f"checksum  {value['sha256'] or 'none'}")
    lines += [f"warning   {warning}" for warning in value.get("warnings", ())]
    if value.get("problem"):
        lines.append(f"problem   with the newest files, at {value['problem']['commit']}:")
        lines += [f"          {line}" for line in value["problem"]["text"].splitlines()]
    return "\n".join(lines)


def _is_stored(workers: WorkerStore, before: Head | None, plan: Plan) -> bool:
    if before is None or before.current is None or before.current.sha256 != plan.new.packed.sha256:
        return False
    try:
        return workers.read(plan.repository) == plan.new.workers
    except BrokenManifest:
        return False


def _told(problem: Problem) -> str:
    line = "" if problem.line is None else f":{problem.line}"
    text = problem.text if problem.line is None else problem.text.partition(": ")[2]
    return f"{problem.path}{line}: {text}"


def _warnings(folder: Path, new: Bundle) -> list[str]:
    warnings = [
        f"{FOLDER}/{worker.id}: it is switched off, so that nothing starts it"
        for worker in new.workers
        if not worker.enabled
    ]
    place = folder / FOLDER
    paths = [f"{FOLDER}/{path.name}" for path in sorted(place.iterdir())] if place.is_dir() else []
    warnings += [
        f"{path}: it is no worker's file, and is passed over" for path in paths if not is_worker_file(path)
    ]
    if is_changed(folder, _PULLWRIGHT):
        warnings.append(f"{_PULLWRIGHT}: not everything is committed as it stands here")
    return warnings
