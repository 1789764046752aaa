"""GitHub's rate limits: requests per hour, and secondary limits for requests and content per minute and hour.

From https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api. A secondary limit may come
with `Retry-After` or without; then GitHub asks for a minute at least, and longer with each repetition. It
says that a client which goes on sending requests may be banned, and not when: here the limit begins anew,
twice as long, and the request is listed. Without `Retry-After` it is a minute again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from github_standin.answers import DOCS, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from github_standin.actors import Actor
    from github_standin.store import Store

HOUR = 3_600.0
MINUTE = 60.0
_DOCS = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"


# What was under way when the limit was met is no going on.
_GRACE = 2.0
_LONGEST = 3_600.0


@dataclass
class _Block:
    """A secondary limit in force.

    Attributes:
        until: its end, Unix seconds.
        seconds: its length, which doubles with each further request.
    """

    since: float
    seconds: float
    content: bool
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.until = self.since + self.seconds


class Meter:
    """Counts what each actor has used; a restart forgets it.

    Args:
        clock: returns Unix seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._now = clock
        self._windows: dict[str, tuple[float, int]] = {}
        self._content: dict[str, deque[float]] = {}
        self._requests: dict[str, deque[float]] = {}
        self._blocks: dict[str, _Block] = {}
        self._exhausted: dict[tuple[str, float], float] = {}
        self.impatient: list[tuple[float, str]] = []
        """Time and actor of each request made while a limit was in force."""

    def _window(self, actor: Actor) -> tuple[float, int]:
        now = self._now()
        start, used = self._windows.get(actor.key, (now, 0))
        return (now, 0) if now >= start + HOUR else (start, used)

    def headers(self, actor: Actor) -> dict[str, str]:
        """Return the `X-RateLimit-*` headers."""
        state = self.state(actor)
        return {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in state.items()}

    def state(self, actor: Actor) -> dict[str, int | str]:
        """Return limit, use and time of reset (Unix seconds)."""
        limits = self._store.settings.limits
        limit = limits.anonymous_per_hour if actor.kind == "anonymous" else limits.per_hour
        start, used = self._window(actor)
        used = min(used, limit)
        reset = int(start + HOUR)
        return {"limit": limit, "remaining": limit - used, "reset": reset, "used": used, "resource": "core"}

    def count(self, actor: Actor) -> None:
        """Count one request.

        Raises:
            ApiError: the hour's requests are used up, or too many came in the last minute.
        """
        start, used = self._window(actor)
        if int(self.state(actor)["remaining"]) == 0:
            now = self._now()
            if now > self._exhausted.setdefault((actor.key, start), now) + _GRACE:
                self.impatient.append((now, actor.key))
            raise ApiError(403, f"API rate limit exceeded for {actor.called}.", docs=_DOCS)
        self._windows[actor.key] = (start, used + 1)
        most = self._store.settings.limits.requests_per_minute
        if most is None or actor.kind != "installation":
            return
        self._check_block(actor, content=False)
        times = _within(self._requests.setdefault(actor.key, deque()), self._now() - MINUTE)
        if len(times) >= most:
            self._refuse(actor, times[0] + MINUTE - self._now() if times else MINUTE, content=False)
        times.append(self._now())

    def give_back(self, actor: Actor) -> None:
        """Take back what a request has counted: its answer was that nothing has changed."""
        if actor.kind != "anonymous":
            start, used = self._window(actor)
            self._windows[actor.key] = (start, max(0, used - 1))

    def count_content(self, actor: Actor, *, edit: bool) -> None:
        """Count content that an installation creates.

        Args:
            actor: who creates it; people are not limited here.
            edit: whether it only changes what is there.

        Raises:
            ApiError: too much in the last minute or hour.
        """
        limits = self._store.settings.limits
        if actor.kind != "installation" or (edit and not limits.edits_count):
            return
        now = self._now()
        self._check_block(actor, content=True)
        times = _within(self._content.setdefault(actor.key, deque()), now - HOUR)
        minute = [moment for moment in times if moment > now - MINUTE]
        if len(times) >= limits.content_per_hour:
            self._refuse(actor, times[0] + HOUR - now if times else HOUR, content=True)
        if len(minute) >= limits.content_per_minute:
            self._refuse(actor, minute[0] + MINUTE - now if minute else MINUTE, content=True)
        times.append(now)

    def _check_block(self, actor: Actor, *, content: bool) -> None:
        """Refuse a request during a block, and double the block."""
        block, now = self._blocks.get(actor.key), self._now()
        if block is None or now >= block.until or block.content is not content:
            return
        if now > block.since + _GRACE:
            self.impatient.append((now, actor.key))
            self._refuse(actor, min(2 * block.seconds, _LONGEST), content=content)
        raise self._refusal(block.until - now, content=content)

    def _refuse(self, actor: Actor, seconds: float, *, content: bool) -> None:
        if not self._store.settings.limits.retry_after:
            # Nobody could know a longer one.
            seconds = MINUTE
        block = _Block(self._now(), seconds, content)
        self._blocks[actor.key] = block
        raise self._refusal(seconds, content=content)

    def _refusal(self, seconds: float, *, content: bool) -> ApiError:
        what = " and have been temporarily blocked from content creation" if content else ""
        names_time = self._store.settings.limits.retry_after
        return ApiError(
            403,
            f"You have exceeded a secondary rate limit{what}. Please retry your request again later.",
            headers={"Retry-After": str(max(1, int(seconds + 0.999)))} if names_time else {},
            docs=f"{_DOCS}#about-secondary-rate-limits",
        )


def _within(times: deque[float], since: float) -> deque[float]:
    while times and times[0] <= since:
        times.popleft()
    return times
