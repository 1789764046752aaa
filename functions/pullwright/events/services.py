"""What messages are processed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.previewing.withdrawal import withdraw

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_stepfunctions import SFNClient

    from pullwright.events.queue import Queue
    from pullwright.github.app import GitHubApp
    from pullwright.previewing.store import PreviewRecord, PreviewStore
    from pullwright.reconciling.ledger import Ledger
    from pullwright.reporting.tasks import Tasks
    from pullwright.store import Store


@dataclass(frozen=True, slots=True)
class Previews:
    """The machine of previews, their items, and their tasks."""

    state_machine_arn: str
    store: PreviewStore
    tasks: Tasks

    def end(self, is_meant: Callable[[PreviewRecord], bool], *, error: str, cause: str) -> int:
        """Withdraw the previews that are meant; each machine takes away what is its own.

        Args:
            error: class name from `pullwright.errors`.

        Returns:
            How many were meant.

        Raises:
            AwsUnavailable: AWS did not do it.
        """
        records = [self.store.read(preview_id) for preview_id in sorted(self.store.holders())]
        meant = [record for record in records if record.is_open and is_meant(record)]
        for record in meant:
            withdraw(record, self.store, self.tasks, error=error, cause=cause)
        return len(meant)


@dataclass(frozen=True, slots=True)
class EventServices:
    """GitHub, the sessions table as its writers and as the sweep see it, and the machine.

    Attributes:
        ledger: what is open, or was worked on, by the table's indexes.
        queue: the one that the messages come from.
        allowed_owners: see `pullwright.owners`; empty means the owner of the App.
        mention_name: the name in a mention that asks for a session, without the `@`.
        previews: None where none are set up.
    """

    app: GitHubApp
    store: Store
    ledger: Ledger
    states: SFNClient
    state_machine_arn: str
    queue: Queue
    allowed_owners: str
    mention_name: str = ""
    previews: Previews | None = None

    def start(self, name: str, request: str, machine: str = "") -> bool:
        """Start an execution.

        Args:
            request: its input, JSON.
            machine: ARN, that of sessions unless another is named.

        Returns:
            False if one of this name was started before, with another input or in the past.

        Raises:
            ClientError: Step Functions did not take it.
        """
        try:
            self.states.start_execution(
                stateMachineArn=machine or self.state_machine_arn, name=name, input=request
            )
        except self.states.exceptions.ExecutionAlreadyExists:
            return False
        return True
