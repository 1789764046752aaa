"""Defect: a function heard of a message in its queue as late as ten seconds after it was sent.

LocalStack looks into the queue once a second, and more and more seldom while it finds nothing. AWS waits at
the queue until a message comes (long polling): https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

import contextlib
from typing import Any

from localstack.services.lambda_.event_source_mapping import esm_worker
from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

WAIT_SECONDS = 2
"""How long one call waits for a message. AWS's twenty would keep a mapping from being deleted for as long."""
PAUSE_SECONDS = 0.05
"""Between two calls."""


def _wait_for_messages(params: dict[str, Any], **_: Any) -> None:
    params["WaitTimeSeconds"] = params.get("WaitTimeSeconds") or WAIT_SECONDS


def apply() -> None:
    """Let each call wait, and make the pauses between calls short."""
    original = SqsPoller._register_client_hooks

    def register_client_hooks(self: Any) -> None:
        original(self)
        events = self.source_client.meta.events
        events.register("provide-client-params.sqs.ReceiveMessage", _wait_for_messages)

    poll = SqsPoller.poll_events

    def poll_events(self: Any) -> None:
        # It has waited already, so there is no reason for a longer pause.
        with contextlib.suppress(EmptyPollResultsException):
            poll(self)

    SqsPoller._register_client_hooks = register_client_hooks
    SqsPoller.poll_events = poll_events
    esm_worker.LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC = PAUSE_SECONDS
