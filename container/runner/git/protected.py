"""Files that steer tools rather than the program, kept as the base branch has them.

On other people's branches they are part of what is to be judged: no agent, hook or submodule may follow them.
So the agent finds what the base branch says, and the branch keeps what it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.git.layout import Layout, Way, is_at_or_below
from runner.git.names import folded
from runner.git.places import places
from runner.git.tree import GITLINK, SYMLINK, above

if TYPE_CHECKING:
    from runner.git.remote import Remote
    from runner.git.store import Store

NAMES = frozenset(
    {".claude", "claude.md", "claude.local.md", "agents.md", ".mcp.json", ".gitmodules", ".husky"}
)


def is_protected(path: str) -> bool:
    """Return whether a path is one of those files or below one of those folders, wherever they are."""
    return not NAMES.isdisjoint(map(folded, path.split("/")))


class Protection:
    """The protected files of a branch, which the agent's work leaves as they are.

    With them, what its protected links lead to; and a folder above one stays a folder.
    """

    def __init__(self, layout: Layout) -> None:
        self._spots = {spot for name in NAMES for spot in places(layout, name)}
        self._above = {folder for spot in self._spots for folder in above(spot)}

    def holds(self, path: str) -> bool:
        """Return whether a file or link is left as the branch has it, which may be not at all.

        Args:
            path: of a file or link, before or after the agent's work.
        """
        return is_protected(path) or path in self._above or is_at_or_below(path, self._spots)


def with_base(remote: Remote, store: Store, base: str, tree: str) -> str:
    """Return the tree that the agent works on: the branch's, with the base branch's protected files.

    Where the base branch has a link, what it leads to there stands in its place: on the branch it could lead
    to anything.

    Args:
        store: the runner's repository, which gets the new tree.

    Raises:
        GitHubUnavailable: the base branch cannot be read.
    """
    ref = remote.fetch_other(store, f"refs/heads/{base}", "base")
    found = store.find(ref)
    ours = {name for _, _, name in store.find(tree)}
    remote.fetch_blobs(store, sorted({name for _, mode, name in found if mode == SYMLINK} - ours))
    entries = _without_links(found, Layout.read(store, ref))
    remote.fetch_blobs(store, sorted({name for mode, name in entries.values() if mode != GITLINK} - ours))
    return store.replace(tree, entries, is_protected)


def _without_links(found: list[tuple[str, str, str]], layout: Layout) -> dict[str, tuple[str, str]]:
    """Return the protected files by path, with a copy of what a link leads to in the link's place."""
    files = {path: (mode, name) for path, mode, name in found if mode != SYMLINK}
    entries = {path: entry for path, entry in files.items() if is_protected(path)}
    for link in filter(is_protected, layout.targets):
        end = layout.follow(link).end
        if isinstance(end, Way) or is_at_or_below(link, {end}):
            continue
        if end in files:
            entries[link] = files[end]
        else:
            entries |= {
                link + path.removeprefix(end): entry
                for path, entry in files.items()
                if path.startswith(f"{end}/")
            }
    return entries
