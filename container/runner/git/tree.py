"""What changed between two trees, and whether it may be pushed."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import PushRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.git.store import Store

SYMLINK = "120000"
GITLINK = "160000"
ABSENT = "000000"
# https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github
MAX_FILE_BYTES = 100 << 20
MAX_FILES = 20_000
# Together, unpacked: all of it is compared and searched for secrets, and a small pack can hold very much.
MAX_CHANGED_BYTES = 128 << 20
_WORKFLOWS = ".github/workflows/"
# Line ends and terminal sequences, and marks that turn the direction of reading: https://trojansource.codes
_DECEIVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NUMSTAT_FIELDS = 3
_LONGEST_TARGET = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs.

    Attributes:
        path: as git has it, bytes that are no UTF-8 kept by surrogates.
        old_mode: `000000` if it did not exist.
        mode: `000000` if it does not exist any more.
        blob: hash of the new content.
    """

    path: str
    old_mode: str
    mode: str
    blob: str


def parse_changes(raw: bytes) -> list[Change]:
    """Reads the output of `diff-tree -r -z --raw --no-renames`.

    https://git-scm.com/docs/diff-format: `:<mode> <mode> <hash> <hash> <status>`, NUL, path, NUL.
    """
    fields = raw.decode(errors="surrogateescape").split("\0")[:-1]
    changes = []
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, mode, _, blob, _ = meta.removeprefix(":").split(" ")
        changes.append(Change(path=path, old_mode=old_mode, mode=mode, blob=blob))
    return changes


def parse_numstat(raw: bytes) -> tuple[int, int]:
    """Adds up the output of `diff-tree -r -z --numstat --no-renames`: lines added, lines deleted."""
    added = deleted = 0
    for entry in raw.decode(errors="replace").split("\0"):
        fields = entry.split("\t", 2)
        # Binary files have `-` for both numbers.
        if len(fields) == _NUMSTAT_FIELDS and fields[0].isdecimal():
            added += int(fields[0])
            deleted += int(fields[1])
    return added, deleted


def check_size(changes: Sequence[Change], store: Store) -> dict[str, int]:
    """Refuses what is too much, before anything looks into it.

    Args:
        changes: what the agent changed.
        store: where the new objects are.

    Returns:
        The sizes of the new contents in bytes, by hash.

    Raises:
        PushRefused: with the path or the size.
    """
    if len(changes) > MAX_FILES:
        raise PushRefused(
            f"The agent changed {len(changes)} files; more than {MAX_FILES} at once are not pushed.",
            remedy="Add what is generated to .gitignore, then start it again.",
        )
    present = _present(changes)
    sizes = store.sizes([change.blob for change in present]) if present else {}
    for change in present:
        if sizes[change.blob] > MAX_FILE_BYTES:
            raise PushRefused(
                f"The file {shown(change.path)} is larger than GitHub's limit of 100 MiB.",
                remedy="Add it to .gitignore or keep it elsewhere, then start it again.",
            )
    if sum(sizes[change.blob] for change in present) > MAX_CHANGED_BYTES:
        raise PushRefused(
            f"The files that the agent changed are larger than {MAX_CHANGED_BYTES >> 20} MiB together.",
            remedy="Add what is generated to .gitignore, then start it again.",
        )
    return sizes


def check(changes: Sequence[Change], store: Store) -> None:
    """Refuses what must not be pushed.

    Args:
        changes: what the agent changed.
        store: where the new objects are.

    Raises:
        PushRefused: with the path and the reason.
    """
    for change in changes:
        _check_path(change)
    sizes = check_size(changes, store)
    for change in _present(changes):
        if change.mode == SYMLINK:
            target = store.blob(change.blob) if sizes[change.blob] <= _LONGEST_TARGET else b"/"
            if leaves_repository(change.path, target.decode(errors="surrogateescape")):
                raise PushRefused(
                    f"The symbolic link {shown(change.path)} points outside the repository.",
                    remedy="Ask for a link that stays inside the repository.",
                )


def leaves_repository(path: str, target: str) -> bool:
    """Whether a symbolic link leads out of the repository, or into git's own folder.

    Args:
        path: where the link is, from the repository's root.
        target: what it points to.
    """
    if not target or target.startswith("/") or "\0" in target:
        return True
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    first = resolved.split("/", 1)[0]
    return first == ".." or first.lower() == ".git"


def _check_path(change: Change) -> None:
    parts = change.path.lower().split("/")
    if ".git" in parts or ".." in parts:
        raise PushRefused(f"The path {shown(change.path)} would reach into git's own folder.")
    if change.old_mode == ABSENT and _DECEIVING.search(change.path):
        raise PushRefused(
            f"The name of the new file {shown(change.path)} holds control characters.",
            remedy="Ask for file names that show what they are.",
        )
    if change.path.lower().startswith(_WORKFLOWS):
        raise PushRefused(
            f"The agent changed the workflow file {shown(change.path)}, and Pullwright's App has no "
            "permission to push workflow files.",
            remedy="Apply the workflow's part of diff.patch by hand, or ask for a change without it.",
        )
    if change.mode == GITLINK:
        raise PushRefused(
            f"The agent changed the submodule {shown(change.path)}, whose commits are not pushed.",
            remedy="Change the submodule by hand.",
        )


def _present(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.mode not in {ABSENT, GITLINK}]


def shown(path: str) -> str:
    """A path as it may stand in a sentence."""
    return "`" + "".join(c if c.isprintable() and c != "`" else "?" for c in path) + "`"
