"""How much of the runner's memory the bodies of all requests may take together."""

import ctypes
import threading
import time

from runner.gateway.refusal import Refusal

_WAIT = 60.0
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGE = 64 * 1024


def give_large_blocks_back() -> None:
    """Let the C library give large blocks of this process back to the system as soon as they are free.

    It would otherwise learn from the first large body to keep as much in reserve, and do so for each thread
    (https://man7.org/linux/man-pages/man3/mallopt.3.html). Other C libraries have no such function.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, 2)


class BodyMemory:
    """A number of bytes that all requests under way share; a request that finds too few left waits.

    Args:
        size: how many bytes all bodies may take together.
        wait: seconds for which a request may wait.
    """

    def __init__(self, size: int, wait: float = _WAIT) -> None:
        self._left = size
        self._wait = wait
        self._changed = threading.Condition()

    def reserve(self, size: int) -> "Reservation":
        """Reserve memory for a body.

        Raises:
            Refusal: there was none for too long.
        """
        end = time.monotonic() + self._wait
        with self._changed:
            if not self._changed.wait_for(lambda: size <= self._left, end - time.monotonic()):
                raise Refusal(429, "rate_limit_error", "Other requests of this session take all the room.")
            self._left -= size
        return Reservation(self, size)

    def give_back(self, size: int) -> None:
        """Give bytes back."""
        with self._changed:
            self._left += size
            self._changed.notify_all()


class Reservation:
    """The bytes that one body takes of a `BodyMemory`."""

    def __init__(self, memory: BodyMemory, size: int) -> None:
        self._memory = memory
        self._size = size

    def release(self) -> None:
        """Give it back; once is enough, and more often does no harm."""
        size, self._size = self._size, 0
        if size:
            self._memory.give_back(size)
