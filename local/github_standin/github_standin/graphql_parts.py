"""What all parts of the GraphQL API share: refusals, lists by cursor, and people."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from github_standin.answers import ApiError
from github_standin.auth import allow
from github_standin.links import node_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from github_standin.actors import Actor
    from github_standin.github import GitHub
    from github_standin.permissions import Rule
    from github_standin.records import Repository

JSON = dict[str, Any]
_MOST = 100
_KINDS = {401: "FORBIDDEN", 403: "FORBIDDEN", 404: "NOT_FOUND"}


class RefusedError(GraphQLError):
    """An error with GitHub's `type` beside the message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def refused(error: ApiError) -> RefusedError:
    """Return REST's refusal as GraphQL has it."""
    return RefusedError(_KINDS.get(error.status, "UNPROCESSABLE"), error.message)


def check(actor: Actor, repository: Repository, *rules: Rule) -> None:
    """Check that an actor may do what all of the rules say.

    Raises:
        RefusedError: it may not.
    """
    try:
        for rule in rules:
            allow(actor, repository, rule)
    except ApiError as error:
        raise refused(error) from None


def unresolved(text: str) -> RefusedError:
    """Return the answer for an id that is nobody's, or must not be seen."""
    return RefusedError("NOT_FOUND", f"Could not resolve to a node with the global id of '{text}'")


def mutation_id(arguments: JSON) -> JSON:
    """Return the caller's own id of a mutation, which is given back."""
    return {"clientMutationId": arguments.get("clientMutationId")}


def actor(github: GitHub, number: int) -> JSON | None:
    """Return a person or a bot; unlike REST, GraphQL names a bot without its suffix."""
    account = github.store.accounts.get(number)
    if account is None:
        return None
    kind = "Bot" if account.type == "Bot" else "User"
    login = account.login.removesuffix("[bot]") if kind == "Bot" else account.login
    prefix = "BOT" if kind == "Bot" else "U"
    return {"__typename": kind, "id": node_id(prefix, account.id), "login": login}


def connection(found: Sequence[JSON], page: JSON) -> JSON:
    """Return the part of a list that `first` or `last`, `after` and `before` ask for.

    https://docs.github.com/en/graphql/guides/using-pagination-in-the-graphql-api
    """
    first, last = page.get("first"), page.get("last")
    if first is None and last is None:
        message = "You must provide a `first` or `last` value to properly paginate the connection."
        raise RefusedError("MISSING_PAGINATION_BOUNDARIES", message)
    if max(first or 0, last or 0) > _MOST:
        message = (
            f"Requesting {max(first or 0, last or 0)} records on the connection exceeds the `first` limit"
        )
        raise RefusedError("EXCESSIVE_PAGINATION", f"{message} of {_MOST} records.")
    start, end = 0, len(found)
    if (after := page.get("after")) is not None:
        start = _number(after)
    if (before := page.get("before")) is not None:
        end = max(start, _number(before) - 1)
    if first is not None:
        end = min(end, start + first)
    else:
        start = max(start, end - (last or 0))
    shown = found[start:end]
    info = {
        "hasNextPage": first is not None and end < len(found),
        "hasPreviousPage": last is not None and start > 0,
        "startCursor": _cursor(start + 1) if shown else None,
        "endCursor": _cursor(start + len(shown)) if shown else None,
    }
    return {"totalCount": len(found), "nodes": shown, "pageInfo": info}


def _cursor(number: int) -> str:
    return base64.b64encode(f"cursor:v2:{number}".encode()).decode()


def _number(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("cursor:v2:"))
    except (binascii.Error, ValueError):
        raise RefusedError(
            "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
        ) from None
