"""A repository as it stood at one commit. What came later is not cloned, and nothing is pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from pullwright.errors import InternalError
from runner.git.remote import FETCH_REF, Access, Remote, trusted_ref

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pullwright.models import GitIdentity
    from runner.git.push import Rejection
    from runner.git.store import Head, Store

_BRANCH = "pinned"
SOLUTION = "solution"
"""Name of the other ref that the change is kept under which closed the issue."""


class PinnedRemote(Remote):
    """One commit of a repository on GitHub, for the session's branch, its base and the default branch.

    Args:
        commit: full hash of the commit that stands for all branches.
    """

    def __init__(
        self, url: str, branch: str, commit: str, token: Callable[[], str], **access: Unpack[Access]
    ) -> None:
        super().__init__(url, branch, token, **access)
        self._commit = commit
        self._own: set[str] = set()
        self.store: Store | None = None

    def clone(self, folder: Path) -> tuple[Store, Head]:
        """See `Remote.clone`."""
        self.store, head = super().clone(folder)
        return self.store, head

    def keep(self, commit: str) -> None:
        """Remember a commit that was made here and that GitHub does not have."""
        self._own.add(commit)

    def fetch_others(self, store: Store, base: str) -> None:
        """Fetch nothing: there is no other branch."""

    def find(self, folder: Path, ref: str) -> str | None:  # noqa: ARG002 - as `Remote` has them
        """Find nothing: what others have pushed is none of this session's business."""
        return None

    def fetch_commit(self, store: Store, head: Head, commit: str, ref: str) -> Head:
        """See `Remote.fetch_commit`; a commit that was made here is there."""
        return store.head(commit) if commit in self._own else super().fetch_commit(store, head, commit, ref)

    def push(
        self,
        store: Store,  # noqa: ARG002 - as `Remote` has them, and below
        commit: str | None,  # noqa: ARG002
        ref: str,  # noqa: ARG002
        *,
        lease: str | None = None,  # noqa: ARG002
    ) -> Rejection | None:
        """Push nothing; the session's token could not."""
        return None

    def _bring(self, folder: Path) -> None:
        name = f"--initial-branch={_BRANCH}"
        self._git("init", "--bare", "--quiet", "--template=", name, "--", str(folder), cwd=folder.parent)
        self._git("config", "remote.origin.url", self.url, cwd=folder)
        refs = [f"refs/heads/{_BRANCH}", *(trusted_ref(other) for other in ("default", "base"))]
        specs = [f"+{self._commit}:{ref}" for ref in refs]
        self._fetch_objects(*FETCH_REF, *specs, cwd=folder, store=folder)
        self._fetched.update({"default", "base"})


class LocalLanding:
    """Makes the commits here, where a session's branch would have them on GitHub."""

    def __init__(self, remote: PinnedRemote, author: GitIdentity) -> None:
        self._remote = remote
        self._author = author

    def land(self, tree: str, parent: str, *messages: str, merged: str | None = None) -> str:
        """See `runner.hosting.Landing`."""
        store = self._remote.store
        if store is None:
            raise InternalError("The work was to be kept before anything was cloned.")
        commit = parent
        for message in messages:
            commit = store.commit(tree, parent=commit, merged=merged, message=message, author=self._author)
            merged = None
            self._remote.keep(commit)
        return commit
