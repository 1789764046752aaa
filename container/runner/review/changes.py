"""What a pull request changes: its commit beside the base branch, as GitHub compares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.git.tree import ABSENT, GITLINK
from runner.review.shares import shorten

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.reviewing.models import Side
    from runner.git.remote import Remote
    from runner.git.store import Head, Store

REF = "refs/pull-request/head"
_LONGEST_FILE = 2 << 20
LONGEST_DIFF = 4 << 20


@dataclass(frozen=True, slots=True)
class Changes:
    """The commit that is read, and the tree that it is compared with.

    Attributes:
        before: hash of the tree where the pull request's branch left the base branch.
    """

    store: Store
    head: Head
    before: str
    _files: dict[Side, dict[str, str]] = field(default_factory=dict)

    def write_diff(self, path: Path) -> bool:
        """Write the difference for people and agents; return whether it was cut because it is too long."""
        self.store.write_diff(self.before, self.head.tree, path, for_reading=LONGEST_DIFF)
        return shorten(path, LONGEST_DIFF)

    def lines(self, path: str, side: Side) -> list[str]:
        """Return a file's lines on one side of the difference; none if it is no file there."""
        if side not in self._files:
            self._files[side] = self.store.files(self.head.tree if side == "RIGHT" else self.before)
        blob = self._files[side].get(path)
        if blob is None or self.store.sizes([blob])[blob] > _LONGEST_FILE:
            return []
        return self.store.blob(blob).decode(errors="replace").split("\n")


def fetch_changes(remote: Remote, store: Store, base: Head, commit: str) -> Changes:
    """Bring a pull request's commit into the store, with all that its difference shows.

    Args:
        base: the base branch, which the store has in full.
        commit: frozen in the request; pushes since then do not count.

    Raises:
        GitHubUnavailable: GitHub did not give it.
        HistoryRefused: an object of its history is dangerous.
    """
    head = remote.fetch_commit(store, base, commit, REF)
    fork = store.merge_base(base.commit, head.commit)
    before = base.tree if fork is None else store.head(fork).tree
    present = {name for tree in (base.tree, head.tree) for _, name in store.entries(tree)}
    old = {
        change.old_blob
        for change in store.changes(before, head.tree)
        if change.old_mode not in {ABSENT, GITLINK}
    }
    remote.fetch_blobs(store, sorted(old - present))
    return Changes(store, head, before)


def first_added(diff: str) -> tuple[str, int] | None:
    """Return path and number of the first line that a difference adds to a file; None if it adds none."""
    path, number = "", 0
    for line in diff.split("\n"):
        if line.startswith("+++ "):
            path = line.removeprefix("+++ b/") if line.startswith("+++ b/") else ""
        elif line.startswith("@@ "):
            number = int(line.split("+", 1)[1].split(" ", 1)[0].split(",", 1)[0])
        elif path and line.startswith("+"):
            return path, number
        elif line.startswith(" "):
            number += 1
    return None
