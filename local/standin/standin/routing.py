"""Routes by method and path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from starlette.routing import compile_path

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from standin.answers import Refusal, Reply


class Routed(Protocol):
    """What a route needs to know of a request."""

    method: str
    path: str
    params: dict[str, str]


C = TypeVar("C", bound=Routed)


class Router(Generic[C]):
    """Routes by method and path.

    Args:
        not_found: makes the refusal of a request that no route is for.
    """

    def __init__(self, not_found: Callable[[], Refusal]) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Callable[[C], Reply]]] = []
        self._not_found = not_found

    def on(self, method: str, path: str) -> Callable[[Callable[[C], Reply]], Callable[[C], Reply]]:
        """Register the decorated function.

        Args:
            path: as Starlette has it, `{name}` for one segment and `{name:path}` for the rest.
        """
        pattern, _, _ = compile_path(path)

        def register(handler: Callable[[C], Reply]) -> Callable[[C], Reply]:
            self._routes.append((method, pattern, handler))
            return handler

        return register

    def include(self, other: Router[C]) -> None:
        """Add another router's routes after those that are here."""
        self._routes += other._routes

    def find(self, call: C) -> Callable[[C], Reply]:
        """Return the function for a request, and put the path's variables into it.

        Raises:
            Refusal: there is none.
        """
        for method, pattern, handler in self._routes:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                call.params = match.groupdict()
                return handler
        raise self._not_found()
