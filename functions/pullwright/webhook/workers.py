"""The workers of a repository as the webhook needs them: what starts them, from the sessions table."""

import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any

from pullwright.aws_json import DYNAMODB, AwsJson
from pullwright.json_object import as_object
from pullwright.webhook.log import DeliveryLog
from pullwright.workers.builtin import builtin_workers, with_builtin
from pullwright.workers.manifest import SCHEMA_VERSION, BrokenManifest, unpack_routes
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
        try:
            return with_builtin(_routes(item), self._trigger_label)
        except BrokenManifest as error:
            # Never silence: the metric has an alarm.
            log.broken_workers(str(error))
            return builtin_workers(self._trigger_label)


def _routes(item: dict[str, Any]) -> tuple[Worker, ...]:
    """Read what is stored.

    Raises:
        BrokenManifest: something is missing or was changed.
    """
    version = as_object(item.get("schema_version")).get("N")
    if version != str(SCHEMA_VERSION):
        raise BrokenManifest(f"it has the schema version {version}, and this release knows {SCHEMA_VERSION}")
    packed, expected = as_object(item.get("routes")).get("B"), as_object(item.get("routes_sha256")).get("S")
    if packed is None and expected == "":
        # No good set has been seen yet.
        return ()
    if not isinstance(packed, str) or not isinstance(expected, str):
        raise BrokenManifest("a part is missing")
    try:
        return unpack_routes(b64decode(packed, validate=True), expected)
    except Base64Error:
        raise BrokenManifest("it is not what the table gives") from None
