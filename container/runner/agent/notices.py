"""The soft limit: the agent is told once when most of its money, turns or time is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.figures import duration, money

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import ResolvedLimits

SOFT = 0.8

_NOTICE = """\
Notice of Pullwright, which runs you: {used} are used. At the limit the session ends at once, in whatever \
state the work is then. Bring the work into a state that can be reviewed, leave out what would be nice to \
have, run the tests that matter most, and end with your report.
"""


class Notices:
    """Tells, once for each limit, that it is near."""

    def __init__(
        self,
        limits: ResolvedLimits,
        *,
        usd: Callable[[], float],
        turns: Callable[[], int],
        seconds: Callable[[], float],
    ) -> None:
        total = limits.minutes * 60
        self._ahead: list[tuple[Callable[[], float], float, Callable[[float], str]]] = [
            (usd, limits.usd, lambda used: f"{money(used)} of this session's {money(limits.usd)}"),
            (turns, limits.turns, lambda used: f"{used:.0f} of this session's {limits.turns} turns"),
            (seconds, total, lambda used: f"{duration(used)} of this session's {duration(total)}"),
        ]

    def due(self) -> list[str]:
        """Return the notices that have become due since the last call."""
        due, ahead = [], []
        for entry in self._ahead:
            used, limit, describe = entry
            now = used()
            if now < limit * SOFT:
                ahead.append(entry)
            elif now < limit:
                # What is used up leaves no turn to hear of it in: it would be one more, and end the session.
                due.append(_NOTICE.format(used=describe(now)))
        self._ahead = ahead
        return due
