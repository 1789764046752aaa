"""The secret that GitHub and the webhook share."""

import time
from collections.abc import Callable

from pullwright.aws_json import SECRETS_MANAGER, AwsJson

_SECONDS = 2.5
_REREAD_SECONDS = 60.0


class SecretUnusable(Exception):  # noqa: N818 - says what it is
    """The secret is empty, and so everybody's."""


class WebhookSecret:
    """Keeps the secret in memory, and reads it again when a signature does not fit.

    Args:
        aws: makes the call.
        arn: the secret's.
        monotonic: seconds.
    """

    def __init__(self, aws: AwsJson, arn: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._aws = aws
        self._arn = arn
        self._monotonic = monotonic
        self._value = b""
        self._read_at = 0.0

    def current(self) -> bytes:
        """Give the secret as far as we know it.

        Raises:
            AwsCallError: it cannot be read.
            SecretUnusable: it is empty.
        """
        if not self._value:
            self._read()
        return self._value

    def changed(self) -> bool:
        """Read it again, at most once a minute, so that a rotation works and forgeries cost nothing.

        Returns:
            Whether it is another one now.

        Raises:
            AwsCallError: it cannot be read.
            SecretUnusable: it is empty.
        """
        if self._monotonic() - self._read_at < _REREAD_SECONDS:
            return False
        before = self._value
        self._read()
        return self._value != before

    def _read(self) -> None:
        self._read_at = self._monotonic()
        output = self._aws.call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": self._arn}, seconds=_SECONDS)
        value = output.get("SecretString")
        if not isinstance(value, str) or not value.strip():
            raise SecretUnusable
        self._value = value.encode()
