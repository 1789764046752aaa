"""Routes of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.answers import not_found
from standin import routing

if TYPE_CHECKING:
    from github_standin.calls import Call  # noqa: F401 - names the class below in a string


class Router(routing.Router["Call"]):
    """Routes by method and path; GitHub answers 404 to what has none, and has no 405."""

    def __init__(self) -> None:
        super().__init__(not_found)
