"""The ref that keeps a session's unfinished work: `refs/pullwright/<branch>`, which is ours alone.

It starts no workflow and no review, and nobody has it checked out. A checkpoint is one commit on top of the
branch's head; the next one takes its place. What stands there without our knowledge is never overwritten.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pullwright.errors import GitHubUnavailable
from runner.log import logger

if TYPE_CHECKING:
    from pathlib import Path

    from runner.git.push import Rejection
    from runner.git.remote import Remote
    from runner.git.store import Head, Store


class CheckpointRef:
    """The checkpoints of one branch.

    Args:
        name: full name of the ref; the branch's if not given.
    """

    def __init__(self, remote: Remote, name: str | None = None) -> None:
        self._remote = remote
        self.name = name or f"refs/pullwright/{remote.branch}"
        # Where it stands on GitHub as far as we know; empty when it does not exist.
        self._stands_at = ""
        self._lock = threading.Lock()

    def find(self, folder: Path) -> bool:
        """Return whether there is a checkpoint.

        Args:
            folder: any folder that only the runner's user writes.

        Raises:
            GitHubUnavailable: GitHub did not answer.
        """
        self._stands_at = self._remote.find(folder, self.name) or ""
        return bool(self._stands_at)

    def fetch(self, store: Store, head: Head) -> Head | None:
        """Fetch the checkpoint that `find` found.

        Returns:
            The checkpoint; None if it is gone, or is not based on the branch as it stands now.

        Raises:
            GitHubUnavailable: GitHub did not give it.
        """
        try:
            self._remote.fetch(store, head, self.name)
        except GitHubUnavailable:
            if self.find(store.folder):
                raise
            # Another task of the session has brought the work onto the branch.
            return None
        # One of a merge that is under way has the base as its second parent.
        if store.parents(self.name)[:1] != [head.commit]:
            logger.warning("the last checkpoint is of an older state of the branch", commit=self._stands_at)
            return None
        return store.head(self.name)

    def push(self, store: Store, commit: str | None) -> Rejection | None:
        """Move the checkpoint to a commit, or delete it.

        Args:
            commit: its full hash; None deletes the checkpoint.

        Returns:
            Why it was not moved: somebody else has moved it, or a rule of the repository forbids it.

        Raises:
            GitHubUnavailable: GitHub did not answer.
        """
        with self._lock:
            rejection = self._remote.push(store, commit, self.name, lease=self._stands_at)
            if rejection is not None:
                logger.warning("the checkpoint was rejected", ref=self.name, reason=rejection.reason)
                return rejection
            self._stands_at = commit or ""
        logger.info("the checkpoint was moved", ref=self.name, commit=commit)
        return None

    def delete(self, store: Store) -> None:
        """Delete the checkpoint, if there is one.

        Raises:
            GitHubUnavailable: GitHub did not answer.
        """
        if self._stands_at:
            self.push(store, None)
