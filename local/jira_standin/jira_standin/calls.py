"""One REST request: its parameters, its body, who makes it, and what it may touch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from jira_standin import permissions
from jira_standin.answers import JiraError, UnauthenticatedError, no_issue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jira_standin.jira import Jira
    from jira_standin.records import Issue, Person, Project

T = TypeVar("T")


@dataclass
class Call:
    """One request.

    Attributes:
        path: from the site's root, such as `/rest/api/3/myself`.
        query: the query's parameters, the last of each name.
        headers: by lower-case name.
        actor: None for a stranger.
    """

    jira: Jira
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    actor: Person | None = None
    params: dict[str, str] = field(default_factory=dict)

    # Body

    def decoded(self) -> Any:
        """Return the JSON body.

        Raises:
            JiraError: 400, it is none.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise JiraError(
                400, "There was an error parsing JSON. Check that your request body is valid."
            ) from None

    def body(self) -> dict[str, Any]:
        """Return the JSON body, which must be an object.

        Raises:
            JiraError: 400, it is not.
        """
        value = self.decoded()
        if not isinstance(value, dict):
            raise JiraError(
                400, "Invalid request payload. Refer to the REST API documentation and try again."
            )
        return value

    def expands(self, name: str) -> bool:
        """Tell whether the query's `expand` has a name."""
        return name in self.query.get("expand", "").split(",")

    # Actor and rights

    def person(self) -> Person:
        """Return who asks.

        Raises:
            UnauthenticatedError: a stranger does.
        """
        if self.actor is None:
            raise UnauthenticatedError
        return self.actor

    def administrator(self) -> Person:
        """Return who asks, if they administer Jira.

        Raises:
            UnauthenticatedError: a stranger asks.
            JiraError: 403, somebody else does.
        """
        person = self.person()
        if not permissions.administers(self.jira, person):
            raise JiraError(403, "You do not have the permission to administer Jira.")
        return person

    def issue(self) -> Issue:
        """Return the issue of the path.

        Raises:
            JiraError: 404, it is not there or must not be seen.
        """
        found = self.jira.issue(self.params["issue"])
        if found is None or not permissions.sees(self.jira, self.actor, found):
            raise no_issue()
        return found

    def need(self, project: Project, permission: str, refusal: JiraError) -> Person:
        """Return who asks, if they have a permission in a project.

        Raises:
            UnauthenticatedError: a stranger asks.
            JiraError: the refusal.
        """
        person = self.person()
        if not permissions.has(self.jira, person, project, permission):
            raise refusal
        return person

    def project_of(self, issue: Issue) -> Project:
        """Return the project that an issue is in."""
        return self.jira.store.projects[issue.project_id]

    # Pages

    def slice(self, found: Sequence[T], most: int) -> tuple[Sequence[T], dict[str, int]]:
        """Return the part of a list that the query asks for, with `startAt`, `maxResults` and `total`.

        Args:
            most: how many one page can have, and has if the query does not say.
        """
        start = _number(self.query.get("startAt"), 0)
        size = min(_number(self.query.get("maxResults"), most), most)
        return found[start : start + size], {"startAt": start, "maxResults": size, "total": len(found)}

    def page(self, found: Sequence[T], shape: Callable[[T], Any], most: int = 100) -> dict[str, Any]:
        """Return one page of a list as a `PageBean`."""
        part, place = self.slice(found, most)
        end = place["startAt"] + len(part)
        base = f"{self.jira.url}{self.path}"
        page: dict[str, Any] = {"self": f"{base}?{urlencode(self.query)}" if self.query else base, **place}
        page |= {"isLast": end >= len(found), "values": [shape(item) for item in part]}
        if not page["isLast"]:
            page["nextPage"] = (
                f"{base}?{urlencode({**self.query, 'startAt': end, 'maxResults': place['maxResults']})}"
            )
        return page


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdigit():
        raise JiraError(400, f"Failed to convert value '{text}' to a number.")
    return int(text)
