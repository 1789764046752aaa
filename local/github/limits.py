"""GitHub's rate limits: requests per hour, and content created per minute and hour.

From https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from local.github.answers import DOCS, ApiError

if TYPE_CHECKING:
    from local.github.auth import Actor
    from local.github.world import World

HOUR = 3_600.0
MINUTE = 60.0
_DOCS = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"


class Meter:
    """Counts what each actor has used; a restart forgets it.

    Args:
        world: the stand-in, for its limits and its clock.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._windows: dict[str, tuple[float, int]] = {}
        self._content: dict[str, deque[float]] = {}

    def _window(self, actor: Actor) -> tuple[float, int]:
        now = self._world.now()
        start, used = self._windows.get(actor.key, (now, 0))
        return (now, 0) if now >= start + HOUR else (start, used)

    def headers(self, actor: Actor) -> dict[str, str]:
        """Return the `X-RateLimit-*` headers."""
        state = self.state(actor)
        return {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in state.items()}

    def state(self, actor: Actor) -> dict[str, int | str]:
        """Return limit, use and time of reset (Unix seconds), as `GET /rate_limit` gives them."""
        limits = self._world.store.settings.limits
        limit = limits.anonymous_per_hour if actor.kind == "anonymous" else limits.per_hour
        start, used = self._window(actor)
        used = min(used, limit)
        reset = int(start + HOUR)
        return {"limit": limit, "remaining": limit - used, "reset": reset, "used": used, "resource": "core"}

    def count(self, actor: Actor) -> None:
        """Count one request.

        Raises:
            ApiError: the hour's requests are used up.
        """
        start, used = self._window(actor)
        if int(self.state(actor)["remaining"]) == 0:
            raise ApiError(403, f"API rate limit exceeded for {actor.called}.", docs=_DOCS)
        self._windows[actor.key] = (start, used + 1)

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
        limits = self._world.store.settings.limits
        if actor.kind != "installation" or (edit and not limits.edits_count):
            return
        now = self._world.now()
        times = self._content.setdefault(actor.key, deque())
        while times and times[0] <= now - HOUR:
            times.popleft()
        minute = [moment for moment in times if moment > now - MINUTE]
        if len(times) >= limits.content_per_hour:
            self._refuse(times[0] + HOUR - now if times else HOUR)
        if len(minute) >= limits.content_per_minute:
            self._refuse(minute[0] + MINUTE - now if minute else MINUTE)
        times.append(now)

    @staticmethod
    def _refuse(seconds: float) -> None:
        raise ApiError(
            403,
            "You have exceeded a secondary rate limit and have been temporarily blocked from content "
            "creation. Please retry your request again later.",
            headers={"Retry-After": str(max(1, int(seconds + 0.999)))},
            docs=f"{_DOCS}#about-secondary-rate-limits",
        )
