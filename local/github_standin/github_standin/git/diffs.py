"""What changed between two commits, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from github_standin.git.repository import GitRepository

# The tree without anything in it has the same hash everywhere.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True)
class FileChange:
    """One changed file.

    Attributes:
        sha: the blob after the change, or before it if the file was removed.
        patch: hunks without the header; None for binary files.
    """

    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


def patch_text(git: GitRepository, before: str, after: str) -> str:
    """Return the whole difference between two full hashes as `git diff` prints it."""
    return git.run_fixed("diff", "-M", "--no-color", before, after).decode(errors="replace")


def changed_files(git: GitRepository, before: str, after: str) -> list[FileChange]:
    """Return the files that differ between two commits or trees, given by full hashes."""
    if git.tree_of(before) == git.tree_of(after):
        return []
    raw = git.run_fixed("diff", "-M", "--raw", "-z", "--abbrev=40", before, after).decode(errors="replace")
    counts = git.run_fixed("diff", "-M", "--numstat", "-z", before, after).decode(errors="replace")
    patches = _patches(patch_text(git, before, after))
    numbers = _numbers(counts)
    found = []
    parts = iter(raw.split("\0"))
    for index, header in enumerate(iter(lambda: next(parts, ""), "")):
        _, _, old, new, letter = header.split()
        previous = path = next(parts)
        if letter[0] in "RC":
            path = next(parts)
        additions, deletions = numbers[index]
        found.append(
            FileChange(
                path=path,
                previous=previous if previous != path else None,
                status=_STATUS.get(letter[0], "modified"),
                sha=old if letter[0] == "D" else new,
                additions=additions,
                deletions=deletions,
                patch=patches[index] if index < len(patches) else None,
            )
        )
    return found


def _numbers(text: str) -> list[tuple[int, int]]:
    """Read `--numstat -z`: a renamed file has two more fields of its own."""
    numbers = []
    fields = iter(text.split("\0"))
    for field in fields:
        if not field:
            continue
        added, removed, path = field.split("\t", 2)
        if not path:
            next(fields)
            next(fields)
        numbers.append((0 if added == "-" else int(added), 0 if removed == "-" else int(removed)))
    return numbers


def _patches(text: str) -> list[str | None]:
    patches: list[str | None] = []
    for block in ("\n" + text).split("\ndiff --git ")[1:]:
        at = block.find("\n@@ ")
        patches.append(None if at < 0 else block[at + 1 :].rstrip("\n"))
    return patches
