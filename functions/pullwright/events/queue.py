"""The queue that the events function reads, as it writes to it: work to be done bit by bit, or later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.aws import calling
from pullwright.errors import AwsUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient
    from pydantic import BaseModel

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_BATCH = 10
MOST_SECONDS = 900
"""For which SQS can hold a message back."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue behind the webhook."""

    client: SQSClient
    url: str

    def send(self, messages: Sequence[tuple[BaseModel, int]]) -> None:
        """Send messages.

        Args:
            messages: each with the seconds that it is held back.

        Raises:
            AwsUnavailable: SQS did not take all of them; those that it took come twice if this is repeated.
        """
        for at in range(0, len(messages), _BATCH):
            with calling("write to the queue"):
                response = self.client.send_message_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {
                            "Id": str(number),
                            "MessageBody": message.model_dump_json(exclude_defaults=True),
                            "DelaySeconds": min(seconds, MOST_SECONDS),
                        }
                        for number, (message, seconds) in enumerate(messages[at : at + _BATCH])
                    ],
                )
            if response.get("Failed"):
                raise AwsUnavailable("AWS could not write to the queue.")
