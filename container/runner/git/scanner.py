"""Looks for secrets that a change adds: in contents, in names, and in what links point to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import PushRefused
from runner.clock import CLOCK, Clock
from runner.git.command import GitError
from runner.git.leaks import LONGEST, SIGNS, matches, redact
from runner.git.tree import ABSENT, present, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.git.store import Store
    from runner.git.tree import Change

SECONDS = 120.0
"""For one search; 128 MiB of text take some twenty."""
# A pattern cannot be interrupted, so the clock is looked at between pieces of so many characters.
_PIECE = 1 << 20
_NAME = 0


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret in a file, without its value.

    Attributes:
        line: counted from 1; 0 is the file's name.
        kind: with its article; empty if there was no time to look for any.
    """

    path: str
    line: int
    kind: str

    def failure(self) -> PushRefused:
        """Return the failure that a person is told."""
        name = shown(redact(self.path))
        if not self.kind:
            return PushRefused(
                f"There was no time to search the file {name} for secrets: after {SECONDS:.0f} seconds, what "
                "was not searched is not pushed.",
                remedy="Add what is generated to .gitignore, or ask for less at once.",
            )
        where = f"{name} holds what looks like {self.kind} in line {self.line}"
        return PushRefused(
            f"The file {where}."
            if self.line
            else f"The name of the file {name} holds what looks like {self.kind}.",
            remedy="Revoke it if it is real, and ask for a change that reads it from elsewhere.",
        )


class _NoTimeError(Exception):
    pass


class Scanner:
    """Looks for secrets that a change adds.

    Args:
        base: the tree before the change: what it holds already, in whatever file, is no finding.
    """

    def __init__(self, store: Store, base: str, clock: Clock = CLOCK) -> None:
        self._store = store
        self._base = base
        self._clock = clock
        self._deadline = 0.0
        # Checkpoints see the same contents again and again.
        self._clean = {name for _, _, name in store.find(base)}
        self._had: frozenset[str] | None = None

    def find(self, changes: Sequence[Change]) -> list[Leak]:
        """Find the first new secret of each file; `check_size` has bounded how much is read."""
        self._deadline = self._clock.monotonic() + SECONDS
        there = present(changes)
        unsearched = {change.path for change in there}
        paths: dict[str, list[str]] = {}
        for change in there:
            paths.setdefault(change.blob, []).append(change.path)
        leaks: list[Leak] = []
        try:
            for change in there:
                if change.old_mode == ABSENT and (found := self._first(_text(change.path))):
                    leaks += [Leak(change.path, _NAME, found[1])]
            unsearched.difference_update(*(paths.pop(blob) for blob in self._clean & paths.keys()))
            for blob, content in self._store.blobs(list(paths)):
                first = self._first_of(content)
                unsearched.difference_update(paths[blob])
                if first is None:
                    self._clean.add(blob)
                else:
                    leaks += [Leak(path, *first) for path in paths[blob]]
        except _NoTimeError:
            leaks += [Leak(path, _NAME, "") for path in sorted(unsearched)]
        return leaks

    def _first_of(self, content: bytes) -> tuple[int, str] | None:
        # Every byte is a character, whatever the encoding: all patterns are ASCII.
        first = self._first(content.decode("latin-1"))
        if first is None and b"\0" in content:
            # Of UTF-16 and UTF-32, ASCII is left without their zeros.
            first = self._first(content.replace(b"\0", b"").decode("latin-1"))
        return first

    def _first(self, text: str) -> tuple[int, str] | None:
        for kind, position, value in self._search(text):
            if value not in self._had_before():
                return text.count("\n", 0, position) + 1, kind
        return None

    def _search(self, text: str) -> Iterator[tuple[str, int, str]]:
        for start in range(0, len(text), _PIECE):
            self._check_time()
            # Pieces overlap by more than a secret's length; what begins in the next one is found there.
            for kind, found, value in matches(text[start : start + _PIECE + LONGEST]):
                if found.start() < _PIECE:
                    yield kind, start + found.start(), value
                self._check_time()

    def _had_before(self) -> frozenset[str]:
        """Return every secret that the base holds, in contents and names."""
        if self._had is None:
            names = "\n".join(path for path, _, _ in self._store.find(self._base))
            had = {value for _, _, value in self._search(_text(names))}
            try:
                blobs = self._store.holding(self._base, SIGNS, self._is_late)
            except GitError as error:
                raise _NoTimeError from error
            for _, content in self._store.blobs(blobs):
                had.update(value for _, _, value in self._search(content.decode("latin-1")))
            self._had = frozenset(had)
        return self._had

    def _is_late(self) -> bool:
        return self._clock.monotonic() > self._deadline

    def _check_time(self) -> None:
        if self._is_late():
            raise _NoTimeError


def _text(path: str) -> str:
    return path.encode(errors="surrogateescape").decode("latin-1")
