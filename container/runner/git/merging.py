"""A base that is merged into a branch that fell behind: as `git merge` does it, without a work tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.git.command import environment, run
from runner.git.pushable import WORKFLOWS
from runner.git.tree import ABSENT, GITLINK

if TYPE_CHECKING:
    from runner.git.remote import Remote
    from runner.git.store import Head, Store

_CONFLICTS = 1
# Newer versions of git read .gitattributes from a commit where there is no work tree; such a file could pass
# over conflicts (merge=union) or choose how its markers look. From an empty tree there is nothing to read.
_NO_ATTRIBUTES = {"attr.tree": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"}


@dataclass(frozen=True, slots=True)
class Merge:
    """What a branch and its base come to.

    Attributes:
        head: the branch's commit.
        base: the commit that was merged.
        tree: with conflict markers in the files that both sides changed.
        stages: entries of an unmerged index, as `git update-index --index-info` takes them.
    """

    head: Head
    base: Head
    tree: str
    stages: tuple[str, ...] = ()

    @property
    def conflicts(self) -> list[str]:
        """Paths where both sides changed the same."""
        return list(dict.fromkeys(entry.partition("\t")[2] for entry in self.stages))

    def mixed_workflows(self, store: Store) -> list[str]:
        """Return the workflow files that are neither as on the branch nor as on the base.

        GitHub takes workflow files without a permission of their own only where a branch has the same:
        https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes
        """
        folder = WORKFLOWS.strip("/")
        known = {entry for tree in (self.head.tree, self.base.tree) for entry in store.find(tree, folder)}
        conflicts = {path for path in self.conflicts if path.lower().startswith(f"{folder}/")}
        return sorted({path for path, *_ in set(store.find(self.tree, folder)) - known} | conflicts)

    def unresolved(self, store: Store, tree: str) -> list[str]:
        """Return the paths of a tree that hold conflict markers, or have the names that git made up."""
        # Git labels the two sides with what it was given: the commits.
        sides = (rf"^<{{7,}} {self.head.commit}", rf"^>{{7,}} {self.base.commit}")
        made_up = {
            path for path in self.conflicts if path.endswith((f"~{self.head.commit}", f"~{self.base.commit}"))
        }
        return sorted({*store.matching(tree, sides), *made_up & store.files(tree).keys()})

    def untouched(self, store: Store, tree: str) -> list[str]:
        """Return the conflicts that a tree has as git left them: with one of the two sides."""
        changed = {change.path for change in store.changes(self.tree, tree)}
        return [path for path in self.conflicts if path not in changed]

    def undone(self, store: Store, tree: str) -> tuple[list[str], bool]:
        """Return which changes of the base a tree takes back, and whether it takes back all of them.

        Where both sides changed the same, the branch's side is no change taken back: it is a resolution.
        """
        conflicts = set(self.conflicts)
        brought = {
            change.path: (change.old_mode, change.old_blob)
            for change in store.changes(self.head.tree, self.tree)
        }
        now = {change.path: (change.mode, change.blob) for change in store.changes(self.tree, tree)}
        back = [path for path, before in brought.items() if now.get(path) == before]
        return [path for path in back if path not in conflicts], bool(brought) and len(back) == len(brought)


def merge_base_into(remote: Remote, store: Store, head: Head, base: Head, *, present: str) -> Merge | None:
    """Merge a base into a branch; None if the branch has it, or has no history in common with it.

    Args:
        present: hash of a tree whose contents the store has.

    Raises:
        GitHubUnavailable: GitHub did not give contents that are compared.
        GitError: git could not do it.
    """
    parted = store.merge_base(head.commit, base.commit)
    if parted in {None, base.commit}:
        return None
    before = store.head(str(parted)).tree
    # Git looks into all of them: what both sides changed, and where files were moved to.
    wanted = {
        name
        for change in (*store.changes(before, base.tree), *store.changes(before, head.tree))
        for mode, name in ((change.old_mode, change.old_blob), (change.mode, change.blob))
        if mode not in {ABSENT, GITLINK}
    }
    remote.fetch_blobs(store, sorted(wanted - {name for _, name in store.entries(present)}))
    options = ("--write-tree", "-z", "--no-messages")
    done = run(
        *("merge-tree", *options, head.commit, base.commit),
        cwd=store.folder,
        env=environment(_NO_ATTRIBUTES),
        accept=(0, _CONFLICTS),
    )
    tree, *stages = done.out.decode(errors="surrogateescape").split("\0")[:-1]
    return Merge(head, base, tree, tuple(stages))
