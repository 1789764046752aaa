"""The part of JQL that webhooks are filtered by here: `project`, with `=` and `in`."""

from __future__ import annotations

import re

from jira_standin.answers import JiraError

_CLAUSE = re.compile(r"project\s*(?:=\s*(?P<one>\"?[\w-]+\"?)|in\s*\((?P<many>[^()]+)\))", re.IGNORECASE)


def projects(query: str) -> list[str] | None:
    """Return the keys of the projects whose issues match; None if all do.

    Raises:
        JiraError: 400, the stand-in does not know this query.
    """
    if not query.strip():
        return None
    match = _CLAUSE.fullmatch(query.strip())
    if match is None:
        raise JiraError(
            400, f"The Jira stand-in knows no JQL but 'project = KEY' and 'project in (A, B)': {query}"
        )
    names = [match["one"]] if match["one"] else match["many"].split(",")
    return [name.strip().strip('"').upper() for name in names]
