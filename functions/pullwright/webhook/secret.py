"""The webhook's secret, and the one before it while it is being replaced."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from pullwright.aws_json import SECRETS_MANAGER, AwsCallError, AwsJson
from pullwright.errors import InternalError

_SECONDS = 2.5
# Two reads of these and the rest of a delivery's work fit into the ten seconds that GitHub waits.
_OTHER_SECONDS = 1.2
LOOK_AGAIN_SECONDS = 5.0
"""How often a signature that does not fit may make us look for another secret, in seconds."""
PREVIOUS_COUNTS_SECONDS = 86_400.0
"""For so long after a new secret was stored the one before it is accepted too, in seconds."""


class SecretUnusable(InternalError):  # noqa: N818 - says what it is
    """The secret is empty, so that anybody could sign."""


class WebhookSecret:
    """Keeps the secret in memory, and looks for others when a signature does not fit.

    Whoever replaces the secret stores it in Secrets Manager and then tells GitHub. Deliveries in between are
    signed with the old one, which Secrets Manager keeps as `AWSPREVIOUS`: it counts for a day.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version

    Args:
        monotonic: seconds.
        now: Unix seconds.
    """

    def __init__(
        self,
        aws: AwsJson,
        arn: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._aws = aws
        self._arn = arn
        self._monotonic = monotonic
        self._now = now
        self._value = b""
        self._created_at = 0.0
        self._previous = b""
        self._looked_at: float | None = None

    def current(self) -> bytes:
        """Return the secret as it was last read.

        Raises:
            AwsCallError: it cannot be read.
            SecretUnusable: it is empty.
        """
        if not self._value:
            self._read(_SECONDS)
        return self._value

    def others(self) -> Iterator[bytes]:
        """Yield the other valid secrets, for a delivery that the current one does not fit.

        They are read at most every five seconds: forgeries cost next to nothing, and nobody who stores a new
        secret has told GitHub of it sooner.

        Raises:
            AwsCallError: one cannot be read.
            SecretUnusable: the current one is empty.
        """
        tried = self._value
        if self._looked_at is None or self._monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._looked_at = self._monotonic()
            self._read(_OTHER_SECONDS)
            if self._value != tried:
                yield self._value
            self._read_previous()
        if self._previous and self._now() - self._created_at < PREVIOUS_COUNTS_SECONDS:
            yield self._previous

    def _read(self, seconds: float) -> None:
        output = self._get("AWSCURRENT", seconds)
        value = output.get("SecretString")
        if not isinstance(value, str) or not value.strip():
            raise SecretUnusable("The webhook's secret is empty; the operator has to set it.")
        self._value = value.encode()
        created = output.get("CreatedDate")
        self._created_at = float(created) if isinstance(created, int | float) else 0.0

    def _read_previous(self) -> None:
        try:
            value = self._get("AWSPREVIOUS", _OTHER_SECONDS).get("SecretString")
        except AwsCallError as error:
            if error.code != "ResourceNotFoundException":
                raise
            value = None
        self._previous = value.encode() if isinstance(value, str) and value.strip() else b""

    def _get(self, stage: str, seconds: float) -> dict[str, Any]:
        wanted = {"SecretId": self._arn, "VersionStage": stage}
        return self._aws.call(SECRETS_MANAGER, "GetSecretValue", wanted, seconds=seconds)
