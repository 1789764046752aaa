"""What messages are processed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from pullwright.events.queue import Queue
    from pullwright.github.app import GitHubApp
    from pullwright.reconciling.ledger import Ledger
    from pullwright.store import Store


@dataclass(frozen=True, slots=True)
class EventServices:
    """GitHub, the sessions table as its writers and as the sweep see it, and the machine.

    Attributes:
        ledger: what is open, or was worked on, by the table's indexes.
        queue: the one that the messages come from.
        allowed_owners: see `pullwright.owners`; empty means the owner of the App.
        mention_name: the name in a mention that asks for a session, without the `@`.
    """

    app: GitHubApp
    store: Store
    ledger: Ledger
    states: SFNClient
    state_machine_arn: str
    queue: Queue
    allowed_owners: str
    mention_name: str = ""

    def start(self, name: str, request: str) -> bool:
        """Start an execution.

        Args:
            request: its input, JSON.

        Returns:
            False if one of this name was started before, with another input or in the past.

        Raises:
            ClientError: Step Functions did not take it.
        """
        try:
            self.states.start_execution(stateMachineArn=self.state_machine_arn, name=name, input=request)
        except self.states.exceptions.ExecutionAlreadyExists:
            return False
        return True
