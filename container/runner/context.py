"""The context of one session: what it works with, made once at the start of its task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from concurrent.futures import Future
    from pathlib import Path

    from runner.artifacts import Artifacts
    from runner.clock import Clock, Phases
    from runner.egress.egress import Egress
    from runner.hosting import Host
    from runner.record import Claim
    from runner.settings import CommonSettings


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
        private: the runner's own folder.
        building: what processes can reach, as it is being built.
        takes_over: whether another task had claimed the session before.
        was_stopped: whether that task was stopped before it was done.
    """

    settings: CommonSettings
    private: Path
    building: Future[Egress]
    record: Claim
    artifacts: Artifacts
    host: Host
    signals: Signals
    phases: Phases
    clock: Clock
    takes_over: bool
    was_stopped: bool = False

    @property
    def egress(self) -> Egress:
        """What processes of the agent's user can reach.

        Raises:
            CageUnavailable: they cannot be kept from the network, and have to be.
        """
        return self.building.result()

    @property
    def is_spot(self) -> bool:
        """Whether a task that is stopped is followed by another, which goes on from its checkpoint."""
        return self.settings.capacity == "FARGATE_SPOT"

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
