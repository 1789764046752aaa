"""Jira's limit on requests: https://developer.atlassian.com/cloud/jira/platform/rate-limiting/."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jira_standin.answers import JiraError
from jira_standin.times import reset_stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from jira_standin.records import Person
    from jira_standin.store import Store

_NEAR = 0.2


class Meter:
    """Counts what each account has used; a restart forgets it.

    Args:
        clock: returns Unix seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._now = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, person: Person | None) -> dict[str, str]:
        """Count one request and return the headers of its answer.

        Raises:
            JiraError: 429, there were too many.
        """
        limits = self._store.settings.limits
        if limits.requests is None:
            return {}
        key, now = person.account_id if person else "", self._now()
        start, used = self._windows.get(key, (now, 0))
        if now >= start + limits.window:
            start, used = now, 0
        if used >= limits.requests:
            raise self._refusal(limits.requests, start + limits.window - now)
        self._windows[key] = (start, used + 1)
        left = limits.requests - used - 1
        near = {"X-RateLimit-NearLimit": "true"} if left < _NEAR * limits.requests else {}
        return {"X-RateLimit-Limit": str(limits.requests), "X-RateLimit-Remaining": str(left), **near}

    def _refusal(self, limit: int, seconds: float) -> JiraError:
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": reset_stamp(self._now() + seconds),
            "RateLimit-Reason": "jira-burst-based",
        }
        if self._store.settings.limits.retry_after:
            headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        return JiraError(429, "Rate limit exceeded.", headers=headers)
