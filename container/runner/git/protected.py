"""Files that steer tools rather than the program, kept as the base branch has them.

On other people's branches they are part of what is to be judged: no agent, hook or submodule may follow them.
So the agent finds what the base branch says, and the branch keeps what it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.git.tree import GITLINK

if TYPE_CHECKING:
    from runner.git.remote import Remote
    from runner.git.store import Store

NAMES = frozenset({".claude", "claude.md", "claude.local.md", ".mcp.json", ".gitmodules", ".husky"})


def is_protected(path: str) -> bool:
    """Whether a path is one of those files or below one of those folders, wherever they are."""
    return not NAMES.isdisjoint(path.lower().split("/"))


def with_base(remote: Remote, store: Store, base: str, tree: str) -> str:
    """The tree that the agent works on: the branch's, with the base branch's protected files.

    Args:
        remote: GitHub's side.
        store: the runner's repository, which gets the new tree.
        base: name of the base branch.
        tree: the branch's.

    Raises:
        GitHubUnavailable: the base branch cannot be read.
    """
    ref = remote.fetch_other(store, f"refs/heads/{base}", "base")
    ours = {name for _, _, name in store.find(tree)}
    missing = {name for path, mode, name in store.find(ref) if is_protected(path) and mode != GITLINK} - ours
    remote.fetch_blobs(store, sorted(missing))
    return store.graft(tree, ref, is_protected)
