"""Where a session's repository is, and who hears of the session while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest
    from runner.git.remote import Remote


class Comment(NamedTuple):
    """What people follow the session by.

    Attributes:
        update: rewrites it; False if somebody has deleted it.
        stretch: by how much edits are to be rarer than those of a session alone.
    """

    update: Callable[[str], bool]
    stretch: Callable[[], float]


class Landing(Protocol):
    """Brings work onto the session's branch."""

    def land(self, tree: str, parent: str, *messages: str, merged: str | None = None) -> str:
        """Make a commit, others without a change on top of it, and move the branch to the last.

        Args:
            tree: hash of what it holds, which the host has.
            merged: the first one's second parent.

        Returns:
            The last one's hash.

        Raises:
            PullwrightError: the branch stands where it stood, or where somebody else moved it.
        """


class Host(Protocol):
    """The repository's home."""

    @property
    def is_shared(self) -> bool:
        """Whether others push to it: only then can a branch fall behind its base."""

    @property
    def model_api_key(self) -> str | None:
        """The key of the model's service, if it wants one."""

    def remote(self, request: AgentRequest, should_stop: Callable[[], bool]) -> Remote:
        """Return the repository, and the branch that is read."""

    def landing(self, request: AgentRequest, remote: Remote) -> Landing:
        """Return what brings the work onto the branch."""

    def comment(self, request: AgentRequest) -> Comment:
        """Return what people follow the session by."""
