"""The workers of a repository as the webhook needs them: what starts them, from the sessions table."""

import time
from collections.abc import Callable

from pullwright.aws_json import DYNAMODB, AwsJson
from pullwright.json_object import as_object
from pullwright.webhook.log import DeliveryLog
from pullwright.workers.builtin import builtin_workers, with_builtin
from pullwright.workers.routing import Worker

SECONDS = 15.0
"""For so long a repository's workers count as read."""
_READ_SECONDS = 1.5
_MOST_REPOSITORIES = 500


class StoredWorkers:
    """Reads workers, and keeps them for a while.

    Args:
        monotonic: seconds.
    """

    def __init__(
        self,
        aws: AwsJson,
        table: str,
        trigger_label: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._aws = aws
        self._table = table
        self._trigger_label = trigger_label
        self._monotonic = monotonic
        self._read: dict[str, tuple[float, tuple[Worker, ...]]] = {}

    def of(self, repository: str, log: DeliveryLog) -> tuple[Worker, ...]:
        """Return a repository's workers; the built-in ones where it has none that can be trusted.

        Raises:
            AwsCallError: the table did not answer.
        """
        key = repository.lower()
        at, workers = self._read.get(key, (0.0, ()))
        if workers and self._monotonic() - at < SECONDS:
            return workers
        workers = self._stored(key, log)
        if len(self._read) >= _MOST_REPOSITORIES:
            self._read.clear()
        self._read[key] = (self._monotonic(), workers)
        return workers

    def _stored(self, key: str, log: DeliveryLog) -> tuple[Worker, ...]:
        output = self._aws.call(
            DYNAMODB,
            "GetItem",
            {
                "TableName": self._table,
                "Key": {"pk": {"S": f"REPO#{key}"}},
                "ProjectionExpression": "routes, routes_sha256, schema_version",
            },
            seconds=_READ_SECONDS,
        )
        item = as_object(output.get("Item"))
        if not item:
            return builtin_workers(self._trigger_label)
        # A repository without workers of its own, and so a label of most, needs nothing of this.
        from pullwright.workers.unpacking import BrokenManifest, read_routes  # noqa: PLC0415 - seldom needed

        try:
            return with_builtin(read_routes(item), self._trigger_label)
        except BrokenManifest as error:
            # Never silence: the metric has an alarm.
            log.broken_workers(str(error))
            return builtin_workers(self._trigger_label)
