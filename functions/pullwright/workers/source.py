"""Where a repository's workers are read from: a commit on GitHub, or a checkout; links are never followed."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pullwright.repository.document import MAX_BYTES, ConfigurationError
from pullwright.workers.collection import (
    FOLDER,
    MOST_WORKERS,
    Collection,
    Problem,
    is_worker_file,
    read_workers,
)
from pullwright.workers.definition import LONGEST_INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping


MOST_TOGETHER = 512 << 10
"""Bytes of all workers' files: reading YAML takes long, and has to fit into a function's minute."""


class Kind(StrEnum):
    """What stands at a path; the values are how sentences call it."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a symbolic link"
    SUBMODULE = "a submodule"


class Entry(NamedTuple):
    """Something in a folder.

    Attributes:
        size: of a file, bytes.
        key: what the source knows it by.
    """

    path: str
    kind: Kind
    size: int = 0
    key: str = ""


class Source(Protocol):
    """The files of one commit."""

    def entries(self, folder: Entry) -> Mapping[str, Entry]:
        """Return what a folder holds, by name.

        Raises:
            ConfigurationError: it cannot be listed.
        """

    def root(self) -> Entry:
        """Return the repository's root."""

    def read(self, entry: Entry) -> bytes:
        """Return a file's content."""


def read_source(source: Source) -> Collection:
    """Read all workers of a repository.

    Whatever is wrong is a problem of its own, and none of the workers is to be used then.
    """
    try:
        place = find_entry(source, FOLDER)
        if place is not None and place.kind is not Kind.FOLDER:
            return Collection((), (Problem(place.path, f"it is {place.kind}, and must be a folder"),))
        found = {} if place is None else source.entries(place)
    except ConfigurationError as error:
        return Collection((), (Problem(FOLDER, str(error)),))
    entries = [entry for entry in found.values() if is_worker_file(entry.path)]
    if len(entries) > MOST_WORKERS:
        return read_workers({entry.path: b"" for entry in entries}, lambda _: None)
    together = sum(entry.size for entry in entries if entry.size <= MAX_BYTES)
    if together > MOST_TOGETHER:
        text = (
            f"the files have {together >> 10} KiB together, and no more than {MOST_TOGETHER >> 10} KiB are "
            "supported; put long instructions into files of their own"
        )
        return Collection((), (Problem(FOLDER, text),))
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    for entry in entries:
        if entry.kind is not Kind.FILE:
            problems.append(Problem(entry.path, f"it is {entry.kind}, which is not followed; write a file"))
        elif entry.size > MAX_BYTES:
            problems.append(Problem(entry.path, f"it is larger than {MAX_BYTES >> 10} KiB"))
        else:
            files[entry.path] = source.read(entry)
    read = read_workers(files, partial(_read_file, source))
    return Collection(read.workers, tuple(sorted((*problems, *read.problems), key=lambda it: it.path)))


def find_entry(source: Source, path: str) -> Entry | None:
    """Return what stands at a path, or in its way; None if there is nothing."""
    entry: Entry | None = source.root()
    for name in path.split("/"):
        if entry is None or entry.kind is not Kind.FOLDER:
            break
        entry = source.entries(entry).get(name)
    return entry


def _read_file(source: Source, path: str) -> bytes | None:
    entry = find_entry(source, path)
    if entry is None:
        return None
    if entry.kind is not Kind.FILE or entry.path != path:
        raise ConfigurationError(f"instructions.file: {entry.path} is {entry.kind}, and must be a file")
    if entry.size > LONGEST_INSTRUCTIONS:
        raise ConfigurationError(f"instructions.file: {path} is larger than {LONGEST_INSTRUCTIONS >> 10} KiB")
    return source.read(entry)
