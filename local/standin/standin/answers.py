"""What a request is answered with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """One answer.

    Attributes:
        body: written as JSON, or sent as it is when it is text; None is no body.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"


class Refusal(Exception):  # noqa: N818 - it is raised to be answered, not because something is broken
    """A request that the service refuses, in the service's own words."""

    def reply(self) -> Reply:
        """Return the answer to send."""
        raise NotImplementedError
