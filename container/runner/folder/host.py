"""The session's repository as a folder has it: cloned and pushed to by git, like GitHub's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from runner.folder.artifacts import give_to_owner
from runner.git.command import environment, run
from runner.git.remote import Remote
from runner.git.store import Store
from runner.hosting import Comment

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest

REPOSITORY, BUNDLE = "repository.git", "branch.bundle"
_SERVE = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
}


class FolderHost:
    """See `runner.hosting.Host`.

    Args:
        folder: the session's.
        private: the runner's own, where the repository is copied to: git refuses one of another owner.
    """

    is_shared = False

    def __init__(self, folder: Path, private: Path, api_key: str | None) -> None:
        self._folder = folder
        self._private = private
        self._origin = private / "origin.git"
        self.model_api_key = api_key

    def remote(self, request: AgentRequest, should_stop: Callable[[], bool]) -> Remote:
        """Return the repository."""
        shutil.copytree(self._folder / REPOSITORY, self._origin)
        for name, value in _SERVE.items():
            run("config", name, value, cwd=self._origin)
        return _FolderRemote(f"file://{self._origin}", request.branch, str, should_stop=should_stop)

    def landing(self, request: AgentRequest, remote: Remote) -> FolderLanding:
        """Return what brings the work onto the branch."""
        return FolderLanding(request, remote, Store(self._private / "repository.git"), self._folder / BUNDLE)

    def comment(self, request: AgentRequest) -> Comment:
        """Return a comment that nobody reads: the log says the same."""
        del request
        return Comment(lambda _: True, lambda: 1.0)


class _FolderRemote(Remote):
    """A repository on this machine, which wants no token."""

    def _environment(self, _token: str) -> dict[str, str]:
        return environment({"protocol.file.allow": "always"}, {"GIT_ALLOW_PROTOCOL": "file"})


class FolderLanding:
    """Brings work onto one branch, and out of the session.

    Args:
        bundle: gets the branch's new commits.
    """

    def __init__(self, request: AgentRequest, remote: Remote, store: Store, bundle: Path) -> None:
        self._request = request
        self._remote = remote
        self._store = store
        self._bundle = bundle

    def land(self, tree: str, parent: str, *messages: str, merged: str | None = None) -> str:
        """Make the commits, move the branch to the last, and write all that is new of it into the bundle.

        Args:
            merged: the first one's second parent.

        Returns:
            The last one's hash.

        Raises:
            PullwrightError: the branch stands where it stood.
        """
        request, store = self._request, self._store
        commit = parent
        for message in messages:
            commit = store.commit(tree, parent=commit, merged=merged, message=message, author=request.author)
            merged = None
        ref = f"refs/heads/{request.branch}"
        rejection = self._remote.push(store, commit, ref)
        if rejection is not None:
            raise rejection.failure(request.branch)
        origin = Path(self._remote.url.removeprefix("file://"))
        new = ("--quiet", str(self._bundle), ref, "--not", f"refs/heads/{request.base}")
        run("bundle", "create", *new, cwd=origin)
        give_to_owner(self._bundle)
        return commit
