"""All workers of a repository at one commit: read together, and taken together or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.repository.document import ConfigurationError
from pullwright.workers.definition import (
    ID_PATTERN,
    LONGEST_INSTRUCTIONS,
    Instructions,
    WorkerDefinition,
    read_worker,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


FOLDER = ".pullwright/workers"
MOST_WORKERS = 100
_ENDINGS = (".yaml", ".yml")
_ID = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a set of workers cannot be used.

    Attributes:
        path: of the file in the repository; of the folder if it is about the set.
        text: line, field, and what is wrong.
    """

    path: str
    text: str

    @property
    def line(self) -> int | None:
        """Where it stands, if it is about one line."""
        found = re.match(r"line (\d+): ", self.text)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Collection:
    """What the files say: workers by id in order, and all that is wrong."""

    workers: tuple[WorkerDefinition, ...]
    problems: tuple[Problem, ...]


def is_worker_file(path: str) -> bool:
    """Return whether a path in the repository is that of a worker."""
    folder, _, name = path.rpartition("/")
    return folder == FOLDER and name.endswith(_ENDINGS)


def read_workers(files: Mapping[str, bytes], read_file: Callable[[str], bytes | None]) -> Collection:
    """Read the files of `.pullwright/workers`.

    Args:
        files: the content of each worker's file, by path.
        read_file: gives another file of the same commit; None if there is no such regular file.
    """
    paths = sorted(path for path in files if is_worker_file(path))
    if len(paths) > MOST_WORKERS:
        problem = f"there are {len(paths)} workers, and no more than {MOST_WORKERS} are supported"
        return Collection((), (Problem(FOLDER, problem),))
    workers: dict[str, WorkerDefinition] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            worker = _with_text(_read(path, files[path], workers), read_file)
        except ConfigurationError as error:
            problems.append(Problem(path, str(error)))
        else:
            workers[worker.id] = worker
    return Collection(tuple(workers.values()), tuple(problems))


def _read(path: str, content: bytes, others: Iterable[str]) -> WorkerDefinition:
    worker_id = path.rpartition("/")[2].rpartition(".")[0]
    if _ID.fullmatch(worker_id) is None:
        raise ConfigurationError(
            f"{worker_id} cannot be a worker's id: it needs small letters, digits and dashes, a letter "
            "first, and 32 characters at most"
        )
    if worker_id in others:
        raise ConfigurationError(
            f"the worker {worker_id} has two files, {worker_id}.yaml and {worker_id}.yml"
        )
    return read_worker(content, worker_id)


def _with_text(worker: WorkerDefinition, read_file: Callable[[str], bytes | None]) -> WorkerDefinition:
    """Return a worker whose instructions stand in it."""
    path = worker.instructions.file if worker.instructions is not None else None
    if path is None:
        return worker
    content = read_file(path)
    if content is None:
        raise ConfigurationError(f"instructions.file: there is no file {path} in the same commit")
    if len(content) > LONGEST_INSTRUCTIONS:
        raise ConfigurationError(f"instructions.file: {path} is larger than {LONGEST_INSTRUCTIONS >> 10} KiB")
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise ConfigurationError(f"instructions.file: {path} is not UTF-8") from None
    if not text:
        raise ConfigurationError(f"instructions.file: {path} is empty")
    return worker.model_copy(update={"instructions": Instructions(text=text)})
