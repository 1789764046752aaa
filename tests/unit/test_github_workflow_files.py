"""Workflow files that an App without the permission for them may bring, and those that it may not.

The rule is GitHub's, of the scope `workflow`:
https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from github_standin.git.workflow_files import ZERO, find_refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATH = ".github/workflows/ci.yml"
LONG = "on: push\n" + "# one\n" * 9


class Repository:
    """A repository with a workflow on `main`, a topic branch behind it, and what may be pushed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.first = self.commit(LONG)
        self.git("branch", "topic")
        self.second = self.commit(LONG + "# two\n")

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run git."""
        who = {f"GIT_{r}_{f}": "x@y" for r in ("AUTHOR", "COMMITTER") for f in ("NAME", "EMAIL")}
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **who}
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, input=stdin, check=True, capture_output=True
        ).stdout

    def commit(self, text: str | None, path: str = PATH) -> str:
        """Write, or delete, a file and commit it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink()
        else:
            file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.head()

    def head(self) -> str:
        """Return where the checked out branch stands."""
        return self.git("rev-parse", "HEAD").decode().strip()

    def aside(self, start: str = "topic") -> None:
        """Leave all branches, so that what is made next is new to the repository's branches."""
        self.git("checkout", "-q", "--detach", start)

    def merge(self, commit: str) -> str:
        """Merge a commit and return the merge."""
        self.git("merge", "-q", "--no-ff", "-m", "x", commit)
        return self.head()


def other_file(repository: Repository) -> str:
    """Change something else."""
    return repository.commit("x\n", "a.txt")


def newest_base(repository: Repository) -> str:
    """Merge the base as it is."""
    return repository.merge(repository.second)


def left_behind(repository: Repository) -> str:
    """Merge a commit of the base whose workflow the base has changed since."""
    repository.git("checkout", "-q", "main")
    repository.commit("on: pull_request\n")
    repository.aside()
    return repository.merge(repository.second)


def mixed(repository: Repository) -> str:
    """Merge the base into a branch that has changed the same workflow elsewhere."""
    repository.git("checkout", "-q", "topic")
    repository.commit("# mine\n" + LONG)
    repository.aside()
    return repository.merge(repository.second)


def copied(repository: Repository) -> str:
    """Write a workflow as another branch has it."""
    return repository.commit(LONG + "# two\n")


def written(repository: Repository) -> str:
    """Write a workflow of one's own."""
    return repository.commit("on: push\n")


def for_a_while(repository: Repository) -> str:
    """Write a workflow of one's own and take it back in a second commit."""
    repository.commit("on: push\n")
    return repository.commit(LONG)


def deleted(repository: Repository) -> str:
    """Delete a workflow."""
    return repository.commit(None)


def deleted_on_base(repository: Repository) -> str:
    """Merge a base that has deleted it."""
    repository.git("checkout", "-q", "main")
    base = repository.commit(None)
    repository.aside()
    return repository.merge(base)


@pytest.mark.parametrize(
    ("made", "is_refused"),
    [
        (other_file, False),
        (newest_base, False),
        (left_behind, True),
        (mixed, True),
        (copied, False),
        (written, True),
        (for_a_while, True),
        (deleted, True),
        (deleted_on_base, False),
    ],
)
def test_a_file_comes_only_as_another_branch_has_it(
    tmp_path: Path, made: Callable[[Repository], str], *, is_refused: bool
) -> None:
    """By path and contents, whether a commit or a merge brings it."""
    repository = Repository(tmp_path)
    repository.aside()
    new = made(repository)
    # What is checked out counts as known to the repository.
    repository.git("checkout", "-q", "main")
    old = repository.git("rev-parse", "topic").decode().strip()
    expected = PATH if is_refused else None
    assert find_refused(repository.git, old, new) == expected


def test_an_old_commit_that_no_branch_looks_like_is_refused(tmp_path: Path) -> None:
    """A tag on a commit that the repository has is no exception, as users of releases report."""
    repository = Repository(tmp_path)
    assert find_refused(repository.git, ZERO, repository.first) is None
    repository.git("branch", "-D", "topic")
    assert find_refused(repository.git, ZERO, repository.first) == PATH
    assert find_refused(repository.git, ZERO, repository.second) is None
