"""One REST request: its parameters, its body, and what it may touch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from github_standin.actors import ANONYMOUS, Actor
from github_standin.answers import (
    ApiError,
    forbidden,
    issues_disabled,
    not_accessible,
    not_found,
    unprocessable,
)
from github_standin.auth import allow
from github_standin.links import escape
from standin.answers import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from github_standin.git.repository import GitRepository
    from github_standin.github import GitHub
    from github_standin.permissions import Rule
    from github_standin.records import Account, Installation, Issue, Repository

T = TypeVar("T")
_PER_PAGE = 30
_MOST_PER_PAGE = 100


@dataclass
class Call:
    """One request.

    Attributes:
        path: from the API's root, such as `/repos/o/r`.
        query: the query's parameters, the last of each name.
        headers: by lower-case name.
    """

    github: GitHub
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    actor: Actor = ANONYMOUS
    params: dict[str, str] = field(default_factory=dict)

    # Body

    def body(self) -> dict[str, Any]:
        """Return the JSON body; an empty one is an empty object.

        Raises:
            ApiError: 400, not JSON or not an object.
        """
        if not self.content.strip():
            return {}
        try:
            decoded = json.loads(self.content)
        except (ValueError, RecursionError):
            raise ApiError(400, "Problems parsing JSON") from None
        if not isinstance(decoded, dict):
            raise ApiError(400, "Body should be a JSON object")
        return decoded

    def text(self, name: str) -> str:
        """Return a string from the body that must be there.

        Raises:
            ApiError: 422 in GitHub's words.
        """
        value = self.maybe_text(name)
        if value is None:
            raise unprocessable(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return value

    def maybe_text(self, name: str) -> str | None:
        """Return a string from the body, or None when it is missing or null."""
        return self._value(name, str, "a string")

    def flag(self, name: str) -> bool | None:
        """Return a boolean from the body, or None."""
        return self._value(name, bool, "a boolean")

    def items(self, name: str) -> list[Any] | None:
        """Return a list from the body, or None."""
        return self._value(name, list, "an array")

    def texts(self, name: str) -> list[str] | None:
        """Return a list of strings from the body, or None."""
        values = self.items(name)
        for value in values or ():
            if not isinstance(value, str):
                raise unprocessable(f"Invalid request.\n\nFor 'items', {json.dumps(value)} is not a string.")
        return values

    def table(self, name: str) -> dict[str, Any] | None:
        """Return an object from the body, or None."""
        return self._value(name, dict, "an object")

    def _value(self, name: str, type_: type[T], called: str) -> T | None:
        value = self.body().get(name)
        if value is None:
            return None
        if not isinstance(value, type_):
            raise unprocessable(
                f"Invalid request.\n\nFor 'properties/{name}', {json.dumps(value)} is not {called}."
            )
        return value

    # Path

    def number(self, name: str = "number") -> int:
        """Return a number from the path.

        Raises:
            ApiError: 404, it is no number.
        """
        text = self.params[name]
        if not text.isascii() or not text.isdigit():
            raise not_found()
        return int(text)

    def repository(self, rule: Rule) -> Repository:
        """Return the repository of the path, if this request may do with it what the rule says.

        Raises:
            ApiError: 401, 403 or 404.
        """
        repository = self.github.repository(self.params["owner"], self.params["repo"])
        if repository is None:
            raise not_found()
        allow(self.actor, repository, rule)
        return repository

    def issue(self, rule: Rule, name: str = "number") -> tuple[Repository, Issue]:
        """Return repository and issue (or pull request) of the path, if the rule allows it.

        Raises:
            ApiError: 401, 403, 404 or 410.
        """
        repository = self.github.repository(self.params["owner"], self.params["repo"])
        if repository is None:
            raise not_found()
        found = self.github.issue(repository, self.number(name))
        allow(self.actor, repository, rule, found)
        if found is None or self.hidden(repository, "issue", found.number):
            raise not_found()
        if found.deleted:
            raise ApiError(410, "This issue was deleted")
        if found.pull is None and not repository.has_issues:
            raise issues_disabled()
        return repository, found

    def hidden(self, repository: Repository, kind: str, name: object) -> bool:
        """Tell whether something is too new to be shown to the actor."""
        return self.github.lag.hides(self.actor, kind, repository.id, name)

    def git(self, repository: Repository) -> GitRepository:
        """Return the git side of a repository that has a commit.

        Raises:
            ApiError: 409, it is empty.
        """
        git = self.github.git(repository)
        if git.is_empty():
            raise ApiError(409, "Git Repository is empty.")
        return git

    # Actor

    def account(self) -> Account:
        """Return the person or bot who acts.

        Raises:
            ApiError: 401, nobody does.
        """
        if self.actor.account is None:
            raise ApiError(401, "Requires authentication")
        return self.actor.account

    def as_app(self) -> None:
        """Check that the App itself asks, by its JSON web token.

        Raises:
            ApiError: 401 or 403.
        """
        if self.actor.kind == "user":
            raise forbidden("You must authenticate with an installation access token or as an App.")
        if self.actor.kind != "app":
            raise ApiError(401, "A JSON web token could not be decoded")

    def as_installation(self) -> Installation:
        """Return the installation whose token asks.

        Raises:
            ApiError: 401 or 403.
        """
        if self.actor.kind == "anonymous":
            raise ApiError(401, "Requires authentication")
        if self.actor.installation is None:
            raise not_accessible("metadata=read")
        return self.actor.installation

    @property
    def by_app(self) -> bool:
        """Whether the App acts, through an installation."""
        return self.actor.kind == "installation"

    def create_content(self, *, edit: bool = False) -> None:
        """Count content against the secondary limits.

        Raises:
            ApiError: 403 with `Retry-After`.
        """
        self.github.meter.count_content(self.actor, edit=edit)

    # Answers

    def page(self, found: Sequence[T], shape: Callable[[T], Any]) -> Reply:
        """Return one page of a list, with GitHub's `Link` header."""
        shown, headers = self.slice(found)
        return Reply(200, [shape(item) for item in shown], headers)

    def slice(self, found: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
        """Return the part of a list that the query asks for, and the `Link` header if there is more."""
        size = min(max(_integer(self.query.get("per_page"), _PER_PAGE), 1), _MOST_PER_PAGE)
        page = max(_integer(self.query.get("page"), 1), 1)
        last = max(-(-len(found) // size), 1)
        relations: dict[str, int] = {}
        if page > 1:
            relations |= {"prev": page - 1, "first": 1}
        if page < last:
            relations |= {"next": page + 1, "last": last}
        base = f"{self.github.links.api}{escape(self.path)}"
        links = [
            f'<{base}?{urlencode({**self.query, "page": number})}>; rel="{name}"'
            for name, number in relations.items()
        ]
        return found[(page - 1) * size : page * size], {"Link": ", ".join(links)} if links else {}


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise
