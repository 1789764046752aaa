"""What routes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jira_standin.answers import no_route
from standin.routing import Router

if TYPE_CHECKING:
    from jira_standin.calls import Call

ROOT = "/rest/api/3"


def new_router() -> Router[Call]:
    """Return a router without routes."""
    return Router(no_route)
