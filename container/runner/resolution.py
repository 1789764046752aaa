"""What the agent made of a merge with the base branch, before it is pushed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import PushRefused
from runner.git.tree import listed

if TYPE_CHECKING:
    from runner.git.merging import Merge
    from runner.git.store import Store


def check_resolution(merge: Merge, store: Store, tree: str, base: str) -> list[str]:
    """Return what people have to know of a merge that was finished.

    Args:
        tree: hash of what the agent left.
        base: the base branch's name.

    Raises:
        PushRefused: conflicts are left in it.
    """
    if left := merge.unresolved(store, tree):
        raise PushRefused(
            f"The agent left conflicts with {base} in {listed(left)}.",
            remedy=f"Merge {base} into the branch by hand, or ask once more.",
        )
    untouched = merge.untouched(store, tree)
    resolved = [path for path in merge.conflicts if path not in untouched]
    notices = []
    if resolved:
        notices.append(
            f"The branch conflicted with {base}. The agent resolved it in {listed(resolved)}: "
            "read these first."
        )
    if untouched:
        notices.append(
            f"The branch conflicted with {base} in {listed(untouched)}, which the agent left as git had: "
            "with one side's version, without the other's change."
        )
    back, _ = merge.undone(store, tree)
    if back:
        notices.append(f"The agent took back what is new on {base} in {listed(back)}.")
    return notices
