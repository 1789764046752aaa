"""When GitHub may be asked: not before the time that it named to any session, nor for too much content.

All sessions of an installation go by one allowance. Where that cannot be read or written, a process goes by
what it has seen itself.
"""

import time
from collections.abc import Callable
from typing import Literal

from pullwright.errors import AwsUnavailable, GitHubRateLimited
from pullwright.github.allowance import Allowance, MemoryAllowance
from pullwright.github.budget import Room, Usage
from pullwright.github.refusals import limit_sentence
from pullwright.log import logger

Purpose = Literal[Room.PROGRESS, Room.ENDING]
# What other sessions were told is known so many seconds later at most.
_LOOK_SECONDS = 5.0
# An ending waits no longer than this for our own count: GitHub itself may still have room.
_ENDING_SECONDS = 15.0
_COUNTED = "GitHub lets the App write no more for now; it goes on in {:.0f} seconds."


class Pace:
    """The pace that one client of GitHub keeps.

    Args:
        allowance: the installation's; this process's own if there is none.
        purpose: what the client's content is; openings take theirs before they begin, see `reserve`.
        clock: Unix seconds.
    """

    def __init__(
        self,
        allowance: Allowance | None = None,
        *,
        purpose: Purpose = Room.ENDING,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._own = MemoryAllowance()
        self._allowance: Allowance = self._own if allowance is None else allowance
        self._purpose = purpose
        self._clock = clock
        self._sleep = sleep
        self._usage = Usage()
        self._looked = -_LOOK_SECONDS
        self._reserved = 0

    def wait(self) -> float:
        """Return the seconds until GitHub may be asked; 0 if it may."""
        if self._clock() - self._looked >= _LOOK_SECONDS:
            self._try(lambda allowance: allowance.look())
        return self._usage.blocked_for(self._clock())

    def check(self) -> None:
        """Refuse what GitHub would refuse.

        Raises:
            GitHubRateLimited: it is too early; GitHub was not asked.
        """
        if wait := self.wait():
            raise GitHubRateLimited(limit_sentence(wait), retry_after=wait, was_asked=False)

    def begin(self, *, is_content: bool) -> None:
        """Make sure that a request may be made now.

        Raises:
            GitHubRateLimited: it is too early; GitHub was not asked.
        """
        self.check()
        if is_content:
            self.spend()

    def limited(self, error: GitHubRateLimited) -> GitHubRateLimited:
        """Note a refusal for all sessions; return it with the time to wait."""
        named = error.retry_after if error.is_named else None
        self._try(lambda allowance: allowance.limit(self._clock(), named))
        wait = max(self._usage.blocked_for(self._clock()), error.retry_after)
        return GitHubRateLimited(limit_sentence(wait), retry_after=wait, is_named=error.is_named)

    def check_opening(self, writes: int) -> None:
        """Refuse to open a pull request that would not fit, before anything is asked or made.

        Raises:
            GitHubRateLimited: it is too early.
        """
        self.check()
        self._refuse(self._usage.seconds_until_room(self._clock(), writes, Room.OPENING))

    def reserve(self, writes: int) -> None:
        """Reserve all writes of opening a pull request, or none.

        Raises:
            GitHubRateLimited: it is too early.
        """
        self._reserved = 0
        self._take(writes, Room.OPENING)
        self._reserved = writes

    def spend(self) -> None:
        """Count one write that is about to be made.

        Raises:
            GitHubRateLimited: progress has to wait. An ending never has, or a few seconds.
        """
        if self._reserved:
            self._reserved -= 1
            return
        if self._purpose is Room.ENDING:
            wait = self._usage.seconds_until_room(self._clock(), 1, Room.ENDING)
            if wait > 0:
                self._sleep(min(wait, _ENDING_SECONDS))
        self._take(1, self._purpose)

    def stretch(self) -> float:
        """Return the factor by which edits have to be rarer than for a session alone."""
        return self._usage.stretch(self._clock())

    def _take(self, writes: int, room: Room) -> None:
        now = self._clock()
        fits = self._try(lambda allowance: allowance.spend(now, writes, room))
        self._refuse(0.0 if fits else max(self._usage.seconds_until_room(now, writes, room), 1.0))

    @staticmethod
    def _refuse(wait: float) -> None:
        if wait > 0:
            raise GitHubRateLimited(_COUNTED.format(wait), retry_after=wait, was_asked=False)

    def _try(self, call: Callable[[Allowance], "Usage | tuple[bool, Usage]"]) -> bool:
        """Ask the shared allowance; if it does not answer, this process's own."""
        try:
            answer = call(self._allowance)
        except AwsUnavailable as error:
            logger.warning("GitHub's allowance cannot be used", error=error.sentence)
            answer = call(self._own)
        fits, self._usage = answer if isinstance(answer, tuple) else (True, answer)
        self._own.usage, self._looked = self._usage, self._clock()
        return fits
