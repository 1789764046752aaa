"""What GitHub lets one installation do, and how our sessions share it: arithmetic, without clock or table.

GitHub refuses an installation that creates more content than 80 a minute or 500 an hour:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
It does not say what counts. Octokit's list of what to send slowly has pull requests and comments, but neither
git objects nor reactions nor check runs (`triggers-notification-paths` of octokit/plugin-throttling.js).
Edits of comments are counted here as well, to be safe.

One bucket keeps both limits: so many writes at once, and so many a minute after that, are never more than 80
in any minute nor 500 in any hour. It takes one number: the time until which the writes that were made are
paid for, one with each `SECONDS_EACH`.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

AT_ONCE = 70
A_MINUTE = 7
SECONDS_EACH = 60 / A_MINUTE
# A time further ahead than this is no time that we or GitHub would have set: its limits end with the hour.
FARTHEST_SECONDS = 2 * 3_600.0
# Where GitHub names no time: a minute, then longer with each repetition.
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3_600.0
# Progress is as lively as it can be below this, and ever slower above.
_LIVELY = 15
_SLOWEST = 40.0


class Room(IntEnum):
    """How many writes may be unpaid after one for this purpose; the gap to the next level is its reserve."""

    PROGRESS = 30
    OPENING = 55
    ENDING = AT_ONCE


@dataclass(frozen=True, slots=True)
class Usage:
    """What one installation has used, as of the time when it was read. Times are Unix seconds.

    Attributes:
        paid_until: when all writes that were made will be paid for.
        blocked_until: before this GitHub must not be asked at all.
        pause: how long the last block was for which GitHub named no time, in seconds.
    """

    paid_until: float = 0.0
    blocked_until: float = 0.0
    pause: float = 0.0

    def owed(self, now: float) -> float:
        """Return how many writes time has not paid for yet."""
        ahead = self.paid_until - now
        return ahead / SECONDS_EACH if 0 < ahead <= FARTHEST_SECONDS else 0.0

    def blocked_for(self, now: float) -> float:
        """Return the seconds until GitHub may be asked again."""
        ahead = self.blocked_until - now
        return ahead if 0 < ahead <= FARTHEST_SECONDS else 0.0

    def seconds_until_room(self, now: float, writes: int, room: Room) -> float:
        """Return the seconds until so many writes fit; 0 if they do."""
        return max(0.0, (self.owed(now) + writes - room) * SECONDS_EACH)

    def after(self, now: float, writes: int) -> Self:
        """Return the usage after so many more writes."""
        start = now + self.owed(now) * SECONDS_EACH
        return replace(self, paid_until=start + writes * SECONDS_EACH)

    def limited(self, now: float, named: float | None) -> Self:
        """Return the usage after GitHub has refused.

        Args:
            named: seconds that GitHub asks to wait; None if it names none.
        """
        if named is not None:
            until = now + min(max(named, 1.0), FARTHEST_SECONDS)
            return replace(self, blocked_until=max(now + self.blocked_for(now), until))
        # A repetition is what comes before as much time has passed as the last pause took.
        is_repetition = self.pause > 0 and now - self.blocked_until <= max(self.pause, FIRST_PAUSE_SECONDS)
        pause = min(2 * self.pause, LONGEST_PAUSE_SECONDS) if is_repetition else FIRST_PAUSE_SECONDS
        return replace(self, blocked_until=now + max(self.blocked_for(now), pause), pause=pause)

    def stretch(self, now: float) -> float:
        """Return the factor by which edits of a comment become rarer; 1 where there is plenty of room."""
        left = Room.PROGRESS - self.owed(now)
        return 1.0 if left >= Room.PROGRESS - _LIVELY else min(_SLOWEST, _LIVELY / max(left, 1e-9))
