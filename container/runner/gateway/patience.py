"""How long the gateway goes on asking a model's service that fails."""

import random
import threading
import time
from collections.abc import Callable

# Overload and outage pass. 408 and 424 are how Bedrock says that a model took too long or broke down.
# https://docs.claude.com/en/api/errors, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html#API_runtime_InvokeModel_Errors
PASSING = frozenset({408, 424, 429, 500, 502, 503, 504, 529})

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
# A client that waits is looked after so often.
_LOOK = 1.0


class Patience:
    """Counts one outage for all calls together: from the first that failed until one succeeds.

    So a session outlives a short outage, and ends soon after a long one, however many calls it has under way
    and however often the client repeats them.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failing_since: float | None = None
        self._over = threading.Event()

    def worked(self) -> None:
        """Note that the service has answered: what comes later is another outage."""
        with self._lock:
            self._failing_since = None

    def pause(self, attempt: int, retry_after: float = 0.0) -> float | None:
        """Say how long to wait before the next attempt, in seconds; None if there is to be none.

        Args:
            attempt: how many this call has had before the one that just failed.
            retry_after: seconds that the service asks for.
        """
        with self._lock:
            now = self._clock()
            if self._failing_since is None:
                self._failing_since = now
            left = self._failing_since + self._seconds - now
        if left <= 0 or retry_after > left:
            return None
        # Spread, or else calls that failed together would come back together.
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        return min(max(pause, retry_after), left)

    def wait(self, seconds: float, gone: Callable[[], bool]) -> bool:
        """Wait; False as soon as it is in vain, because the client has left or the session is over."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._over.wait(min(left, _LOOK)):
                return False
            if gone():
                return False
        return not self._over.is_set()

    def end(self) -> None:
        """End all waits: the session is over."""
        self._over.set()
