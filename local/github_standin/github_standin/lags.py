"""What GitHub's servers do not know yet: a token, or a thing that was made on another of them.

New tokens are answered like wrong ones: https://github.com/actions/create-github-app-token/issues/198,
https://github.com/octokit/auth-app.js#usage-with-octokit (its `auth` hook waits for them as well).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.answers import ApiError, forbidden, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from github_standin.actors import Actor
    from github_standin.store import Store

_LIFE_SECONDS = 3_600.0


class Lag:
    """Knows what was made, and for how long an installation is not shown it.

    Args:
        clock: returns Unix seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._now = clock
        self._made: dict[tuple[str, int, str], float] = {}

    def made(self, kind: str, repository: int, name: object) -> None:
        """Remember that something was made just now.

        Args:
            kind: `ref`, `object`, `issue`, `comment`, `review` or `review_comment`.
            name: full name, hash or number.
        """
        self._made[kind, repository, str(name)] = self._now()

    def hides(self, actor: Actor, kind: str, repository: int, name: object) -> bool:
        """Tell whether something is hidden from an actor yet; people see everything at once."""
        at = self._made.get((kind, repository, str(name)))
        lag = self._store.settings.lags.read_lag
        return at is not None and actor.kind == "installation" and self._now() < at + lag

    def check(self, actor: Actor) -> None:
        """Refuse a token that is too new.

        Raises:
            ApiError: 401, 403 or 404, as configured.
        """
        lags = self._store.settings.lags
        if actor.token is None or self._now() >= actor.token.expires_at - _LIFE_SECONDS + lags.token_lag:
            return
        if lags.token_status == 403:  # noqa: PLR2004 - Forbidden
            raise forbidden("Resource not accessible by integration")
        raise not_found() if lags.token_status == 404 else ApiError(401, "Bad credentials")  # noqa: PLR2004 - Not Found
