"""Calls to the provider: opened, counted while under way, cut off at the end."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from runner.gateway.refusal import Refusal

_CONNECT_TIMEOUT = 10.0


class Unanswered(Refusal):
    """The provider did not answer at all.

    Args:
        sent: whether it may have got the call, and so may bill it.
    """

    def __init__(self, *, sent: bool) -> None:
        super().__init__(502, "api_error", "The model's service cannot be reached.")
        self.sent = sent


class Upstream:
    """The provider's end of the gateway.

    Args:
        read_timeout: seconds of silence after which an answer counts as broken off.
    """

    def __init__(self, read_timeout: float) -> None:
        # No retries and no redirects: each call is paid for, and the CLI has its own rules for repeating.
        timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=read_timeout)
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout, maxsize=8)
        self._answers: set[urllib3.BaseHTTPResponse] = set()
        self._changed = threading.Condition()

    @contextmanager
    def post(self, url: str, headers: dict[str, str], body: bytes) -> Iterator[urllib3.BaseHTTPResponse]:
        """Send a call and hold its answer open.

        Raises:
            Unanswered: no answer came.
        """
        try:
            answer = self._pool.request("POST", url, headers=headers, body=body, preload_content=False)
        except HTTPError as error:
            raise Unanswered(sent=not isinstance(error, NewConnectionError | ConnectTimeoutError)) from error
        # An answer may take minutes, and whoever made the call lets go of its body as well.
        del body
        with self._changed:
            self._answers.add(answer)
        try:
            yield answer
        finally:
            # Closed rather than given back: what is unread may be a broken stream.
            answer.close()
            with self._changed:
                self._answers.discard(answer)
                self._changed.notify_all()

    def close(self, patience: float) -> None:
        """Wait for answers under way, then cut off what is left."""
        deadline = time.monotonic() + patience
        with self._changed:
            if not self._changed.wait_for(lambda: not self._answers, patience):
                for answer in self._answers:
                    with suppress(ValueError, OSError):  # it has just ended by itself
                        answer.shutdown()
                self._changed.wait_for(lambda: not self._answers, deadline + 1 - time.monotonic())
        self._pool.clear()
