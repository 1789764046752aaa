"""What GitHub's servers may not all know yet: a new token, and what was made a moment ago.

For seconds a new token can be answered like a wrong one, and what was just made like something that does not
exist: https://github.com/actions/create-github-app-token/issues/198. GitHub's own advice to whoever creates
something is to ask again after 3, 10 and 30 seconds.
"""

import json
import math
import re
import time
from collections.abc import Callable, Collection
from typing import Any, Self

from pullwright.errors import GitHubUnavailable
from pullwright.github.transport import Response

PAUSES = (3.0, 10.0, 30.0)
YOUNG_SECONDS = 60.0
# What a caller needs after the last wait: one answer, and a report of how it ended.
_RESERVE_SECONDS = 25.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _UNPROCESSABLE = 401, 403, 404, 422
# Refusals that name a reason which does not pass with a token's age.
_FINAL = re.compile(
    r"archived|locked|disabled|suspended|blocked|SAML|IP allow list|administrative rules|rule violations|"
    r"protected|rate limit|user-agent|workflow",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"not exist|not found|no commit found|not valid|invalid", re.IGNORECASE)


class Fresh:
    """Tells a final answer from one of a server that has not caught up yet.

    Args:
        token_age: seconds since the token that is in use was made; None if nobody knows.
        time_left: seconds that the caller has still to live.
        clock: seconds, from anywhere.
    """

    def __init__(
        self,
        token_age: Callable[[], float] | None = None,
        *,
        time_left: Callable[[], float] = lambda: math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token_age = token_age
        self._time_left = time_left
        self._clock = clock
        self._made: dict[str, float] = {}
        self._made_in: dict[str, dict[str, float]] = {}

    def of(self, repository: str, token_age: Callable[[], float]) -> Self:
        """Return the memory of one repository and its token; a function's process serves many.

        Args:
            repository: `owner/name`.
            token_age: seconds since that token was made.
        """
        other = type(self)(token_age, time_left=self._time_left, clock=self._clock)
        other._made = self._made_in.setdefault(repository.lower(), {})  # noqa: SLF001 - its own class
        return other

    def made(self, *names: str) -> None:
        """Remember what was made just now, such as `branch:claude/7` or a hash."""
        self._made.update(dict.fromkeys(names, self._clock()))

    def has_young_token(self) -> bool:
        """Return whether some of GitHub's servers may not know the token yet."""
        return self._token_age is not None and self._token_age() < YOUNG_SECONDS

    def refuses_token(self, response: Response) -> bool:
        """Return whether an answer may be from a server that does not know our token yet."""
        if response.status not in {_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND} or not self.has_young_token():
            return False
        return response.status != _FORBIDDEN or not _FINAL.search(_words(response))

    def misses(self, response: Response, about: Collection[str]) -> bool:
        """Return whether an answer may be from a server that does not know yet what we made."""
        now = self._clock()
        if not any(now - self._made.get(name, -math.inf) < YOUNG_SECONDS for name in about):
            return False
        if response.status == _UNPROCESSABLE:
            words = _words(response)
            return bool(_UNKNOWN.search(words)) and not _FINAL.search(words)
        return response.status == _NOT_FOUND

    def may_be_unknown(self, errors: Collection[Any], about: Collection[str], *, reaches: bool) -> bool:
        """Return whether the `errors` of a GraphQL answer may go away by themselves.

        Args:
            reaches: whether the token has reached its repository already.
        """
        types = {error.get("type") for error in errors if isinstance(error, dict)}
        if "NOT_FOUND" in types and self.misses(Response(_NOT_FOUND, {}), about):
            return True
        doubtful = {"FORBIDDEN"} if reaches else {"FORBIDDEN", "NOT_FOUND"}
        return bool(types & doubtful) and self.has_young_token()

    def has_time_for(self, pause: float) -> bool:
        """Return whether there is time to wait so many seconds and still finish."""
        return pause + _RESERVE_SECONDS <= self._time_left()


class Waits:
    """The pauses of one call."""

    def __init__(self, fresh: Fresh, sleep: Callable[[float], None], what: str) -> None:
        self._fresh = fresh
        self._sleep = sleep
        self._what = what
        self._pauses = iter(PAUSES)

    def wait(self) -> None:
        """Make the next pause.

        Raises:
            GitHubUnavailable: there is none left, or no time for it.
        """
        pause = next(self._pauses, None)
        if pause is None or not self._fresh.has_time_for(pause):
            raise GitHubUnavailable(
                f"GitHub does not know a new token or object yet, when asked to {self._what}."
            )
        self._sleep(pause)


def _words(response: Response) -> str:
    decoded = response.decoded
    if not isinstance(decoded, dict):
        return ""
    return f"{decoded.get('message')} {json.dumps(decoded.get('errors'), default=str)}"
