"""The context of one session: what it works with, made once at the start of its task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runner.clock import CLOCK, Clock
from runner.gateway import PATIENCE_SECONDS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from pullwright.github.client import GitHubClient
    from pullwright.github.pace import Purpose
    from runner.artifacts import Artifacts
    from runner.clock import Phases
    from runner.record import SessionClaim
    from runner.user import User


@dataclass(frozen=True, slots=True)
class Signals:
    """What can end a session from outside.

    Attributes:
        lost: the session belongs to another task or is closed.
    """

    terminated: threading.Event
    lost: threading.Event


@dataclass(frozen=True, slots=True)
class SessionContext:
    """Everything that the parts of one session share.

    Attributes:
        checks_user: user whom checks run as.
        forget_github_token: called with a token that GitHub may have refused, so that the next one is new.
        model_api_key: gives the model's key, if there is one.
        github_token_age: seconds since that token was made.
        github: makes a client of GitHub; called with the repository, what the calls are for, and for how many
            seconds they may wait for rate limits.
        checkpoint_seconds: seconds between two checkpoints.
        package_manager: what can install system packages here.
        machine: `own` if the task has the machine for itself.
        model_patience_seconds: for how many seconds a failing model service is asked again.
        takes_over: whether another task had claimed the session before.
        was_stopped: whether that task was stopped before it was done.
        is_spot: a task that is stopped is followed by another, which goes on from its checkpoint.
    """

    work_dir: Path
    private: Path
    user: User
    checks_user: User
    record: SessionClaim
    artifacts: Artifacts
    github_token: Callable[[], str]
    forget_github_token: Callable[[str], None]
    model_api_key: Callable[[], str | None]
    github_token_age: Callable[[], float]
    github: Callable[[str, Purpose, float], GitHubClient]
    signals: Signals
    phases: Phases
    clock: Clock = CLOCK
    checkpoint_seconds: float = 120.0
    package_manager: Literal["apt", "none"] = "none"
    machine: Literal["own", "shared"] = "shared"
    model_patience_seconds: float = PATIENCE_SECONDS
    takes_over: bool = False
    was_stopped: bool = False
    is_spot: bool = False

    @property
    def log(self) -> Path:
        """The runner's own log."""
        return self.private / "runner.log"

    @property
    def transcript(self) -> Path:
        """The CLI's lines."""
        return self.private / "transcript.jsonl"

    @property
    def readable(self) -> Path:
        """The transcript for people."""
        return self.private / "transcript.md"

    @property
    def conversation(self) -> Path:
        """The CLI's own record, if there is one."""
        return self.private / "conversation.jsonl"

    @property
    def diff(self) -> Path:
        """What the agent changed."""
        return self.private / "diff.patch"
