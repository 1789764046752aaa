"""Brings one commit's files: the runner fetches them with a token, the application's user checks them out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Unpack

from pullwright.errors import GitHubUnavailable, PreviewCommitGone
from runner.git.command import GitError, environment, run
from runner.git.remote import FETCH_OPTIONS, Access, Remote
from runner.git.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.git.store import Head, Store
    from runner.user import User

# What git's server says of an object that it does not have, or does not show. Git's own tests hold it
# (t/t5703-upload-pack-ref-in-want.sh), and GitHub's users see it when a commit was pushed away by force.
_NOT_THERE = "upload-pack: not our ref"
_BRANCH = "preview"
_ROLE = "preview"
_OBJECTS = "objects"
_CHECKOUT = "checkout"
_PRIVATE = "runner"


class CommitRemote(Remote):
    """One commit of a repository on GitHub, without those before it.

    Args:
        commit: 40 hexadecimal digits.
    """

    def __init__(self, url: str, commit: str, token: Callable[[], str], **access: Unpack[Access]) -> None:
        super().__init__(url, _BRANCH, token, **access)
        self._commit = commit
        self._is_gone = False

    def clone(self, folder: Path) -> tuple[Store, Head]:
        """See `Remote.clone`.

        Raises:
            PreviewCommitGone: GitHub does not have the commit, and did not when it was asked again either.
        """
        try:
            return super().clone(folder)
        except GitHubUnavailable as error:
            if not self._is_gone:
                raise
            raise PreviewCommitGone(
                f"GitHub does not have the commit {self._commit[:7]} any more."
            ) from error

    def _bring(self, folder: Path) -> None:
        name = f"--initial-branch={_BRANCH}"
        self._git("init", "--bare", "--quiet", "--template=", name, "--", str(folder), cwd=folder.parent)
        self._git("config", "remote.origin.url", self.url, cwd=folder)
        fetch = ("fetch", *FETCH_OPTIONS, "--depth=1", "origin", f"+{self._commit}:refs/heads/{_BRANCH}")
        try:
            self._fetch_objects(*fetch, cwd=folder, store=folder)
        except GitError as error:
            self._is_gone = _NOT_THERE in error.stderr
            raise

    def _branch_is_gone(self, folder: Path) -> bool:  # noqa: ARG002 - as `Remote` has it
        """Return False: the branch has its name here alone."""
        return False


def bring(remote: CommitRemote, work_dir: Path, *, name: str, user: User) -> Workspace:
    """Bring a commit's files into a folder of a user's own; nothing of git is left beside them.

    Args:
        work_dir: what an earlier start of the container left in it is removed.
        name: the repository's, which names the folder.

    Raises:
        PreviewCommitGone: GitHub does not have the commit any more.
        PullwrightError: GitHub did not give it, or the user cannot reach the folder.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    private, objects, git_dir = (work_dir / folder for folder in (_PRIVATE, _OBJECTS, _CHECKOUT))
    for folder in (private, objects, git_dir, work_dir / _ROLE):
        shutil.rmtree(folder, ignore_errors=True)
    private.mkdir(mode=0o700)
    store, head = remote.clone(private / "repository.git")
    store.share_objects(objects)
    user.make_folder(git_dir)
    workspace = Workspace.create(work_dir, private, name=name, user=user, role=_ROLE)
    places = {
        "GIT_DIR": str(git_dir),
        "GIT_WORK_TREE": str(workspace.folder),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
    }
    run("init", "--quiet", "--bare", "--template=", str(git_dir), cwd=git_dir, user=user)
    command = ("read-tree", "--reset", "-u", head.tree)
    run(*command, cwd=workspace.folder, env=environment(extra=places), user=user)
    for folder in (store.folder, objects, git_dir):
        shutil.rmtree(folder)
    return workspace
