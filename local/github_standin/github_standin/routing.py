"""Routes of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from starlette.routing import compile_path

from github_standin.answers import not_found

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from github_standin.answers import Reply
    from github_standin.calls import Call

    Handler = Callable[[Call], Reply]
    H = TypeVar("H", bound=Handler)


class Router:
    """Routes by method and path."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def on(self, method: str, path: str) -> Callable[[H], H]:
        """Register the decorated function.

        Args:
            path: as Starlette has it, `{name}` for one segment and `{name:path}` for the rest.
        """
        pattern, _, _ = compile_path(path)

        def register(handler: H) -> H:
            self._routes.append((method, pattern, handler))
            return handler

        return register

    def include(self, other: Router) -> None:
        """Add another router's routes after those that are here."""
        self._routes += other._routes

    def find(self, call: Call) -> Handler:
        """Return the function for a request, and put the path's variables into it.

        Raises:
            ApiError: 404, there is none (GitHub has no 405).
        """
        for method, pattern, handler in self._routes:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                call.params = match.groupdict()
                return handler
        raise not_found()
