"""Writing to the queue behind the webhook."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from pullwright.errors import AwsUnavailable
from pullwright.events.messages import MESSAGE, QueuedSync
from pullwright.events.queue import MOST_SECONDS, Queue
from tests.unit.aws_kit import client

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/events"


def messages(number: int) -> list[tuple[QueuedSync, int]]:
    """Return messages, each due ten minutes after the one before."""
    repositories = [(f"o/r{at}",) for at in range(number)]
    return [
        (QueuedSync(kind="sync", installation_id=7, repositories=names), 600 * at)
        for at, names in enumerate(repositories)
    ]


def expected(sent: list[tuple[QueuedSync, int]]) -> dict[str, Any]:
    """Return the call for one batch."""
    return {
        "QueueUrl": URL,
        "Entries": [
            {
                "Id": str(number),
                "MessageBody": f'{{"kind":"sync","installation_id":7,"repositories":["{message.subject}"]}}',
                "DelaySeconds": min(seconds, MOST_SECONDS),
            }
            for number, (message, seconds) in enumerate(sent)
        ],
    }


def test_ten_messages_fit_into_a_call() -> None:
    """Each waits as long as SQS lets it, and is read as it was written."""
    sent = messages(12)
    sqs = client("sqs")
    with Stubber(sqs) as stub:
        for batch in (sent[:10], sent[10:]):
            stub.add_response("send_message_batch", {"Successful": [], "Failed": []}, expected(batch))
        Queue(sqs, URL).send(sent)
        Queue(sqs, URL).send([])
        stub.assert_no_pending_responses()
    assert MESSAGE.validate_json(expected(sent)["Entries"][3]["MessageBody"]) == sent[3][0]


def test_a_message_that_was_not_taken_is_an_error() -> None:
    """SQS answers 200 where it took some of a batch and not others."""
    sqs = client("sqs")
    with Stubber(sqs) as stub:
        failed = [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]
        stub.add_response("send_message_batch", {"Successful": [], "Failed": failed})
        with pytest.raises(AwsUnavailable):
            Queue(sqs, URL).send(messages(1))
