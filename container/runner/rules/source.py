"""Reads the house rules of the base branch from the runner's repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import GitHubUnavailable
from runner.rules.base import BaseFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.git.remote import Remote
    from runner.git.store import Store

_LONGEST_READ = 2 << 20


def base_files(remote: Remote, store: Store, base: str, tree: str) -> BaseFiles:
    """Return the files of the base branch, or of the default branch if there is no such branch any more.

    Args:
        tree: one whose contents the repository has in full.

    Raises:
        GitHubUnavailable: neither can be read.
    """
    source = f"refs/heads/{base}"
    try:
        ref = remote.fetch_other(store, source, "base")
    except GitHubUnavailable:
        if remote.find(store.folder, source) is not None:
            raise
        ref = remote.fetch_other(store, "HEAD", "default")
    present = {blob for _, _, blob in store.find(tree)}

    def read(names: Sequence[str]) -> dict[str, bytes]:
        missing = sorted(set(names) - present)
        remote.fetch_blobs(store, missing)
        present.update(missing)
        sizes = store.sizes(list(names)) if names else {}
        return dict(store.blobs([name for name in names if sizes[name] <= _LONGEST_READ]))

    return BaseFiles(store.find(ref), read)
