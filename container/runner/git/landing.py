"""Brings a commit onto the branch: made through GitHub's API, which signs it, and never by force.

The files are there already, under the ref that only we use. What this leaves behind when it fails is a commit
that no branch holds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pullwright.errors import (
    AppNotInstalled,
    BranchProtected,
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    PullwrightError,
    RepositoryArchived,
    RepositoryNotFound,
)
from pullwright.github.refusals import ref_refusal
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.github.client import GitHubClient

# For some seconds GitHub may not know what was just pushed to it.
_PAUSES = (1.0, 3.0, 10.0)
_LASTING = (AppNotInstalled, BranchProtected, GitHubRateLimited, RepositoryArchived)


class Landing:
    """Brings work onto one branch.

    Args:
        repository: `owner/name`.
    """

    def __init__(
        self, github: GitHubClient, repository: str, branch: str, sleep: Callable[[float], None]
    ) -> None:
        self._github = github
        self._repository = repository
        self._branch = branch
        self._sleep = sleep

    def land(self, tree: str, parent: str, *messages: str, merged: str | None = None) -> str:
        """Make a commit, others without a change on top of it, and move the branch to the last.

        Args:
            tree: hash of what it holds, which GitHub has.
            merged: the first one's second parent.

        Returns:
            The last one's hash.

        Raises:
            PullwrightError: the branch stands where it stood, or where somebody else moved it.
        """
        commit = parent
        for message in messages:
            commit = self._create(tree, commit, message, merged)
            merged = None
        self._move(parent, commit)
        return commit

    def _create(self, tree: str, parent: str, message: str, merged: str | None) -> str:
        """Make the commit; one that was made and never answered for does no harm."""
        self._github.fresh.made(tree)
        create = partial(
            self._github.create_commit,
            self._repository,
            tree=tree,
            parent=parent,
            message=message,
            merged=merged,
        )
        for pause in _PAUSES:
            try:
                return create()
            except (GitHubRefused, GitHubUnavailable, RepositoryNotFound) as error:
                logger.warning("the commit was not made", reason=error.sentence)
                self._sleep(pause)
        try:
            return create()
        except RepositoryNotFound as error:
            raise GitHubUnavailable("GitHub does not know what was pushed to it.") from error

    def _move(self, parent: str, commit: str) -> None:
        for pause in (*_PAUSES, None):
            failure = self._forward(commit)
            if failure is None:
                return
            stands = self._github.find_branch(self._repository, self._branch)
            if stands == commit:
                # The answer to the call that moved it was lost.
                return
            logger.warning("the branch was not moved", reason=failure.sentence, stands_at=stands)
            # Where it has not moved, GitHub may have lagged behind; a rule or a setting stays as it is.
            if stands != parent or pause is None or isinstance(failure, _LASTING):
                raise failure
            self._sleep(pause)

    def _forward(self, commit: str) -> PullwrightError | None:
        try:
            refusal = self._github.forward_branch(self._repository, self._branch, commit)
        except PullwrightError as error:
            return error
        return None if refusal is None else ref_refusal(self._branch, refusal)
