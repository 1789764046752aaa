"""Not a defect: less work for each request that the engine gets.

Twisted reads the type of a body with Python's whole parser of e-mails, and writes an access log that nobody
keeps: a sixth of the engine's time while sessions run.
"""

from functools import lru_cache
from typing import Any

from twisted.web import http


def _no_access_log(_factory: Any, _request: Any) -> None:
    """Write nothing: LocalStack has a line of its own for each call."""


def apply() -> None:
    """Remember the types that were read, of which there are few, and write no access log."""
    http._parseContentType = lru_cache(maxsize=256)(http._parseContentType)
    http.HTTPFactory.log = _no_access_log
